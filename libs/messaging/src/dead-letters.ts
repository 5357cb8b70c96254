import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type DeadLetter, type DockFact, deadLetterSubject } from '@aerie/bus-contract';
import type { Metrics } from '@aerie/observability';
import type { Delivery } from './consume.js';
import type { JetStreamPublisher } from './publish.js';

/** As the contract of dead letters says. */
const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Subjects of which one letter is enough: a flight is reported each two seconds. Forgotten ones get another. */
const MAX_SUBJECTS = 10_000;
const SUBJECT_KEPT_MS = 24 * 3_600_000;

const CAUSES = ['cannot_be_handled', 'belongs_to_nothing'] as const;

/** Keeps what a service cannot use, with the reason, beside what the ingress could not read. Safe to repeat. */
export class DeadLetters {
  private readonly kept = new LRUCache<string, true>({ max: MAX_SUBJECTS, ttl: SUBJECT_KEPT_MS });
  private readonly setAside;

  constructor(
    private readonly publisher: Pick<JetStreamPublisher, 'store'>,
    metrics: Pick<Metrics, 'counter'>,
  ) {
    this.setAside = metrics.counter(
      'messages_set_aside_total',
      'Messages kept as dead letters: those that cannot be handled, and those that belong to nothing.',
      ['cause'],
    );
    // From the start on: the first of a kind is no rise of a number that nobody has seen before.
    for (const cause of CAUSES) this.setAside.inc({ cause }, 0);
  }

  /** A delivery that will never succeed. */
  keepDelivery({ subject, body }: Delivery, reason: string): Promise<void> {
    // `dock.v1.<owner>.<sn>.…` or `bulk.v1.…`
    return this.store('cannot_be_handled', subject.split('.')[3] ?? '_none', subject, body, reason, Date.now());
  }

  /** A message of a dock that belongs to nothing. */
  keepFact(fact: DockFact, reason: string): Promise<void> {
    return this.store('belongs_to_nothing', fact.sn, fact.topic, Buffer.from(fact.raw), reason, fact.receivedAtMs);
  }

  /**
   * The first message about a thing that is not ours, such as a flight that somebody else planned; those that follow
   * add nothing. Whether this one was kept.
   */
  async keepFirst(fact: DockFact, about: string, reason: string): Promise<boolean> {
    const key = `${fact.sn} ${fact.method ?? ''} ${about}`;
    if (this.kept.has(key)) return false;
    // The id makes the first messages that two replicas have one letter.
    const { sn, topic, receivedAtMs } = fact;
    await this.store('belongs_to_nothing', sn, topic, Buffer.from(fact.raw), reason, receivedAtMs, key);
    this.kept.set(key, true);
    return true;
  }

  private async store(
    cause: (typeof CAUSES)[number],
    sn: string,
    topic: string,
    body: Uint8Array,
    reason: string,
    receivedAtMs: number,
    about?: string,
  ): Promise<void> {
    const letter: DeadLetter = {
      v: 1,
      topic,
      reason,
      receivedAtMs,
      payloadBase64: Buffer.from(body.subarray(0, MAX_PAYLOAD_BYTES)).toString('base64'),
      payloadBytes: body.byteLength,
    };
    const id = createHash('sha256')
      .update(topic)
      .update('\0')
      .update(about ?? body)
      .digest('base64url');
    await this.publisher.store(deadLetterSubject(sn), JSON.stringify(letter), `dead-${id}`);
    this.setAside.inc({ cause });
  }
}
