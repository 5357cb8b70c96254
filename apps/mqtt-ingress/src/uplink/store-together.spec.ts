import { jest } from '@jest/globals';
import { currentTrace, runInTrace, traceWith } from '@aerie/observability';
import { StoreTogether } from './store-together.js';

const WITHIN_MS = 50;

let stored: string[];
let fails: boolean;
let together: StoreTogether;

beforeEach(() => {
  jest.useFakeTimers();
  [stored, fails] = [[], false];
  together = new StoreTogether(async (subject) => {
    if (fails) throw new Error('JetStream does not answer');
    stored.push(subject);
  }, WITHIN_MS);
});
afterEach(() => jest.useRealTimers());

const waits = (subject: string) => together.store(subject, 'body', subject, true);
const goes = (subject: string) => together.store(subject, 'body', subject, false);

it('stores what may wait after its time, all at once, and says so only then', async () => {
  let told = false;
  const both = Promise.all([waits('a'), waits('b')]).then(() => (told = true));
  await jest.advanceTimersByTimeAsync(WITHIN_MS - 1);
  expect([stored, told]).toEqual([[], false]);
  await jest.advanceTimersByTimeAsync(1);
  await both;
  expect([stored, told]).toEqual([['a', 'b'], true]);
});

it('stores what may not wait at once, behind all that waits', async () => {
  const [first, second] = [waits('a'), goes('b')];
  await Promise.all([first, second]);
  expect(stored).toEqual(['a', 'b']);
});

it('stores what waits when somebody is in a hurry', async () => {
  const first = waits('a');
  together.hurry();
  await first;
  expect(stored).toEqual(['a']);
});

it('fails each that could not be stored', async () => {
  fails = true;
  const each = [waits('a'), waits('b')].map((one) => one.catch((error: Error) => error.message));
  await jest.advanceTimersByTimeAsync(WITHIN_MS);
  expect(await Promise.all(each)).toEqual(['JetStream does not answer', 'JetStream does not answer']);
});

it('is no part of the trace of whoever takes it along', async () => {
  const begin = (): never => {
    throw new Error('no span begins here');
  };
  traceWith({ maker: { begin }, share: 1 });
  const traces: (string | undefined)[] = [];
  together = new StoreTogether(async () => void traces.push(currentTrace()?.traceId), WITHIN_MS);
  const first = waits('a');
  const second = runInTrace({ traceId: 'traced', spanId: 'b' }, () => goes('b'));
  await Promise.all([first, second]);
  traceWith(undefined);
  expect(traces).toEqual([undefined, 'traced']);
});
