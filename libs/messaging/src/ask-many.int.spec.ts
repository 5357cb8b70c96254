import { NOT_CONNECTED, type SendAnswer, type SendAsk, sendManyQuestion, sendQuestion } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import { z } from 'zod';
import { AskMany, type ManyQuestion } from './ask-many.js';
import { type NatsConnection, connectNats } from './connection.js';
import { SendTogether } from './send-together.js';
import { answer } from './testing/answer.js';

let nats: PrivateServer;
let asking: NatsConnection;
let answering: NatsConnection;
let names = 0;

beforeAll(async () => {
  nats = await startPrivateNats();
  asking = await connectNats(nats.url, 'asking', createLogger('test', 'silent'));
  answering = await connectNats(nats.url, 'answering', createLogger('test', 'silent'));
}, 30_000);

afterAll(async () => {
  await Promise.all([asking?.close(), answering?.close()]);
  await nats?.remove();
});

type Doubled = ManyQuestion<number, number>;

const aQuestion = (): Doubled => ({
  subject: `ask.test.many${++names}`,
  timeoutMs: 400,
  ask: z.object({ items: z.array(z.number()) }),
  answer: z.object({ index: z.number(), answer: z.number() }),
});

/** Answers as Nest does: a packet for each value of an observable, and one for its end. */
async function answerWith(
  { subject }: Doubled,
  reply: (items: readonly number[], say: (packet: unknown) => void) => void,
): Promise<void> {
  answering.subscribe(subject, {
    callback: (_error, message) => {
      const { data } = message.json<{ data: { items: number[] } }>();
      reply(data.items, (packet) => message.respond(JSON.stringify(packet)));
    },
  });
  await answering.flush();
}

const outcomesOf = async (answers: readonly Promise<number>[]): Promise<unknown[]> =>
  (await Promise.allSettled(answers)).map((settled) =>
    settled.status === 'fulfilled'
      ? settled.value
      : (({ name, noResponders }: { name: string; noResponders: boolean }) => ({ name, noResponders }))(
          settled.reason as never,
        ),
  );

const NOBODY_KNOWS = { name: 'NoAnswerError', noResponders: false };
const NOBODY_HAS_SEEN_IT = { name: 'NoAnswerError', noResponders: true };

describe('a question with many items', () => {
  it('gives each item its own answer, whichever comes first', async () => {
    const question = aQuestion();
    await answerWith(question, (items, say) => {
      for (const [index, item] of [...items.entries()].reverse()) say({ response: { index, answer: 2 * item } });
      say({ isDisposed: true });
    });
    expect(await outcomesOf(new AskMany(asking).ask(question, [1, 2, 3]))).toEqual([2, 4, 6]);
  });

  it('leaves only those without an answer that were not answered before the answering side was cut off', async () => {
    const question = aQuestion();
    await answerWith(question, (_items, say) => say({ response: { index: 1, answer: 4 } }));
    expect(await outcomesOf(new AskMany(asking).ask(question, [1, 2, 3]))).toEqual([NOBODY_KNOWS, 4, NOBODY_KNOWS]);
  });

  it('does not wait for what has no answer once the answers have ended', async () => {
    const question = { ...aQuestion(), timeoutMs: 60_000 };
    await answerWith(question, (_items, say) => {
      say({ response: { index: 0, answer: 2 } });
      say({ isDisposed: true });
    });
    expect(await outcomesOf(new AskMany(asking).ask(question, [1, 2]))).toEqual([2, NOBODY_KNOWS]);
  });

  it('knows that nobody has seen a question which nobody listens to', async () => {
    expect(await outcomesOf(new AskMany(asking).ask(aQuestion(), [1, 2]))).toEqual([
      NOBODY_HAS_SEEN_IT,
      NOBODY_HAS_SEEN_IT,
    ]);
  });

  it.each([
    ['an error', { err: 'no' }],
    ['something else than an answer', { response: { index: 0, answer: 'two' } }],
    ['what is no packet', 'no packet'],
  ])('has no answers when the other side says %s', async (_what, packet) => {
    const question = aQuestion();
    await answerWith(question, (_items, say) => say(packet));
    expect(await outcomesOf(new AskMany(asking).ask(question, [1, 2]))).toEqual([NOBODY_KNOWS, NOBODY_KNOWS]);
  });

  it('that may not listen for its answers has none, and leaves the connection to all others', async () => {
    const strict = await startPrivateNats([
      'authorization { users: [ { user: one, password: p, permissions: { subscribe: { deny: ["_INBOX_one.>"] } } } ] }',
      'no_auth_user: one',
    ]);
    const one = await connectNats(strict.url, 'one', createLogger('test', 'silent'));
    try {
      const many = new AskMany(one);
      const question = { ...aQuestion(), timeoutMs: 60_000 };
      expect(await outcomesOf(many.ask(question, [1, 2]))).toEqual([NOBODY_KNOWS, NOBODY_KNOWS]);
      expect(await outcomesOf(many.ask(question, [1]))).toEqual([NOBODY_KNOWS]);
      const heard = new Promise((resolve) => one.subscribe('others', { callback: () => resolve(true) }));
      one.publish('others');
      expect(await heard).toBe(true);
    } finally {
      await one.close();
      await strict.remove();
    }
  });

  it('is told apart from another one of the same asker', async () => {
    const question = aQuestion();
    const held: (() => void)[] = [];
    await answerWith(question, (items, say) => {
      held.push(() => items.forEach((item, index) => say({ response: { index, answer: 2 * item } })));
      if (held.length === 2) held.reverse().forEach((tell) => tell());
    });
    const many = new AskMany(asking);
    const [first, second] = [many.ask(question, [1]), many.ask(question, [10, 20])];
    expect(await outcomesOf([...first, ...second])).toEqual([2, 20, 40]);
  });
});

