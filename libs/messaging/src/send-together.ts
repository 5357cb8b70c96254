import { SEND_TOGETHER, type SendAnswer, type SendAsk, sendManyQuestion, sendQuestion } from '@aerie/bus-contract';
import { NoAnswerError, ask } from './ask.js';
import { AskMany } from './ask-many.js';
import type { NatsConnection } from './connection.js';

interface Waiting {
  readonly item: SendAsk;
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
      this.waiting.push({ item, resolve });
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
      );
      group.forEach(({ item, resolve }, index) => resolve(this.orAlone(item, answers[index])));
    }
  }

  /** An ingress of an earlier release takes commands one by one. */
  private async orAlone(item: SendAsk, asked: Promise<SendAnswer> | undefined): Promise<SendAnswer> {
    try {
      if (asked === undefined) throw new Error('each command has an answer');
      return await asked;
    } catch (error) {
      if (!(error instanceof NoAnswerError && error.noResponders)) throw error;
      return ask(this.connection, sendQuestion, item);
    }
  }
}
