import type { Question } from '@aerie/bus-contract';
import { InvalidError } from '@aerie/kernel';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import { z } from 'zod';
import { NoAnswerError, ask, readAsk } from './ask.js';
import { type NatsConnection, connectNats } from './connection.js';

let nats: PrivateServer;
let asking: NatsConnection;
let answering: NatsConnection;
let names = 0;

beforeAll(async () => {
  nats = await startPrivateNats();
  asking = await connectNats(nats.url, 'asking', createLogger('test', 'silent'));
  answering = await connectNats(nats.url, 'answering', createLogger('test', 'silent'));
});

afterAll(async () => {
  await Promise.all([asking?.close(), answering?.close()]);
  await nats?.remove();
});

type Greeting = Question<{ name: string }, { greeting: string }>;

const aQuestion = (): Greeting => ({
  subject: `ask.test.${++names}`,
  timeoutMs: 400,
  ask: z.object({ name: z.string() }),
  answer: z.object({ greeting: z.string() }),
});

/** Answers as Nest does, with the packet that `reply` makes of the question's data. */
async function answer(question: Greeting, reply: (data: { name: string }) => unknown): Promise<void> {
  answering.subscribe(question.subject, {
    callback: (_error, message) => {
      const packet = reply(message.json<{ data: { name: string } }>().data);
      if (packet !== undefined) message.respond(typeof packet === 'string' ? packet : JSON.stringify(packet));
    },
  });
  await answering.flush();
}

const failureOf = (question: Greeting): Promise<unknown> =>
  ask(asking, question, { name: 'Ada' }).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('ask', () => {
  it('gives the answer', async () => {
    const question = aQuestion();
    await answer(question, ({ name }) => ({ response: { greeting: `hello ${name}` }, isDisposed: true }));
    expect(await ask(asking, question, { name: 'Ada' })).toEqual({ greeting: 'hello Ada' });
  });

  it('knows that nobody has seen a question which nobody listens to', async () => {
    expect(await failureOf(aQuestion())).toMatchObject({ name: 'NoAnswerError', noResponders: true });
  });

  it('does not claim that of a question which was seen and not answered in time', async () => {
    const question = aQuestion();
    await answer(question, () => undefined);
    expect(await failureOf(question)).toMatchObject({ name: 'NoAnswerError', noResponders: false });
  });

  it('does not claim that of a question which the other side failed to answer', async () => {
    const question = aQuestion();
    await answer(question, () => ({ err: { message: 'no' }, isDisposed: true }));
    expect(await failureOf(question)).toMatchObject({ name: 'NoAnswerError', noResponders: false });
  });

  it('does not claim that of a question whose answer is no JSON', async () => {
    const question = aQuestion();
    await answer(question, () => 'garbage');
    expect(await failureOf(question)).toMatchObject({ name: 'NoAnswerError', noResponders: false });
  });

  it('does not give an answer that breaks the contract', async () => {
    const question = aQuestion();
    await answer(question, () => ({ response: { greeting: 7 } }));
    expect(await failureOf(question)).toBeInstanceOf(NoAnswerError);
  });

  it('waits no longer than the question says', async () => {
    const question = aQuestion();
    await answer(question, () => undefined);
    const startedMs = Date.now();
    await failureOf(question);
    expect(Date.now() - startedMs).toBeLessThan(1_500);
  });

  it('does not claim that nobody saw it while NATS is away, and asks again after it came back', async () => {
    const question = aQuestion();
    await answer(question, () => ({ response: { greeting: 'back' } }));
    await nats.kill();
    expect(await failureOf(question)).toMatchObject({ name: 'NoAnswerError', noResponders: false });
    await nats.start();
    expect(await eventually('it answers again', () => ask(asking, question, { name: 'Ada' }))).toEqual({
      greeting: 'back',
    });
  }, 30_000);
});

describe('readAsk', () => {
  it('gives what was asked', () => {
    expect(readAsk(aQuestion(), { name: 'Ada' })).toEqual({ name: 'Ada' });
  });

  it('names what is wrong with a question', () => {
    expect(() => readAsk(aQuestion(), { name: 7 })).toThrow(InvalidError);
  });
});
