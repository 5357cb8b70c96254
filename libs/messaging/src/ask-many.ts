import type { Question } from '@aerie/bus-contract';
import type { TraceContext } from '@aerie/observability';
import type { Msg } from '@nats-io/transport-node';
import { NoAnswerError, answerIn } from './ask.js';
import { type NatsConnection, forbiddenIn, newInbox } from './connection.js';
import { tracesHeaders } from './trace-headers.js';

/** A question with many items, whose answers come back one by one. */
export type ManyQuestion<Item, Answer> = Question<
  { readonly items: Item[] },
  { readonly index: number; readonly answer: Answer }
>;

interface Asked {
  readonly subject: string;
  readonly take: (message: Msg) => void;
  readonly fail: (error: NoAnswerError) => void;
}

/** The server's word that nobody listens. */
const NO_RESPONDERS = 503;

/**
 * Asks many things in one message, over one subscription for all answers: a request by itself costs its asker as much as the
 * rest of a command. Each answer settles its own promise, so a service that is cut off in between leaves only those without an
 * answer that it had not reached.
 */
export class AskMany {
  private readonly inbox: string;
  private readonly asked = new Map<string, Asked>();
  private subscribed = false;
  private sequence = 0;

  constructor(private readonly connection: NatsConnection) {
    this.inbox = newInbox(connection);
    void this.failForbidden();
  }

  /**
   * A promise for each item, in their order; each rejects with `NoAnswerError` where no answer came.
   *
   * @param traces the spans of the items, in their order
   */
  ask<Item, Answer>(
    question: ManyQuestion<Item, Answer>,
    items: readonly Item[],
    traces: readonly (TraceContext | undefined)[] = [],
  ): Promise<Answer>[] {
    const { subject, timeoutMs } = question;
    const token = String(++this.sequence);
    const open = new Map<number, PromiseWithResolve<Answer>>(items.map((_, index) => [index, aPromise<Answer>()]));
    const promises = [...open.values()].map(({ promise }) => promise);
    const settled = (index: number): void => {
      open.delete(index);
      if (open.size > 0) return;
      clearTimeout(timer);
      this.asked.delete(token);
    };
    const fail = (error: NoAnswerError): void => {
      for (const [index, { reject }] of [...open]) {
        reject(error);
        settled(index);
      }
    };
    const timer = setTimeout(() => fail(new NoAnswerError(false, subject, new Error('timeout'))), timeoutMs);
    const take = (message: Msg): void => {
      const told = answerIn(question, message);
      // The end of the answers: what has none gets none.
      if (told === null) return fail(new NoAnswerError(false, subject, new Error('the answers have ended')));
      open.get(told.index)?.resolve(told.answer);
      settled(told.index);
    };
    this.asked.set(token, { subject, take, fail });
    try {
      this.subscribe();
      const reply = `${this.inbox}.${token}`;
      const packet = JSON.stringify({ pattern: subject, data: { items }, id: token });
      this.connection.publish(subject, packet, { reply, ...tracesHeaders(traces) });
    } catch (error) {
      // Not connected and no room to wait for it, or closed: nothing has left.
      fail(new NoAnswerError(true, subject, error));
    }
    return promises;
  }

  /** What our user may not ask has no answer, and waiting for one would tell nothing more. */
  private async failForbidden(): Promise<void> {
    for await (const status of this.connection.status()) {
      const forbidden = status.type === 'error' ? forbiddenIn(status.error) : undefined;
      if (forbidden?.operation !== 'publish') continue;
      for (const { subject, fail } of [...this.asked.values()]) {
        if (subject === forbidden.subject) fail(new NoAnswerError(false, subject, forbidden));
      }
    }
  }

  private refused(error: Error): void {
    this.subscribed = false;
    for (const { subject, fail } of [...this.asked.values()]) fail(new NoAnswerError(false, subject, error));
  }

  private subscribe(): void {
    if (this.subscribed) return;
    this.subscribed = true;
    this.connection.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        // The subscription has ended, for want of a permission. There is no message, and to throw would end the connection.
        if (error !== null) return this.refused(error);
        const asked = this.asked.get(message.subject.slice(this.inbox.length + 1));
        if (asked === undefined) return;
        try {
          if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS) {
            asked.fail(new NoAnswerError(true, asked.subject, new Error('no responders')));
          } else asked.take(message);
        } catch (failure) {
          asked.fail(failure instanceof NoAnswerError ? failure : new NoAnswerError(false, asked.subject, failure));
        }
      },
    });
  }
}

interface PromiseWithResolve<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

function aPromise<Value>(): PromiseWithResolve<Value> {
  let settle: Pick<PromiseWithResolve<Value>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<Value>((resolve, reject) => (settle = { resolve, reject }));
  // Whoever asked may have stopped to wait.
  promise.catch(() => undefined);
  if (settle === undefined) throw new Error('a promise calls its executor at once');
  return { promise, ...settle };
}
