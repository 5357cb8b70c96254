import type { ConsumerSpec } from '@aerie/bus-contract';
import { assertNever, errorChain } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type ConsumerMessages, type JsMsg, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from './connection.js';
import { declareTopology } from './declare.js';

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

export interface ConsumeOptions {
  readonly connection: NatsConnection;
  readonly spec: ConsumerSpec;
  /** Messages in work at once in this process. */
  readonly concurrency: number;
  readonly logger: Logger;
  readonly handle: (delivery: Delivery) => Promise<Verdict>;
  /**
   * Whether an error that `handle` threw lies in the message itself, so that trying again would block others for ever.
   * An outage is no such error, however long it lasts.
   */
  readonly isHopeless?: (error: unknown) => boolean;
  /** Keeps a rejected message with its reason; must be idempotent. */
  readonly keepRejected: (delivery: Delivery, reason: string) => Promise<void>;
}

const RESTART_DELAY_MS = 500;
/** A handler that throws is tried again, more slowly each time. */
const RETRY_AFTER_THROW_MS = [200, 500, 1_000, 2_000, 5_000];

/**
 * Pulls from a durable consumer for ever. A lost connection, a wiped stream or a stuck pull ends the inner loop; the
 * outer one declares what is missing and pulls again.
 *
 * INVARIANTS: a message is acknowledged only after `handle` returned `ack`, that is after the commit; the
 * acknowledgement itself is confirmed by the server; at most `concurrency` messages are in work.
 */
export function consume(options: ConsumeOptions): ConsumerHandle {
  const { connection, spec, logger } = options;
  const inWork = new Set<Promise<void>>();
  let stopping = false;
  let messages: ConsumerMessages | undefined;

  const pull = async (): Promise<void> => {
    const consumer = await jetstream(connection).consumers.get(spec.stream, spec.durable);
    messages = await consumer.consume({
      max_messages: options.concurrency,
      expires: 10_000,
      idle_heartbeat: 2_000,
      abort_on_missing_resource: true,
    });
    for await (const message of messages) {
      const work: Promise<void> = handleOne(options, message).finally(() => inWork.delete(work));
      inWork.add(work);
      while (inWork.size >= options.concurrency) await Promise.race(inWork);
    }
  };

  const loop = async (): Promise<void> => {
    while (!stopping && !connection.isClosed()) {
      try {
        await pull();
        if (!stopping) logger.warn({ consumer: spec.durable }, 'pull ended, starting it again');
      } catch (error) {
        if (!stopping) logger.warn({ err: error, consumer: spec.durable }, 'pull failed, starting it again');
      }
      if (stopping) return;
      await delay(RESTART_DELAY_MS);
      await declareTopology(connection).catch((error: unknown) =>
        logger.warn({ err: error, consumer: spec.durable }, 'failed to declare streams'),
      );
    }
  };
  const finished = loop();

  return {
    async stop(withinMs) {
      stopping = true;
      messages?.stop();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, withinMs)));
      await Promise.race([Promise.all([finished, ...inWork]), late]);
      clearTimeout(timer);
    },
  };
}

async function handleOne(options: ConsumeOptions, message: JsMsg): Promise<void> {
  const { spec, logger } = options;
  const delivery: Delivery = {
    subject: message.subject,
    body: message.data,
    deliveryCount: message.info.deliveryCount,
  };
  const heartbeat = setInterval(() => message.working(), spec.ackWaitMs / 2);
  try {
    const verdict = await handled(options, delivery);
    switch (verdict.kind) {
      case 'ack':
        await message.ackAck();
        return;
      case 'retry':
        message.nak(verdict.afterMs);
        return;
      case 'reject':
        logger.warn({ subject: delivery.subject, reason: verdict.reason }, 'rejected a message');
        await options.keepRejected(delivery, verdict.reason);
        await message.ackAck();
        return;
      default:
        assertNever(verdict);
    }
  } catch (error) {
    const afterMs = RETRY_AFTER_THROW_MS[Math.min(delivery.deliveryCount, RETRY_AFTER_THROW_MS.length) - 1] ?? 5_000;
    logger.warn({ err: error, subject: delivery.subject, afterMs }, 'failed to handle a message, trying again');
    message.nak(afterMs);
  } finally {
    clearInterval(heartbeat);
  }
}

async function handled({ handle, isHopeless }: ConsumeOptions, delivery: Delivery): Promise<Verdict> {
  try {
    return await handle(delivery);
  } catch (error) {
    // What cannot be parsed, or has not the shape of a fact, will not have it the next time either.
    const isUnreadable = error instanceof SyntaxError || error instanceof TypeError;
    if (!isUnreadable && isHopeless?.(error) !== true) throw error;
    return { kind: 'reject', reason: errorChain(error) };
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
