import {
  NOT_CONNECTED,
  SEND_TOGETHER,
  type SendAnswer,
  type SendAsk,
  sendManyQuestion,
  sendQuestion,
} from '@aerie/bus-contract';
import { type TraceContext, currentTrace, runInTrace } from '@aerie/observability';
import { NoAnswerError, ask } from './ask.js';
import { AskMany } from './ask-many.js';
import type { NatsConnection } from './connection.js';

interface Waiting {
  readonly item: SendAsk;
  readonly trace: TraceContext | undefined;
  readonly resolve: (answer: SendAnswer | Promise<SendAnswer>) => void;
}

/** Gives commands to an ingress: those of one turn of the event loop in as few questions as the contract allows. */
export class SendTogether {
  private readonly askMany: AskMany;
  private waiting: Waiting[] = [];

  constructor(private readonly connection: NatsConnection) {
    this.askMany = new AskMany(connection);
  }

  /** Rejects with `NoAnswerError`: with `noResponders` nobody has seen the command, otherwise nobody knows. */
  send(item: SendAsk): Promise<SendAnswer> {
    return new Promise((resolve) => {
      this.waiting.push({ item, trace: currentTrace(), resolve });
      if (this.waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  private flush(): void {
    const all = this.waiting;
    this.waiting = [];
    for (let start = 0; start < all.length; start += SEND_TOGETHER) {
      const group = all.slice(start, start + SEND_TOGETHER);
      const answers = this.askMany.ask(
        sendManyQuestion,
        group.map(({ item }) => item),
        group.map(({ trace }) => trace),
      );
      group.forEach(({ item, trace, resolve }, index) =>
        resolve(runInTrace(trace, () => this.orAlone(item, answers[index]))),
      );
    }
  }

  /**
   * An ingress of an earlier release takes commands one by one. And in an upgrade only the newer ones take many, so a first
   * one without a connection would get all of them: what it has not written, any of them may write.
   */
  private async orAlone(item: SendAsk, asked: Promise<SendAnswer> | undefined): Promise<SendAnswer> {
    if (asked === undefined) throw new Error('each command has an answer');
    const answer = await orNull(asked);
    const isDecided = answer !== null && !(answer.outcome === 'refused' && answer.reason === NOT_CONNECTED);
    return isDecided ? answer : ask(this.connection, sendQuestion, item);
  }
}

/** Null: nobody has seen the command. */
async function orNull(asked: Promise<SendAnswer>): Promise<SendAnswer | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NoAnswerError && error.noResponders) return null;
    throw error;
  }
}
