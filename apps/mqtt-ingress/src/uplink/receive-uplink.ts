import { createHash, randomUUID } from 'node:crypto';
import {
  DOCK_STREAM,
  type DeadLetter,
  type DockFact,
  NO_SN,
  type UplinkKind,
  deadLetterSubject,
  traceOfCommand,
  traceOfMission,
  uplinkSubjects,
} from '@aerie/bus-contract';
import { type DecodedMessage, type RefusedMessage, decodeMessage, genericAnswer } from '@aerie/dji-protocol';
import type { NoteDocks } from '@aerie/messaging';
import { type Logger, type Metrics, type NewSpan, isTracing, joinTrace, traced } from '@aerie/observability';
import { isSerialNumber } from '@aerie/kernel';
import { LRUCache } from 'lru-cache';
import { type Refill, Share } from './share.js';

/** Keeps a message until its owner has it. Rejects when that is not certain. */
export type Store = (subject: string, body: string, messageId: string) => Promise<void>;

/** The same; `mayWait`: nobody waits for this message, it may be stored a moment later with others. */
export type StoreSoon = (subject: string, body: string, messageId: string, mayWait: boolean) => Promise<void>;

/** Answers a dock on behalf of nobody in particular; best effort, since a dock repeats what it wants to know. */
export type Answer = (message: AnswerTo, data: { readonly result: number }) => void;

export interface AnswerTo {
  readonly sn: string;
  readonly channel: 'events' | 'requests' | 'state' | 'status';
  readonly method: string | null;
  readonly tid: string;
  readonly bid: string;
}

export interface ReceivedPublish {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

/** Of what cannot be read, so much is kept; the contract says so. */
const KEPT_BYTES = 64 * 1024;

/** Of each dock so much is kept at first, and then so much a day: no dock drives out the letters of another. */
const LETTER_BYTES_A_DAY = 1024 * 1024;
const DAY_SECONDS = 24 * 3_600;
const LETTER_BYTES: Refill = { saved: LETTER_BYTES_A_DAY, perSecond: LETTER_BYTES_A_DAY / DAY_SECONDS };
const LETTER_MESSAGES: Refill = { saved: 1_000, perSecond: 1_000 / DAY_SECONDS };
/** Docks whose share is remembered; one that is forgotten begins with a full one. */
const MAX_LETTER_SHARES = 20_000;

/** The stream counts the headers too. */
const MAX_STORED_BYTES = DOCK_STREAM.maxMessageBytes - 1_024;
/** A text this long could exceed the stream's limit once it is UTF-8. */
const WORTH_MEASURING = DOCK_STREAM.maxMessageBytes / 4;

/**
 * A device repeats a property with the same tid for some 16 seconds, answered or not [seen on real docks]. What was stored
 * is not stored again for so long.
 */
const STATE_REMEMBERED_MS = 20_000;
/** One device tells some twenty properties; of one that is forgotten a repeat is stored again. */
const MAX_REMEMBERED_STATES = 20_000;

/** The kinds in which stored uplinks are sorted; a reply is a reply, whatever was asked. */
export const KIND_OF_CHANNEL: Readonly<Record<string, UplinkKind>> = {
  events: 'events',
  requests: 'requests',
  status: 'status',
  state: 'state',
  services_reply: 'replies',
  'property/set_reply': 'replies',
};

/**
 * Uplink control messages: decode, store, and only then let the PUBACK go. Content never makes it fail: what cannot be
 * read is stored as a dead letter with the reason. It fails only when the store fails.
 */
export class ReceiveUplink {
  private readonly received;
  private readonly deadLetters;
  private readonly keptCopies;
  private readonly otherGateway;
  private readonly flat;
  private readonly lettersLeftOut;
  private readonly stateRepeats;
  private readonly storeSeconds;
  /** By serial number and tid. */
  private readonly storedStates = new LRUCache<string, { readonly data: string; readonly atMs: number }>({
    max: MAX_REMEMBERED_STATES,
  });
  /** By serial number. */
  private readonly letterShares = new LRUCache<string, Share>({ max: MAX_LETTER_SHARES });

