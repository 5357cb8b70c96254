import { Metrics } from '@aerie/observability';
import type { DockFact } from '@aerie/bus-contract';
import { DeadLetters } from './dead-letters.js';

const fact = (raw: string): DockFact => ({
  ...{ v: 1, sn: 'DOCK-1', topic: 'thing/product/DOCK-1/events', channel: 'events', method: 'flighttask_progress' },
  ...{ tid: 't', bid: 'b', timestampMs: 0, receivedAtMs: 0, needReply: false, gateway: null, data: {}, raw },
});

let stored: string[];
let fails: boolean;
let replicas: readonly DeadLetters[];
beforeEach(() => {
  stored = [];
  fails = false;
  const store = (_subject: string, _body: unknown, messageId: string): Promise<void> => {
    if (fails) return Promise.reject(new Error('JetStream is away'));
    if (!stored.includes(messageId)) stored.push(messageId);
    return Promise.resolve();
  };
  replicas = [0, 1].map(() => new DeadLetters({ store }, new Metrics('dead-letters-spec')));
});

it('keeps one letter for each flight that is none of ours, however often and to however many replicas it is told', async () => {
  for (const [index, flight] of ['one', 'one', 'one', 'two'].entries()) {
    await replicas[index % 2]?.keepFirst(fact(`message ${index}`), flight, 'none of ours');
  }
  expect(stored).toHaveLength(2);
});

it('keeps the next message of a flight where the first could not be stored', async () => {
  fails = true;
  await expect(replicas[0]?.keepFirst(fact('a'), 'one', 'none of ours')).rejects.toThrow();
  fails = false;
  await expect(replicas[0]?.keepFirst(fact('b'), 'one', 'none of ours')).resolves.toBe(true);
  await expect(replicas[0]?.keepFirst(fact('c'), 'one', 'none of ours')).resolves.toBe(false);
});