describe('commands that are sent together', () => {
  const aCommand = (tid: string): SendAsk => ({
    ...{ sn: 'D', channel: 'services', method: 'flighttask_execute', tid, bid: 'b', data: {} },
    ...{ sentAtMs: 1, notAfterMs: 2 },
  });

  it('travel twenty in a question, and one by one to an ingress that knows no more', async () => {
    const sizes: number[] = [];
    const alone: string[] = [];
    answer(answering, sendQuestion, ({ tid }): SendAnswer => {
      alone.push(tid);
      return { outcome: 'written' };
    });
    await answering.flush();
    const sender = new SendTogether(asking);
    expect(await Promise.all(['1', '2'].map((tid) => sender.send(aCommand(tid))))).toEqual([
      { outcome: 'written' },
      { outcome: 'written' },
    ]);
    expect(alone.sort()).toEqual(['1', '2']);

    answering.subscribe(sendManyQuestion.subject, {
      callback: (_error, message) => {
        const { items } = message.json<{ data: { items: SendAsk[] } }>().data;
        sizes.push(items.length);
        items.forEach(({ tid }, index) => {
          const reply: SendAnswer = { outcome: 'refused', reason: tid };
          message.respond(JSON.stringify({ response: { index, answer: reply } }));
        });
      },
    });
    await answering.flush();
    const tids = Array.from({ length: 45 }, (_, number) => `t${number}`);
    const answers = await Promise.all(tids.map((tid) => sender.send(aCommand(tid))));
    expect(answers).toEqual(tids.map((tid) => ({ outcome: 'refused', reason: tid })));
    expect(sizes).toEqual([20, 20, 5]);
    expect(alone).toHaveLength(2);
  });

  it('go to another ingress where one that takes many has no connection: it has written nothing', async () => {
    const another = await startPrivateNats();
    const connect = (name: string) => connectNats(another.url, name, createLogger('test', 'silent'));
    const [asks, old, young] = await Promise.all([connect('asks'), connect('old'), connect('young')]);
    try {
      const alone: string[] = [];
      answer(old, sendQuestion, ({ tid }): SendAnswer => {
        alone.push(tid);
        return { outcome: 'written' };
      });
      const says: SendAnswer[] = [
        { outcome: 'refused', reason: NOT_CONNECTED },
        { outcome: 'refused', reason: 'too late' },
        { outcome: 'unknown', reason: 'the connection was lost' },
      ];
      young.subscribe(sendManyQuestion.subject, {
        callback: (_error, message) =>
          says.forEach((reply, index) => message.respond(JSON.stringify({ response: { index, answer: reply } }))),
      });
      await Promise.all([old.flush(), young.flush()]);
      const sender = new SendTogether(asks);
      const answers = await Promise.all(['1', '2', '3'].map((tid) => sender.send(aCommand(tid))));
      expect(answers).toEqual([{ outcome: 'written' }, says[1], says[2]]);
      expect(alone).toEqual(['1']);
    } finally {
      await Promise.all([asks.close(), old.close(), young.close()]);
      await another.remove();
    }
  });
});
