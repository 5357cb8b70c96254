import type { ConsumerSpec } from '@aerie/bus-contract';
import type { Logger } from '@aerie/observability';
import type { NatsConnection } from './connection.js';
import { type ConsumeOptions, type ConsumerHandle, type Verdict, consume } from './consume.js';
import type { DeadLetters } from './dead-letters.js';

/** What all consumers of a program have in common. */
export interface ConsumersParts<Message> extends Pick<ConsumeOptions<Message>, 'read' | 'isHopeless' | 'isOutage'> {
  readonly connection: NatsConnection;
  readonly deadLetters: Pick<DeadLetters, 'keepDelivery'>;
  readonly logger: Logger;
}

type Batches<Message> = Pick<ConsumeOptions<Message>, 'maxBatch' | 'lanes' | 'handleBatch' | 'mayWaitMs'>;

interface Singles<Message> {
  /** Messages in work at once. */
  readonly maxInWork: number;
  readonly handle: (message: Message) => Promise<Verdict>;
}

/** How long a planned stop waits for what is in work. */
const STOP_WITHIN_MS = 10_000;

/**
 * The consumers of one program: they read alike, keep what they reject as dead letters, and stop together. Start them once
 * everything listens that their handlers need.
 */
export class Consumers<Message> {
  private readonly handles: ConsumerHandle[] = [];

  constructor(private readonly parts: ConsumersParts<Message>) {}

  /** Handles what arrived while a lane was busy in one transaction. */
  startBatches(spec: ConsumerSpec, { maxBatch, lanes, ...work }: Batches<Message>): void {
    // What is taken and not yet settled: a batch in work in each lane, and the one after it.
    this.start(spec, { ...work, maxBatch, lanes, maxInWork: 2 * lanes * maxBatch });
  }

  /** Handles each message by itself, beside the others: none waits for the verdict on another. */
  startSingles(spec: ConsumerSpec, { maxInWork, handle }: Singles<Message>): void {
    const handleBatch = async (messages: readonly Message[]) => messages.map(handle);
    this.start(spec, { maxInWork, maxBatch: maxInWork, lanes: 1, handleBatch });
  }

  async stop(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle.stop(STOP_WITHIN_MS)));
  }

  private start(spec: ConsumerSpec, work: Batches<Message> & { readonly maxInWork: number }): void {
    const { deadLetters, ...common } = this.parts;
    const keepRejected: ConsumeOptions<Message>['keepRejected'] = (delivery, reason) =>
      deadLetters.keepDelivery(delivery, reason);
    this.handles.push(consume({ ...common, ...work, spec, keepRejected }));
  }
}
