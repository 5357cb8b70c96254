import { isJsonObject, type JsonObject } from './payload.js';
import { isPlaceholder, isReplyChannel, type Channel } from './topics.js';

/** What every message carries around its data. [Cloud API, topic definition, common fields] */
export interface Envelope {
  /** Transaction: one request and its reply, or one notification. Null when the sender gave none. */
  readonly tid: string | null;
  /** Business: the whole job that a message belongs to. */
  readonly bid: string | null;
  /** Time of sending by the sender's clock, or the time of receipt where that is missing or absurd. */
  readonly timestampMs: number | null;
  readonly method: string | null;
  /** Whether the sender asked for an answer. Requests and status are answered whatever this says. */
  readonly needReply: boolean;
  /** Who claims to speak. The topic is the authority (quirk E7). */
  readonly gateway: string | null;
  /** `{}` when the sender sent nothing (quirk E9). An array only on events (quirk E10). */
  readonly data: JsonObject | readonly unknown[];
  /** The properties of an `osd` or `state` lay beside the envelope, not under `data`. */
  readonly flat: boolean;
}

export type EnvelopeResult =
  | ({ readonly accepted: true } & Envelope)
  | ({ readonly accepted: false; readonly reason: string } & Partial<Omit<Envelope, 'data' | 'flat'>>);

export interface EnvelopeOptions {
  readonly channel: Channel;
  /** Time of receipt, milliseconds since the epoch. Without it the message's own time is reported as it is. */
  readonly receivedAtMs?: number;
}

const METHOD = /^[a-z0-9_]{1,64}$/;
const DIGITS = /^[0-9]{1,16}$/;
const MAX_ID_LENGTH = 128;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Channels on which a message without a method means nothing (quirk E4). Replies are resolved by their tid. */
const METHOD_REQUIRED: ReadonlySet<Channel> = new Set<Channel>([
  'services',
  'events',
  'requests',
  'status',
  'drc/up',
  'drc/down',
]);

/** Their data are properties and nothing else, so that a member of the body that is no envelope key is a property. */
const PROPERTY_CHANNELS: ReadonlySet<Channel> = new Set<Channel>(['osd', 'state']);

const ENVELOPE_KEYS: ReadonlySet<string> = new Set([
  'tid',
  'bid',
  'timestamp',
  'timestamp:',
  'method',
  'gateway',
  'need_reply',
  'data',
]);

export function readEnvelope(body: JsonObject, options: EnvelopeOptions): EnvelopeResult {
  const { channel } = options;
  const tid = readId(body['tid']);
  const bid = readId(body['bid']);
  const method = readMethod(body['method'], channel);
  const head = {
    timestampMs: readTimestamp(body, options.receivedAtMs),
    // Quirk E6: examples of replies carry need_reply; an answer to an answer would never end.
    needReply: !isReplyChannel(channel) && isYes(body['need_reply']),
    gateway: readGateway(body['gateway']),
  };
  if (!tid.ok || !bid.ok || !method.ok) {
    const reason = !method.ok ? method.reason : !tid.ok ? `tid: ${tid.reason}` : `bid: ${bid.ok ? '' : bid.reason}`;
    return {
      accepted: false,
      reason,
      ...head,
      ...(tid.ok ? { tid: tid.value } : {}),
      ...(bid.ok ? { bid: bid.value } : {}),
      ...(method.ok ? { method: method.value } : {}),
    };
  }
  const ids = { tid: tid.value, bid: bid.value, method: method.value };
  const data = readData(body, channel);
  if (data === null) return { accepted: false, reason: 'data: expected an object', ...head, ...ids };
  const beside = PROPERTY_CHANNELS.has(channel) && isEmpty(data) ? withoutEnvelope(body) : {};
  if (!isEmpty(beside)) return { accepted: true, ...ids, ...head, data: beside, flat: true };
  return { accepted: true, ...ids, ...head, data, flat: false };
}

const isEmpty = (data: Envelope['data']): boolean => Object.keys(data).length === 0;

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Quirk E8: printed ids are `"123"` and worse, so any text will do. */
function readId(value: unknown): Read<string | null> {
  if (value === undefined || value === null || value === '') return { ok: true, value: null };
  if (typeof value !== 'string') return { ok: false, reason: 'expected a string' };
  if (value.length > MAX_ID_LENGTH) {
    return { ok: false, reason: `expected at most ${String(MAX_ID_LENGTH)} characters` };
  }
  return { ok: true, value };
}

function readMethod(value: unknown, channel: Channel): Read<string | null> {
  if (value === undefined || value === null) {
    if (METHOD_REQUIRED.has(channel)) return { ok: false, reason: `method is missing on ${channel}` };
    return { ok: true, value: null };
  }
  if (typeof value !== 'string') return { ok: false, reason: 'method: expected a string' };
  if (!METHOD.test(value)) {
    // The method becomes one token of a subject: a dot or a star in it would address somebody else.
    const shown = JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
    return { ok: false, reason: `method ${shown} is not made of 1 to 64 of a-z, 0-9 and _` };
  }
  return { ok: true, value };
}

/** Quirks E1 (a colon inside the key), E2 (digits as text), E3 (missing or 0) and E21 (fourteen digits). */
function readTimestamp(body: JsonObject, receivedAtMs: number | undefined): number | null {
  const written = body['timestamp'] ?? body['timestamp:'];
  const stamp = typeof written === 'string' && DIGITS.test(written) ? Number(written) : written;
  const has13Digits = typeof stamp === 'number' && Number.isInteger(stamp) && stamp >= 1e12 && stamp < 1e13;
  if (receivedAtMs === undefined) return has13Digits ? stamp : null;
  return has13Digits && Math.abs(stamp - receivedAtMs) <= DAY_MS ? stamp : receivedAtMs;
}

/** Quirk E5: documents up to 1.3.2 and of 1.7 print a boolean, the others 0 and 1. */
const isYes = (value: unknown): boolean => value === 1 || value === true || value === '1' || value === 'true';

/** Quirk E7: an empty text and a printed placeholder say nothing. */
const readGateway = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && !isPlaceholder(value) ? value : null;

/** Null when the data are of a kind that no message has. */
function readData(body: JsonObject, channel: Channel): Envelope['data'] | null {
  const data = body['data'];
  if (data === undefined && isReplyChannel(channel) && 'result' in body) return withoutEnvelope(body);
  // Quirk E9: four spellings of "no data".
  if (data === undefined || data === null || data === '') return {};
  if (isJsonObject(data)) return data;
  // Quirk E10: the data of airsense_warning are a list; other events that are unknown to us may do the same.
  return channel === 'events' && Array.isArray(data) ? data : null;
}

/** What a body holds besides its envelope. Quirk E13: some replies are printed as a bare `{"result":0}`. */
function withoutEnvelope(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !ENVELOPE_KEYS.has(key)));
}