  constructor(
    private readonly store: StoreSoon,
    private readonly answer: Answer,
    private readonly notes: Pick<NoteDocks, 'note'>,
    private readonly logger: Logger,
    metrics: Metrics,
  ) {
    this.received = metrics.counter('ingress_uplinks_total', 'Control messages stored.', ['kind', 'owner']);
    this.deadLetters = metrics.counter(
      'ingress_dead_letters_total',
      'Messages that could not be read, by what was wrong: the topic, the channel, the payload, the data of a method, or the size.',
      ['fault'],
    );
    for (const fault of FAULTS) this.deadLetters.inc({ fault }, 0);
    this.lettersLeftOut = metrics.counter(
      'ingress_dead_letters_left_out_total',
      'Messages that could not be read and were not kept, since their dock had filled its share of the dead letters.',
    );
    this.keptCopies = metrics.counter(
      'ingress_kept_copies_total',
      'Kept copies of old messages that the broker sent and that were dropped.',
    );
    this.otherGateway = metrics.counter('ingress_other_gateway_total', 'Messages whose body names another gateway.');
    this.flat = metrics.counter('ingress_state_flat_total', 'State messages without `data`: properties beside it.');
    this.stateRepeats = metrics.counter(
      'ingress_state_repeats_total',
      'State messages that a device repeated and that were not stored again.',
    );
    this.storeSeconds = metrics.histogram('ingress_store_seconds', 'Time from PUBLISH to the word of JetStream.');
  }

  async receive({ topic, payload, retain }: ReceivedPublish, receivedAtMs: number): Promise<void> {
    if (retain) {
      // The broker takes the flag off live messages: this is a copy of an old one. A broker without MQTT 5 sends them.
      this.keptCopies.inc();
      this.logger.warn({ topic }, 'dropped a kept copy of an old message');
      return;
    }
    const message = decodeMessage({ topic, payload, receivedAtMs });
    if (!message.accepted) return this.keepDeadLetter(topic, payload, message, receivedAtMs);
    const kind = KIND_OF_CHANNEL[message.channel];
    if (kind === undefined) {
      const refused: RefusedMessage = { accepted: false, reason: `${message.channel} is no control channel` };
      return this.keepDeadLetter(topic, payload, refused, receivedAtMs, 'channel');
    }
    const said = kind === 'state' && message.tid !== null ? saidBy(message) : null;
    if (said !== null && this.wasStored(said, receivedAtMs)) {
      this.stateRepeats.inc();
      return this.answerGenerically(message);
    }
    const mayWait = kind === 'state' || isPlainReport(message);
    const keep = (): Promise<void> => this.keep(kind, topic, message, payload, receivedAtMs, mayWait);
    // What nobody waits for is not traced: it is nine tenths of what docks say, and moves nothing.
    await (mayWait || !isTracing() ? keep() : traced(spanOf(message), keep));
    if (said !== null) this.storedStates.set(said.key, { data: said.data, atMs: receivedAtMs });
  }

  private wasStored({ key, data }: Said, nowMs: number): boolean {
    const stored = this.storedStates.get(key);
    return stored?.data === data && nowMs - stored.atMs < STATE_REMEMBERED_MS;
  }

  private async keep(
    kind: UplinkKind,
    topic: string,
    message: DecodedMessage,
    payload: Uint8Array,
    receivedAtMs: number,
    mayWait: boolean,
  ): Promise<void> {
    const { sn, channel, method, tid, bid, timestampMs, needReply, gateway, data, owner } = message;
    const fact: DockFact = {
      v: 1,
      sn,
      topic,
      channel,
      method,
      tid,
      bid,
      timestampMs,
      receivedAtMs,
      needReply,
      gateway,
      data: method === 'update_topo' ? withoutSecrets(data) : data,
      raw: mayHoldSecrets(method)
        ? JSON.stringify(message.raw, hideSecrets)
        : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'),
    };
    const body = JSON.stringify(fact);
    if (body.length > WORTH_MEASURING && Buffer.byteLength(body) > MAX_STORED_BYTES) {
      // It would be refused for ever, and everything behind it would wait.
      const reason = `with its normalised form it has more than ${MAX_STORED_BYTES} bytes`;
      return this.keepDeadLetter(topic, payload, { ...message, accepted: false, reason }, receivedAtMs, 'size');
    }
    const stop = this.storeSeconds.startTimer();
    // A fresh id for each PUBLISH: a dock's repeat has to be stored, and answered, again.
    for (const subject of uplinkSubjects(owner, sn, kind, method)) {
      await this.store(subject, body, randomUUID(), mayWait);
    }
    stop();
    this.received.inc({ kind, owner });
    if (message.gatewayDiffers) this.otherGateway.inc();
    if (message.flat) {
      this.flat.inc();
      this.notes.note(sn, 'flat_properties', receivedAtMs);
    }
    this.answerGenerically(message);
  }

