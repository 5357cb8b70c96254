import { createHash } from 'node:crypto';
import { type DeadLetter, type DockFact, deadLetterSubject } from '@aerie/bus-contract';
import type { Metrics } from '@aerie/observability';
import type { Delivery } from './consume.js';
import type { JetStreamPublisher } from './publish.js';

/** As the contract of dead letters says. */
const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Keeps what a service cannot use, with the reason, beside what the ingress could not read. Safe to repeat. */
export class DeadLetters {
  private readonly setAside;

  constructor(
    private readonly publisher: JetStreamPublisher,
    metrics: Metrics,
  ) {
    this.setAside = metrics.counter(
      'messages_set_aside_total',
      'Messages kept as dead letters: those that cannot be handled, and those that belong to nothing.',
      ['cause'],
    );
  }

  /** A delivery that will never succeed. */
  keepDelivery({ subject, body }: Delivery, reason: string): Promise<void> {
    // `dock.v1.<owner>.<sn>.…`
    return this.store('cannot_be_handled', subject.split('.')[3] ?? '_none', subject, body, reason, Date.now());
  }

  /** A message of a dock that belongs to nothing. */
  keepFact(fact: DockFact, reason: string): Promise<void> {
    return this.store('belongs_to_nothing', fact.sn, fact.topic, Buffer.from(fact.raw), reason, fact.receivedAtMs);
  }

  private async store(
    cause: 'cannot_be_handled' | 'belongs_to_nothing',
    sn: string,
    topic: string,
    body: Uint8Array,
    reason: string,
    receivedAtMs: number,
  ): Promise<void> {
    const letter: DeadLetter = {
      v: 1,
      topic,
      reason,
      receivedAtMs,
      payloadBase64: Buffer.from(body.subarray(0, MAX_PAYLOAD_BYTES)).toString('base64'),
      payloadBytes: body.byteLength,
    };
    const id = createHash('sha256').update(topic).update('\0').update(body).digest('base64url');
    await this.publisher.store(deadLetterSubject(sn), JSON.stringify(letter), `dead-${id}`);
    this.setAside.inc({ cause });
  }
}
