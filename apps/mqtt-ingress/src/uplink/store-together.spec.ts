import { jest } from '@jest/globals';
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
