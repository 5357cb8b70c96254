import { CONSUMERS, type ConsumerSpec, RETIRED_CONSUMERS, subjectMatches } from '@aerie/bus-contract';
import { assertNever, errorChain } from '@aerie/kernel';
import {
  type Logger,
  TRACE_HEADER,
  type TraceContext,
  isTracing,
  placeOf,
  readTrace,
  runInTrace,
  traced,
} from '@aerie/observability';
import { type Consumer, type ConsumerMessages, type JsMsg, jetstream } from '@nats-io/jetstream';
import { CONSUMER_NOT_FOUND, isApiError } from './api-errors.js';
import type { NatsConnection } from './connection.js';
import { StreamsRefusedError, declareTopology } from './declare.js';
import { Lanes } from './lanes.js';
import { Refusals } from './refusals.js';
import { noteTrace } from './trace-headers.js';

/** What becomes of a message. `reject`: it will never succeed; the reason is kept and it is not delivered again. */
export type Verdict =
  | { readonly kind: 'ack' }
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'reject'; readonly reason: string };

export const ACK: Verdict = { kind: 'ack' };

export interface Delivery {
  readonly subject: string;
  readonly body: Uint8Array;
  /** 1 the first time. */
  readonly deliveryCount: number;
}

export interface ConsumerHandle {
  /** Takes nothing new, waits for what is in work, at most `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

export interface ConsumeOptions<Message> {
  readonly connection: NatsConnection;
  readonly spec: ConsumerSpec;
  /** Messages taken and not yet settled, at most, in this process. */
  readonly maxInWork: number;
  /** Messages in one call of `handleBatch`, at most. */
  readonly maxBatch: number;
  /** Batches in work at once. Messages of one dock share a lane, so no two batches wait for the same rows. */
  readonly lanes: number;
  readonly logger: Logger;
  /**
   * For how long a message may wait for others to share its batch, milliseconds; 0 without it. What may not wait, of any
   * dock in its lane, takes along what does.
   */
  readonly mayWaitMs?: (message: Message) => number;
  /** Reads one message. What it throws at is rejected: it will not be readable the next time either. */
  readonly read: (delivery: Delivery) => Message;
  /**
   * Handles messages in their order, all in one transaction. A verdict for each; one that is a promise is settled
   * later, while its lane goes on. When it throws, nothing of the batch has happened: it is called again with halves
   * of it, down to the one message at fault.
   */
  readonly handleBatch: (messages: readonly Message[]) => Promise<readonly (Verdict | Promise<Verdict>)[]>;
  /** Whether an error lies in the message itself, so that trying again would block others for ever. */
  readonly isHopeless?: (error: unknown) => boolean;
  /** Whether an error would meet any message: a server is away. Then the batch is not halved, and nothing is set aside. */
  readonly isOutage?: (error: unknown) => boolean;
  /** Keeps a rejected message with its reason; must be idempotent. */
  readonly keepRejected: (delivery: Delivery, reason: string) => Promise<void>;
}

const RESTART_DELAY_MS = 500;
/** A retired consumer that is gone seldom comes back. */
const RETIRED_LOOK_MS = 10_000;
/** One request for messages stands open for this long. */
const FETCH_MS = 10_000;
/** Two missed ones show that the server or the consumer is gone. */
const FETCH_HEARTBEAT_MS = 2_000;

/**
 * Pulls from a durable consumer for ever, in batches: whatever arrived while a lane was busy is its next batch, and a
 * single message waits for nobody, unless it may. A lost connection, a wiped stream or a stuck pull ends the inner loop; the outer one
 * declares what is missing and pulls again.
 *
 * A retired consumer is pulled from as long as it is there.
 *
 * INVARIANTS: a message is acknowledged only after its verdict, that is after the commit; at most `maxInWork` messages
 * are taken and not settled; all of them are kept from being delivered again, also those that only wait. A lost
 * acknowledgement is a repeat, which every handler bears.
 */
export function consume<Message>(options: ConsumeOptions<Message>): ConsumerHandle {
  const loop = new PullLoop(options);
  loop.start();
  return loop;
}

class PullLoop<Message> implements ConsumerHandle {
  private readonly held = new Set<JsMsg>();
  private readonly lanes: Lanes<Taken<Message>>;
  private readonly refusals = new Refusals();
  private finished: Promise<void> = Promise.resolve();
  private heartbeat: NodeJS.Timeout | undefined;
  private messages: ConsumerMessages | undefined;
  private stopping = false;
  private roomMade = (): void => undefined;
  private endRest = (): void => undefined;

  constructor(private readonly options: ConsumeOptions<Message>) {
    this.lanes = new Lanes(options.lanes, options.maxBatch, (batch) => this.handle(batch));
  }

  start(): void {
    this.heartbeat = setInterval(() => this.keepHeld(), this.options.spec.ackWaitMs / 3);
    this.finished = this.pullForEver().then(() => this.untilHeld(0));
    void this.askAgainAfterReconnects();
  }

