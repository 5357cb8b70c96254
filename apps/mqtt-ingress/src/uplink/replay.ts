import {
  DEAD_LETTER_STREAM,
  type DeadLetter,
  NO_METHOD,
  OVERFLOW_STREAM,
  type Owner,
  type UplinkKind,
  deadLetter,
  deadLetterSubject,
  dockFact,
  isBulk,
  overflowSubjectsOf,
  overflowedSubject,
  uplinkSubjects,
} from '@aerie/bus-contract';
import { decodeMessage } from '@aerie/dji-protocol';
import { isStreamFull } from '@aerie/messaging';
import { type Logger, Metrics } from '@aerie/observability';
import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { KIND_OF_CHANNEL, ReceiveUplink, type Store } from './receive-uplink.js';

export interface ReplayChoice {
  /** `dead`: what could not be read or handled. `overflow`: what a full stream refused. */
  readonly from: 'dead' | 'overflow';
  /** Letters of this device only. */
  readonly sn?: string | undefined;
  /** These letters only, by their number in the stream. */
  readonly seqs?: readonly number[] | undefined;
  /** Letters with a higher number only. */
  readonly after: number;
  readonly limit: number;
  /** False: list only. */
  readonly send: boolean;
}

export interface ListedLetter {
  readonly seq: number;
  readonly sn: string;
  readonly receivedAt: string;
  readonly topic: string;
  readonly reason: string;
  readonly bytes: number;
  /** `sent`: stored again and taken from the list. `ready`: would be sent. `kept`: stays, `why` says so. */
  readonly replay: 'sent' | 'ready' | 'kept';
  readonly why?: string;
}

/** What a letter would be as an uplink again, or why it stays. */
type Judged = Sendable | { readonly why: string };
interface Sendable {
  readonly send: (store: Store, messageId: string) => Promise<void>;
}
type Letter = Omit<ListedLetter, 'seq' | 'replay' | 'why'> & { readonly judged: Judged };

const STREAMS: Readonly<Record<ReplayChoice['from'], string>> = {
  dead: DEAD_LETTER_STREAM.name,
  overflow: OVERFLOW_STREAM.name,
};

/**
 * Stores uplinks again that were set aside, after the fault was mended or the stream that was full has room.
 *
 * INVARIANTS: nothing is written to a dock. A letter is deleted only after JetStream has its message again, which has
 * the same id each time; a crash in between repeats a message, and handlers bear repeats. What could let a flight start
 * is never sent: readiness for a mission, and replies to commands.
 */
export class ReplayDeadLetters {
  constructor(
    private readonly manager: JetStreamManager,
    private readonly store: Store,
    private readonly logger: Logger,
  ) {}

  /** Letters in the order of their numbers, at most `limit`. */
  async *run(choice: ReplayChoice): AsyncGenerator<ListedLetter> {
    let found = 0;
    const stream = STREAMS[choice.from];
    for await (const message of this.messages(stream, choice)) {
      if (found++ >= choice.limit) return;
      const { judged, ...letter } = choice.from === 'dead' ? this.deadLetter(message) : overflowed(message);
      const listed = { seq: message.seq, ...letter };
      if ('why' in judged) yield { ...listed, replay: 'kept', why: judged.why };
      else if (!choice.send) yield { ...listed, replay: 'ready' };
      else if (await this.sent(judged, `replay-${stream}-${message.seq}`)) {
        await this.manager.streams.deleteMessage(stream, message.seq);
        yield { ...listed, replay: 'sent' };
      } else yield { ...listed, replay: 'kept', why: 'its stream is full: its service has to read first' };
    }
  }

  private async sent({ send }: Sendable, messageId: string): Promise<boolean> {
    try {
      await send(this.store, messageId);
      return true;
    } catch (error) {
      if (isStreamFull(error)) return false;
      throw error;
    }
  }

  private async *messages(stream: string, { from, sn, seqs, after }: ReplayChoice): AsyncGenerator<StoredMsg> {
    const next_by_subj = from === 'dead' ? deadLetterSubject(sn ?? '*') : overflowSubjectsOf(sn);
    const wanted = seqs && new Set(seqs);
    const last = seqs === undefined ? Infinity : Math.max(...seqs);
    let seq = Math.max(after + 1, seqs === undefined ? 1 : Math.min(...seqs));
    while (seq <= last) {
      // The server takes it since 2.9; the types name it for direct reads only.
      const query = { seq, next_by_subj } as { seq: number };
      const message = await this.manager.streams.getMessage(stream, query);
      if (message === null) return;
      seq = message.seq + 1;
      if (wanted === undefined || wanted.has(message.seq)) yield message;
    }
  }

