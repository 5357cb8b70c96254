import { readEnvelope, type Envelope } from './envelope.js';
import { findMethod, ownerOf, type Owner } from './methods.js';
import { isJsonObject, readPayload, type JsonObject } from './payload.js';
import { readProperties } from './properties.js';
import { reasonOf } from './problems.js';
import {
  isPlaceholder,
  isReplyChannel,
  parseTopic,
  type Channel,
  type Direction,
  type TopicOptions,
} from './topics.js';

export interface WireMessage extends TopicOptions {
  readonly topic: string;
  /** Bytes as received, a text, or an object that was parsed before; all are checked alike. */
  readonly payload: Uint8Array | string | object;
  /** Time of receipt, milliseconds since the epoch; replaces a timestamp that is missing or absurd. */
  readonly receivedAtMs?: number;
}

export interface DecodedMessage<Data = Envelope['data']> extends Omit<Envelope, 'data'> {
  readonly accepted: true;
  readonly channel: Channel;
  readonly direction: Direction;
  /** The serial number of the topic: the authority on who speaks. */
  readonly sn: string;
  /** In the newest documented form where the method is known, as sent where it is not. */
  readonly data: Data;
  /** The whole message as it came, to be kept beside what was made of it. */
  readonly raw: JsonObject;
  readonly owner: Owner;
  /** Whether `methods.ts` knows the method, so that `data` was checked. */
  readonly known: boolean;
  /** The body names another gateway than the topic (quirk E7). Ordinary for an aircraft, counted for a dock. */
  readonly gatewayDiffers: boolean;
}

/** Says what could be read before the message was refused, so that a sender who waits can still be answered. */
export interface RefusedMessage {
  readonly accepted: false;
  readonly reason: string;
  readonly channel?: Channel;
  readonly sn?: string;
  readonly method?: string | null;
  readonly tid?: string | null;
  readonly bid?: string | null;
  readonly needReply?: boolean;
}

/** Reads any message of the protocol, in both directions. Never throws, whatever it is given. */
export function decodeMessage(message: WireMessage): DecodedMessage | RefusedMessage {
  const topic = parseTopic(message.topic, message);
  if (!topic.accepted) return topic;
  const { sn, channel, direction } = topic;

  const payload = readPayload(message.payload);
  if (!payload.accepted) return { ...payload, channel, sn };

  const { receivedAtMs } = message;
  const envelope = readEnvelope(payload.body, receivedAtMs === undefined ? { channel } : { channel, receivedAtMs });
  if (!envelope.accepted) {
    const { reason, method, tid, bid, needReply } = envelope;
    return refusal(reason, { channel, sn, method, tid, bid, needReply });
  }

  const { tid, bid, timestampMs, method, needReply, gateway, flat } = envelope;
  const data = readData(channel, method, envelope.data);
  if (!data.accepted) return refusal(data.reason, { channel, sn, method, tid, bid, needReply });
  return {
    accepted: true,
    channel,
    direction,
    sn,
    method,
    tid,
    bid,
    timestampMs,
    needReply,
    gateway,
    data: data.data,
    flat,
    raw: payload.body,
    owner: ownerOf(channel, method),
    known: data.known,
    gatewayDiffers: gateway !== null && gateway !== sn && !isPlaceholder(sn),
  };
}

type DataResult =
  | { readonly accepted: true; readonly data: Envelope['data']; readonly known: boolean }
  | { readonly accepted: false; readonly reason: string };

function readData(channel: Channel, method: string | null, data: Envelope['data']): DataResult {
  if ((channel === 'osd' || channel === 'state') && method === null && isJsonObject(data)) {
    return { accepted: true, data: readProperties(data), known: false };
  }
  const entry = findMethod(channel, method);
  // Quirk E17: what nobody documents is kept as it is, and answered if it asks.
  if (entry === null) return { accepted: true, data, known: false };
  const schema = isReplyChannel(channel) ? entry.decodeReply : entry.decodeRequest;
  const result = schema.safeParse(data);
  if (!result.success) return { accepted: false, reason: reasonOf('data', result.error) };
  return { accepted: true, data: result.data as Envelope['data'], known: true };
}

type Readable = {
  readonly [Member in keyof Omit<RefusedMessage, 'accepted' | 'reason'>]: RefusedMessage[Member] | undefined;
};

function refusal(reason: string, readable: Readable): RefusedMessage {
  const present = Object.entries(readable).filter(([, value]) => value !== undefined);
  return { accepted: false, reason, ...Object.fromEntries(present) };
}