  async stop(withinMs: number): Promise<void> {
    this.stopping = true;
    this.messages?.stop();
    this.lanes.hurry();
    this.roomMade();
    this.endRest();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, withinMs)));
    // Until the server has read that nobody listens here it hands out messages to us, which then wait for their
    // acknowledgement. Once more after the last: an acknowledgement that is not yet written is a repeat elsewhere.
    const flush = (): Promise<void> => this.options.connection.flush().catch(() => undefined);
    await Promise.race([Promise.all([flush(), this.finished.then(flush)]), late]);
    clearTimeout(timer);
    // What is still held goes to another replica.
    clearInterval(this.heartbeat);
  }

  private async pullForEver(): Promise<void> {
    const { connection, spec, logger } = this.options;
    while (!this.stopping && !connection.isClosed()) {
      try {
        // First, because a message of a wide consumer is skipped only where another consumer is known to have it.
        await this.declare();
        await this.pull(await jetstream(connection).consumers.get(spec.stream, spec.durable));
      } catch (error) {
        if (RETIRED_CONSUMERS.includes(spec) && isApiError(error, CONSUMER_NOT_FOUND)) {
          logger.info({ consumer: spec.durable }, 'a retired consumer is gone: it was read empty');
          await this.untilThereAgain();
        } else if (!this.stopping)
          logger.warn({ err: error, consumer: spec.durable }, 'pull failed, starting it again');
      }
      if (!this.stopping) await this.rest(RESTART_DELAY_MS);
    }
  }

  /** A stream of others that the server has no room for keeps nobody from reading this one. */
  private async declare(): Promise<void> {
    const { connection, spec, logger } = this.options;
    try {
      const leftAlone = await declareTopology(connection);
      if (leftAlone.length > 0) logger.warn({ streams: leftAlone }, 'a newer release declared these streams');
    } catch (error) {
      if (!(error instanceof StreamsRefusedError) || error.streams.includes(spec.stream)) throw error;
      logger.error({ err: error }, 'the server refused streams of others, reading this one all the same');
    }
  }

  /** Somebody took the narrowing back, or JetStream was wiped and knows nothing of it. */
  private async untilThereAgain(): Promise<void> {
    const { connection, spec } = this.options;
    while (!this.stopping && !connection.isClosed()) {
      await this.rest(RETIRED_LOOK_MS);
      const found = await jetstream(connection)
        .consumers.get(spec.stream, spec.durable)
        .catch(() => undefined);
      if (found !== undefined) return;
    }
  }

  private async rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A server that was restarted knows nothing of our request; without this it would be missed only by its heartbeats. */
  private async askAgainAfterReconnects(): Promise<void> {
    for await (const { type } of this.options.connection.status()) {
      if (this.stopping) return;
      if (type === 'reconnect') this.messages?.stop();
    }
  }

  private async pull(consumer: Consumer): Promise<void> {
    const { maxInWork } = this.options;
    while (!this.stopping) {
      // Half of it free: so a request brings more than a message or two.
      await this.untilHeld(Math.floor(maxInWork / 2));
      if (this.stopping) return;
      this.messages = await consumer.fetch({
        max_messages: maxInWork - this.held.size,
        expires: FETCH_MS,
        idle_heartbeat: FETCH_HEARTBEAT_MS,
      });
      // It was told to stop while it asked.
      if (this.stopping) this.messages.stop();
      for await (const message of this.messages) this.take(message);
    }
  }

  private keepHeld(): void {
    for (const message of this.held) message.working();
  }

  private async untilHeld(atMost: number): Promise<void> {
    while (this.held.size > atMost && !(this.stopping && atMost > 0)) {
      await new Promise<void>((resolve) => (this.roomMade = resolve));
    }
  }

  private take(message: JsMsg): void {
    this.held.add(message);
    if (isReadElsewhere(this.options.spec, message.subject)) {
      this.settled(message, () => message.ack());
      return;
    }
    try {
      const read = this.options.read(deliveryOf(message));
      const trace = isTracing() ? readTrace(message.headers?.get(TRACE_HEADER)) : undefined;
      noteTrace(read, trace);
      this.lanes.add(laneOf(message.subject), { message, read, trace }, this.options.mayWaitMs?.(read));
      // Waiting for company must never keep the next request for messages waiting.
      if (this.held.size > this.options.maxInWork / 2) this.lanes.hurry();
    } catch (error) {
      void this.settle(message, { kind: 'reject', reason: errorChain(error) });
    }
  }

  /** Never rejects. */
  private async handle(batch: readonly Taken<Message>[]): Promise<void> {
    const { spec, logger, isOutage } = this.options;
    try {
      const verdicts = await this.handleTraced(batch);
      batch.forEach(({ message }, index) => void this.settle(message, verdicts[index] ?? unanswered()));
    } catch (error) {
      const [only, ...others] = batch;
      if (only === undefined) return;
      if (others.length === 0 || isOutage?.(error) === true) {
        for (const { message } of batch) void this.failed(message, error);
        return;
      }
      logger.warn({ err: error, consumer: spec.durable, messages: batch.length }, 'a batch failed, halving it');
      const half = batch.length >> 1;
      await this.handle(batch.slice(0, half));
      await this.handle(batch.slice(half));
    }
  }

  private handleTraced(batch: readonly Taken<Message>[]): Promise<readonly (Verdict | Promise<Verdict>)[]> {
    const { spec, handleBatch } = this.options;
    const messages = batch.map(({ read }) => read);
    const traces = batch.flatMap(({ trace }) => trace ?? []);
    // Whatever woke this lane is no reason for what is done now.
    if (traces.length === 0) return runInTrace(undefined, () => handleBatch(messages));
    const name = `handle ${spec.durable}`;
    const attributes = {
      ...{ 'messaging.system': 'nats', 'messaging.destination.name': spec.durable },
      'messaging.batch.message_count': batch.length,
    };
    return traced({ name, kind: 'consumer', ...placeOf(traces), attributes }, () => handleBatch(messages));
  }

  /** Never rejects. */
  private async settle(message: JsMsg, verdict: Verdict | Promise<Verdict>): Promise<void> {
    try {
      await this.carryOut(message, await verdict);
    } catch (error) {
      await this.failed(message, error);
    }
  }

  private async carryOut(message: JsMsg, verdict: Verdict): Promise<void> {
    switch (verdict.kind) {
      case 'ack':
        this.refusals.succeeded(message.seq);
        this.settled(message, () => message.ack());
        return;
      case 'retry':
        this.settled(message, () => message.nak(verdict.afterMs));
        return;
      case 'reject':
        await this.reject(message, verdict.reason);
        return;
      default:
        assertNever(verdict);
    }
  }

  private async reject(message: JsMsg, reason: string): Promise<void> {
    this.options.logger.warn({ subject: message.subject, reason }, 'rejected a message');
    await this.options.keepRejected(deliveryOf(message), reason);
    this.refusals.forget(message.seq);
    this.settled(message, () => message.ack());
  }

  private async failed(message: JsMsg, error: unknown): Promise<void> {
    const { isHopeless, isOutage, logger } = this.options;
    const { deliveryCount } = message.info;
    try {
      if (isHopeless?.(error) === true) return await this.reject(message, errorChain(error));
      if (isOutage?.(error) !== true && this.refusals.failed(message.seq)) {
        return await this.reject(message, `it failed again and again while others succeeded: ${errorChain(error)}`);
      }
    } catch (failure) {
      logger.warn({ err: failure, subject: message.subject }, 'failed to keep a rejected message, trying again');
    }
    const afterMs = retryAfterMs(deliveryCount);
    logger.warn({ err: error, subject: message.subject, afterMs }, 'failed to handle a message, trying again');
    this.settled(message, () => message.nak(afterMs));
  }

  private settled(message: JsMsg, tell: () => void): void {
    this.held.delete(message);
    tell();
    this.roomMade();
  }
}