  private deadLetter(message: StoredMsg): Letter {
    const letter = deadLetter.parse(message.json());
    const { topic, reason, payloadBytes: bytes } = letter;
    const receivedAt = new Date(letter.receivedAtMs).toISOString();
    const sn = message.subject.split('.').at(-1) ?? '';
    return { sn, receivedAt, topic, reason, bytes, judged: this.judge(letter) };
  }

  private judge(letter: DeadLetter): Judged {
    const payload = Buffer.from(letter.payloadBase64, 'base64');
    if (payload.length < letter.payloadBytes) return { why: 'only its first 64 KiB were kept' };
    const { topic } = letter;
    return topic.startsWith('dock.v1.') || isBulk(topic) ? ofService(topic, payload) : this.ofIngress(letter, payload);
  }

  /** The ingress could not read it, or no service knew what it belongs to. */
  private ofIngress({ topic, receivedAtMs }: DeadLetter, payload: Buffer): Judged {
    const message = decodeMessage({ topic, payload, receivedAtMs });
    if (!message.accepted) return { why: `it still cannot be read: ${message.reason}` };
    const why = whyNever(KIND_OF_CHANNEL[message.channel], message.method);
    if (why !== null) return { why };
    return {
      send: (store, messageId) => {
        const again: Store = (subject, body) => store(subject, body, messageId);
        // No answer, since the dock that waited for one has long given up; and no note on how it speaks now.
        const notes = { note: () => undefined };
        const receive = new ReceiveUplink(again, () => undefined, notes, this.logger, new Metrics('replay'));
        return receive.receive({ topic, payload, retain: false }, receivedAtMs);
      },
    };
  }
}

/** A service read it from this subject and failed at it again and again. */
function ofService(subject: string, payload: Buffer): Judged {
  const [, , , , kind, method] = subject.split('.');
  const why = whyNever(kind, method);
  if (why !== null) return { why };
  if (!isFact(payload)) return { why: 'it is no uplink of this release' };
  return {
    send: async (store, messageId) => {
      for (const today of subjectsToday(subject)) await store(today, payload.toString('utf8'), messageId);
    },
  };
}

/** An older release may have stored it where nobody reads it any more. */
function subjectsToday(subject: string): readonly string[] {
  const [, , owner, sn = '', kind, method] = subject.split('.');
  return uplinkSubjects(owner as Owner, sn, kind as UplinkKind, method === NO_METHOD ? null : (method ?? null));
}

/** A full stream refused it, and it is kept as it would have been stored there. */
function overflowed(message: StoredMsg): Letter {
  const subject = overflowedSubject(message.subject);
  const [, , owner = '', sn = ''] = subject.split('.');
  const payload = Buffer.from(message.data);
  const fact = dockFact.safeParse(jsonOf(payload));
  return {
    sn,
    receivedAt: (fact.success ? new Date(fact.data.receivedAtMs) : message.time).toISOString(),
    topic: fact.success ? fact.data.topic : subject,
    reason: `the stream of owner ${owner} was full`,
    bytes: payload.length,
    judged: ofService(subject, payload),
  };
}

function whyNever(kind: UplinkKind | (string & {}) | undefined, method: string | null | undefined): string | null {
  if (kind === 'replies') return 'the reply to a command is never sent again: its command has been decided without it';
  if (kind === 'requests' || kind === 'status') return 'the dock has asked again by itself';
  if (kind !== 'events' && kind !== 'state') return `there is no uplink of kind ${JSON.stringify(kind ?? '')}`;
  if (method === LETS_A_FLIGHT_START) return 'it could start a flight late: a dock that is still ready says so again';
  return null;
}

/** The dock says that the conditions of a mission are met; it is executed then. */
const LETS_A_FLIGHT_START = 'flighttask_ready';

const isFact = (payload: Buffer): boolean => dockFact.safeParse(jsonOf(payload)).success;

/** Undefined where it is none. */
function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
