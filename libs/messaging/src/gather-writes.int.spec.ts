import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { createLogger } from '@aerie/observability';
import { eventually, testEnvironment } from '@aerie/testing';
import { jest } from '@jest/globals';
import { type NatsConnection, connectNats } from './connection.js';

const MESSAGES = 50;

let connection: NatsConnection;

beforeAll(async () => {
  connection = await connectNats(testEnvironment().natsUrl, 'gather-writes-spec', createLogger('spec', 'silent'));
});
afterAll(() => connection?.close());

/** System calls that write to a socket, while something is done and until the event loop has turned. */
async function writesDuring(act: () => Promise<void>): Promise<number> {
  const one = jest.spyOn(Socket.prototype, '_write');
  const several = jest.spyOn(Socket.prototype as unknown as { _writev: () => void }, '_writev');
  await act();
  await new Promise((resolve) => setImmediate(resolve));
  const writes = one.mock.calls.length + several.mock.calls.length;
  jest.restoreAllMocks();
  return writes;
}

it('what many microtasks of one turn of the event loop publish leaves in one write, in its order', async () => {
  const subject = `gather.${randomUUID()}`;
  const received: string[] = [];
  connection.subscribe(subject, { callback: (_error, message) => void received.push(message.string()) });
  await connection.flush();
  const texts = Array.from({ length: MESSAGES }, (_, index) => String(index));

  const writes = await writesDuring(async () => {
    for (const text of texts) {
      connection.publish(subject, text);
      await Promise.resolve();
      await Promise.resolve();
    }
  });

  expect(writes).toBe(1);
  await eventually('all have come', () => received.length === MESSAGES);
  expect(received).toEqual(texts);
});

it('what is published right before the connection closes is sent', async () => {
  const subject = `gather.${randomUUID()}`;
  const received: string[] = [];
  connection.subscribe(subject, { callback: (_error, message) => void received.push(message.string()) });
  await connection.flush();
  const other = await connectNats(testEnvironment().natsUrl, 'gather-writes-end', createLogger('spec', 'silent'));

  other.publish(subject, 'last');
  await other.drain();

  await eventually('it has come', () => received.length === 1);
});