interface Taken<Message> {
  readonly message: JsMsg;
  readonly read: Message;
  readonly trace: TraceContext | undefined;
}

/** A handler that throws is tried again, more slowly each time. */
const RETRY_AFTER_THROW_MS = [200, 500, 1_000, 2_000];
const LONGEST_RETRY_MS = 5_000;
const retryAfterMs = (deliveryCount: number): number => RETRY_AFTER_THROW_MS[deliveryCount - 1] ?? LONGEST_RETRY_MS;

const unanswered = (): Promise<never> => Promise.reject(new Error('the handler gave no verdict for a message'));

const deliveryOf = (message: JsMsg): Delivery => ({
  subject: message.subject,
  body: message.data,
  deliveryCount: message.info.deliveryCount,
});

/** The serial number in `dock.v1.<owner>.<sn>.…` and `bulk.v1.…`; messages without one share a lane. */
const laneOf = (subject: string): string => subject.split('.')[3] ?? '';

/**
 * After an upgrade a consumer may still want subjects that this release reads through another consumer of the same
 * program, which was created while the message was stored, and so has it too. A retired one has its old filters in full.
 */
function isReadElsewhere(spec: ConsumerSpec, subject: string): boolean {
  const wants = ({ filterSubjects }: ConsumerSpec): boolean =>
    filterSubjects.some((filter) => subjectMatches(filter, subject));
  const others = (consumers: readonly ConsumerSpec[]): boolean =>
    consumers.some(
      (other) =>
        other.stream === spec.stream &&
        other.service === spec.service &&
        other.durable !== spec.durable &&
        wants(other),
    );
  return others(CONSUMERS)
    ? RETIRED_CONSUMERS.includes(spec) || !wants(spec)
    : !wants(spec) && others(RETIRED_CONSUMERS);
}
