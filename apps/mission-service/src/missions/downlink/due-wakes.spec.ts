import type { Wake } from '@aerie/job-queue';
import { DueWakes } from './due-wakes.js';

function aQueue() {
  const set: Wake[] = [];
  return { set, wakes: new DueWakes({ set: (wakes) => void set.push(...wakes) }) };
}
const aMission = (state: string, inMs: number | null) => {
  const now = new Date();
  return { state, now, next_action_at: inMs === null ? null : new Date(now.getTime() + inMs) } as never;
};

it('sets one wake for all missions that are due at the same time', () => {
  const { set, wakes } = aQueue();
  for (let count = 0; count < 500; count++) wakes.for(aMission('prepared', 60_000));
  // The loop itself takes a few milliseconds, so it may cross into the next grain.
  expect(set.length).toBeLessThan(20);
});

it('never wakes before the instant, and soon after it', () => {
  const { set, wakes } = aQueue();
  const dueMs = Date.now() + 10_000;
  wakes.for(aMission('prepared', 10_000));
  const wakeMs = Date.now() + (set[0]?.delayMs ?? 0);
  expect(wakeMs).toBeGreaterThanOrEqual(dueMs);
  expect(wakeMs).toBeLessThan(dueMs + 100);
});

it.each([
  ['executing', 60_000],
  ['paused', 60_000],
  ['succeeded', null],
])('sets none for a mission that is %s', (state, inMs) => {
  const { set, wakes } = aQueue();
  wakes.for(aMission(state, inMs));
  expect(set).toEqual([]);
});
