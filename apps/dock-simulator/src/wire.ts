/**
 * The dock's own idea of the wire: topics and JSON, written down a second time on purpose. The cloud has its own
 * reading of the protocol; a simulator that shared it could not disagree.
 */
export const topics = {
  osd: (sn: string) => `thing/product/${sn}/osd`,
  state: (sn: string) => `thing/product/${sn}/state`,
  services: (sn: string) => `thing/product/${sn}/services`,
  servicesReply: (sn: string) => `thing/product/${sn}/services_reply`,
  events: (sn: string) => `thing/product/${sn}/events`,
  eventsReply: (sn: string) => `thing/product/${sn}/events_reply`,
  requests: (sn: string) => `thing/product/${sn}/requests`,
  requestsReply: (sn: string) => `thing/product/${sn}/requests_reply`,
  propertySet: (sn: string) => `thing/product/${sn}/property/set`,
  propertySetReply: (sn: string) => `thing/product/${sn}/property/set_reply`,
  status: (sn: string) => `sys/product/${sn}/status`,
  statusReply: (sn: string) => `sys/product/${sn}/status_reply`,
};

/** What a dock listens to, all under its own serial number. */
export function subscriptionsOf(sn: string): string[] {
  return [
    topics.services(sn),
    topics.eventsReply(sn),
    topics.requestsReply(sn),
    topics.propertySet(sn),
    topics.statusReply(sn),
  ];
}

/**
 * `newest` is what current firmware sends. `seed` is firmware of protocol 1.3.0 with the spellings of its pages:
 * timestamps as text, `"timestamp:"` with the colon inside the key on requests, `need_reply` as true or false,
 * progress without its `output` level and without the later members of `ext`.
 */
export type Dialect = 'newest' | 'seed';

export interface Outgoing {
  readonly tid: string;
  readonly bid: string;
  readonly method?: string;
  readonly gateway?: string;
  readonly needReply?: boolean;
  readonly data: unknown;
  /** Organisation requests carry the misspelt key in the old pages. */
  readonly isRequest?: boolean;
  /** Whether `data` are the properties of an osd or a state. */
  readonly isProperties?: boolean;
}

/** What the wire looks like beside the dialect. */
export interface Spelling {
  /** Properties lie beside the envelope. */
  readonly flatProperties: boolean;
  /** Numbers of properties are texts. */
  readonly numbersAsText: boolean;
  readonly sortedKeys: boolean;
}

export const PLAIN: Spelling = { flatProperties: false, numbersAsText: false, sortedKeys: false };

export function compose(dialect: Dialect, timestampMs: number, message: Outgoing, spelling = PLAIN): string {
  const old = dialect === 'seed';
  const timestampKey = old && message.isRequest === true ? 'timestamp:' : 'timestamp';
  const isProperties = message.isProperties === true;
  const data = isProperties && spelling.numbersAsText ? textsOf(message.data) : message.data;
  const body = {
    tid: message.tid,
    bid: message.bid,
    [timestampKey]: old ? String(timestampMs) : timestampMs,
    ...(message.method === undefined ? {} : { method: message.method }),
    ...(message.gateway === undefined ? {} : { gateway: message.gateway }),
    ...(message.needReply === undefined ? {} : { need_reply: old ? message.needReply : message.needReply ? 1 : 0 }),
    ...(isProperties && spelling.flatProperties ? objectOf(data) : { data }),
  };
  return JSON.stringify(spelling.sortedKeys ? sorted(body) : body);
}

function textsOf(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(textsOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, textsOf(member)]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

export interface Incoming {
  readonly tid: string;
  readonly bid: string;
  /** Empty where the topic has none (`property/set`). */
  readonly method: string;
  readonly data: Json;
}

export type Json = Readonly<Record<string, unknown>>;

/** Docks ignore what is not JSON or has no `tid`. `{}`, `null`, `""` and an absent `data` all mean "no data". */
export function readIncoming(payload: Buffer): Incoming | undefined {
  let body: unknown;
  try {
    body = JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
  const { tid, bid, method, data } = objectOf(body);
  if (typeof tid !== 'string' || tid === '') return undefined;
  return { tid, bid: textOf(bid), method: textOf(method), data: objectOf(data) };
}

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Numbers come as numbers or as digits in a text; anything else is undefined. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  return undefined;
}
