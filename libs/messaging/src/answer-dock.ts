import { type DockFact, sendQuestion } from '@aerie/bus-contract';
import type { Logger } from '@aerie/observability';
import { type NatsConnection } from './connection.js';
import { ask } from './ask.js';

/** A dock repeats its question after two seconds; an older answer helps nobody. */
const ANSWER_LIFETIME_MS = 10_000;

const REPLY_CHANNEL = { events: 'events_reply', requests: 'requests_reply', status: 'status_reply' } as const;

/**
 * Answers a message of a dock: to the serial number of its topic, with its own tid, bid and method. Call it after the
 * commit. Best effort, and never rejects: a dock that did not get the answer asks again, and its repeat is answered again.
 */
export async function answerDock(
  connection: NatsConnection,
  logger: Logger,
  fact: DockFact,
  data: unknown,
): Promise<void> {
  const channel = REPLY_CHANNEL[fact.channel as keyof typeof REPLY_CHANNEL] as string | undefined;
  // Without a tid there is nothing that the dock could match an answer with.
  if (fact.tid === null || channel === undefined) return;
  const nowMs = Date.now();
  const answered = ask(connection, sendQuestion, {
    sn: fact.sn,
    channel: channel as (typeof REPLY_CHANNEL)[keyof typeof REPLY_CHANNEL],
    method: fact.method,
    tid: fact.tid,
    bid: fact.bid ?? fact.tid,
    data,
    sentAtMs: nowMs,
    notAfterMs: nowMs + ANSWER_LIFETIME_MS,
  });
  await answered.catch((error: unknown) =>
    logger.info({ err: error, sn: fact.sn, method: fact.method }, 'failed to answer a dock'),
  );
}
