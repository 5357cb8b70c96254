import { Metrics } from '@aerie/observability';
import { JetStreamApiError } from '@nats-io/jetstream';
import { Overflow } from './overflow.js';

const BULK = 'bulk.v1.log.DOCK-1.events.fileupload_progress';
const FLIGHT = 'dock.v1.mission.DOCK-1.events.flighttask_progress';
const ASIDE = 'overflow.v1.log.DOCK-1.events.fileupload_progress';
const refusal = (description: string): Error => new JetStreamApiError({ code: 503, err_code: 10_077, description });
const FULL = refusal('maximum bytes exceeded');

let stored: string[];
let notes: string[];
/** What the store of a subject fails with. */
let failures: Map<string, Error>;
let nowMs: number;
let overflow: Overflow;

beforeEach(() => {
  [stored, notes, failures, nowMs] = [[], [], new Map(), 0];
  overflow = new Overflow({
    store: async (subject) => {
      const failure = failures.get(subject);
      if (failure !== undefined) throw failure;
      stored.push(subject);
    },
    notes: { note: (sn, code, _atMs, detail) => void notes.push(`${sn} ${code}: ${detail ?? ''}`) },
    metrics: new Metrics('overflow'),
    nowMs: () => nowMs,
  });
});

it('stores what has room where it belongs, and nothing aside', async () => {
  await overflow.store(BULK, 'x', 'id');
  await overflow.store(FLIGHT, 'x', 'id');
  expect([stored, notes]).toEqual([[BULK, FLIGHT], []]);
});

it('keeps aside what a full bulk stream refuses', async () => {
  failures.set(BULK, FULL);
  await overflow.store(BULK, 'x', 'id');
  expect([stored, notes]).toEqual([[ASIDE], ['DOCK-1 store_full: log: kept aside']]);
});

it('fails where the stream of flights is full: its PUBACK has to wait', async () => {
  failures.set(FLIGHT, FULL);
  await expect(overflow.store(FLIGHT, 'x', 'id')).rejects.toBe(FULL);
  expect(stored).toEqual([]);
});

it.each([
  ['the server does not answer', new Error('timeout')],
  ['the server has no disk', refusal('insufficient storage resources available')],
  ['the stream is gone', new JetStreamApiError({ code: 404, err_code: 10_059, description: 'stream not found' })],
])('fails where %s, and keeps nothing aside', async (_what, failure) => {
  failures.set(BULK, failure);
  await expect(overflow.store(BULK, 'x', 'id')).rejects.toBe(failure);
  failures.set(BULK, FULL);
  failures.set(ASIDE, failure);
  await expect(overflow.store(BULK, 'x', 'id')).rejects.toBe(failure);
  expect(stored).toEqual([]);
});

it('keeps 1 MiB of a device and leaves the rest out, and has room again as time goes by', async () => {
  failures.set(BULK, FULL);
  const body = 'x'.repeat(100 * 1024);
  for (let index = 0; index < 20; index++) await overflow.store(BULK, body, `id-${index}`);
  expect([stored.length, notes.at(-1)]).toEqual([10, 'DOCK-1 store_full: log: left out']);
  failures.set(BULK.replace('DOCK-1', 'DOCK-2'), FULL);
  await overflow.store(BULK.replace('DOCK-1', 'DOCK-2'), body, 'id');
  expect(stored).toHaveLength(11);
  nowMs = 12 * 3_600_000;
  for (let index = 0; index < 20; index++) await overflow.store(BULK, body, `id-${index}`);
  expect(stored).toHaveLength(16);
});
