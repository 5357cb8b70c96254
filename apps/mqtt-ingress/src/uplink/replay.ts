import {
  DEAD_LETTER_STREAM,
  type DeadLetter,
  type UplinkKind,
  deadLetter,
  deadLetterSubject,
  dockFact,
} from '@aerie/bus-contract';
import { decodeMessage } from '@aerie/dji-protocol';
import { type Logger, Metrics } from '@aerie/observability';
import type { JetStreamManager } from '@nats-io/jetstream';
import { KIND_OF_CHANNEL, ReceiveUplink, type Store } from './receive-uplink.js';

export interface ReplayChoice {
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
  /** `sent`: stored again and taken from the dead letters. `ready`: would be sent. `kept`: stays, `why` says so. */
  readonly replay: 'sent' | 'ready' | 'kept';
  readonly why?: string;
}

/** What a letter would be as an uplink again, or why it stays. */
type Judged = { readonly send: (store: Store, messageId: string) => Promise<void> } | { readonly why: string };

/**
 * Stores uplinks again that were set aside, after the fault was mended.
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
    for await (const { seq, sn, letter } of this.letters(choice)) {
      if (found++ >= choice.limit) return;
      const { topic, reason, payloadBytes: bytes } = letter;
      const listed = { seq, sn, receivedAt: new Date(letter.receivedAtMs).toISOString(), topic, reason, bytes };
      const judged = this.judge(letter);
      if ('why' in judged) yield { ...listed, replay: 'kept', why: judged.why };
      else if (choice.send) {
        await judged.send(this.store, `replay-${seq}`);
        await this.manager.streams.deleteMessage(DEAD_LETTER_STREAM.name, seq);
        yield { ...listed, replay: 'sent' };
      } else yield { ...listed, replay: 'ready' };
    }
  }

  private async *letters({ sn, seqs, after }: ReplayChoice): AsyncGenerator<FoundLetter> {
    const next_by_subj = deadLetterSubject(sn ?? '*');
    const wanted = seqs && new Set(seqs);
    const last = seqs === undefined ? Infinity : Math.max(...seqs);
    let seq = Math.max(after + 1, seqs === undefined ? 1 : Math.min(...seqs));
    while (seq <= last) {
      // The server takes it since 2.9; the types name it for direct reads only.
      const query = { seq, next_by_subj } as { seq: number };
      const message = await this.manager.streams.getMessage(DEAD_LETTER_STREAM.name, query);
      if (message === null) return;
      seq = message.seq + 1;
      if (wanted !== undefined && !wanted.has(message.seq)) continue;
      const letter = deadLetter.parse(message.json());
      yield { seq: message.seq, sn: message.subject.split('.').at(-1) ?? '', letter };
    }
  }

  private judge(letter: DeadLetter): Judged {
    const payload = Buffer.from(letter.payloadBase64, 'base64');
    if (payload.length < letter.payloadBytes) return { why: 'only its first 64 KiB were kept' };
    return letter.topic.startsWith('dock.v1.') ? ofService(letter.topic, payload) : this.ofIngress(letter, payload);
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
  return { send: (store, messageId) => store(subject, payload.toString('utf8'), messageId) };
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

function isFact(payload: Buffer): boolean {
  try {
    return dockFact.safeParse(JSON.parse(payload.toString('utf8'))).success;
  } catch {
    return false;
  }
}

interface FoundLetter {
  readonly seq: number;
  readonly sn: string;
  readonly letter: DeadLetter;
}