  private async keepDeadLetter(
    topic: string,
    payload: Uint8Array,
    refused: RefusedMessage,
    receivedAtMs: number,
    fault: Fault = faultOf(refused),
  ): Promise<void> {
    const { reason, sn } = refused;
    const letter: DeadLetter = {
      v: 1,
      topic,
      reason,
      receivedAtMs,
      payloadBase64: Buffer.from(payload.subarray(0, KEPT_BYTES)).toString('base64'),
      payloadBytes: payload.byteLength,
    };
    const token = sn !== undefined && isSerialNumber(sn) ? sn : NO_SN;
    const body = JSON.stringify(letter);
    if (!this.shareOf(token, receivedAtMs).take(body.length, receivedAtMs)) {
      this.lettersLeftOut.inc();
      this.notes.note(token, 'over_budget', receivedAtMs, 'dead letters');
      return this.answerRefused(refused);
    }
    await this.store(deadLetterSubject(token), body, randomUUID(), false);
    this.deadLetters.inc({ fault });
    this.logger.warn({ topic, reason }, 'stored a dead letter');
    this.answerRefused(refused);
  }

  private shareOf(token: string, nowMs: number): Share {
    const known = this.letterShares.get(token);
    if (known !== undefined) return known;
    const share = new Share(LETTER_MESSAGES, LETTER_BYTES, nowMs);
    this.letterShares.set(token, share);
    return share;
  }

  private answerGenerically(message: DecodedMessage): void {
    const { channel, method, needReply } = message;
    if (message.tid === null) return;
    const to = { sn: message.sn, method, tid: message.tid, bid: message.bid ?? message.tid };
    // [seen on real docks] A `state_reply` is not required, and does not end the repeats either.
    if (channel === 'state' && needReply) return this.answer({ ...to, channel }, { result: 0 });
    const answer = genericAnswer(channel, method);
    if (answer === null) return;
    if (channel === 'requests' || (channel === 'events' && needReply)) this.answer({ ...to, channel }, answer);
  }

  /** A dock would repeat for ever what we will never be able to read. It is kept, so it may be acknowledged. */
  private answerRefused({ sn, channel, method, tid, bid, needReply }: RefusedMessage): void {
    if (sn === undefined || typeof tid !== 'string' || method === null || method === undefined) return;
    const to = { sn, method, tid, bid: bid ?? tid };
    if (channel === 'events' && needReply === true) this.answer({ ...to, channel }, { result: 0 });
    if (channel === 'requests') this.answer({ ...to, channel }, { result: UNREADABLE_REQUEST_RESULT });
  }
}

/**
 * A reply belongs to the command with its tid, and what else a dock says of a mission to that mission, by the ids that it was given;
 * all other messages have traces of their own.
 */
function spanOf({ sn, channel, method, tid, bid, owner }: DecodedMessage): NewSpan {
  const isReply = channel === 'services_reply';
  const place = owner !== 'mission' ? null : isReply ? traceOfCommand(bid, tid) : traceOfMission(bid);
  return {
    ...{ name: `${isReply ? 'reply' : 'uplink'} ${method ?? channel}`, kind: 'consumer' },
    ...(place === null ? { parent: null, begins: true } : { parent: joinTrace(place) ?? null }),
    attributes: {
      ...{ 'messaging.system': 'mqtt', 'aerie.dock.sn': sn, 'aerie.dock.channel': channel },
      ...{ 'aerie.dock.method': method, 'aerie.tid': tid },
    },
  };
}

const FAULTS = ['topic', 'channel', 'payload', 'data', 'size'] as const;
type Fault = (typeof FAULTS)[number];

/** How far it could be read: the topic says the device, the payload the method. */
function faultOf({ sn, method }: RefusedMessage): Fault {
  if (sn === undefined) return 'topic';
  return method === undefined ? 'payload' : 'data';
}

/** A report that a flight goes on: nothing waits for it, and a dock sends one each two seconds. [flighttask_progress] */
function isPlainReport({ method, data }: DecodedMessage): boolean {
  if (method !== 'flighttask_progress') return false;
  const told = data as { readonly output?: { readonly status?: unknown } | null } | null;
  return told?.output?.status === 'in_progress';
}

interface Said {
  readonly key: string;
  readonly data: string;
}

/** A message without what differs between repeats: its time. Only a message of the same tid can be a repeat. */
const saidBy = ({ sn, tid, gateway, data }: DecodedMessage): Said => ({
  key: `${sn} ${tid}`,
  data: createHash('sha256')
    .update(JSON.stringify([gateway, data]))
    .digest('base64'),
});

/** What devices prove themselves with. Nobody here needs it but for the binding code, which works once. */
const SECRETS: ReadonlySet<string> = new Set(['device_secret', 'nonce', 'device_binding_code']);

const mayHoldSecrets = (method: string | null): boolean =>
  method === 'update_topo' || (method?.startsWith('airport_organization') ?? false);

const hideSecrets = (key: string, value: unknown): unknown => (SECRETS.has(key) ? '[secret]' : value);

const withoutSecrets = (data: unknown): unknown => JSON.parse(JSON.stringify(data, hideSecrets));

/** Any non-zero number: the dock learns that its question was not understood. [Cloud API, result codes: 325001] */
const UNREADABLE_REQUEST_RESULT = 325_001;
