import { type Rest, restOf } from './rest.js';

const NEITHER: Rest = { idleAtMs: 0, busySinceMs: 0 };
const IDLE = { mode_code: 0, flighttask_step_code: 5 };
const BUSY = { mode_code: 4, flighttask_step_code: 5 };

const afterAll = (...told: readonly (readonly [atMs: number, properties: Record<string, unknown>])[]): Rest =>
  told.reduce(
    (rest, [atMs, properties]) =>
      restOf(
        rest,
        Object.entries(properties).map(([name, value]) => [name, JSON.stringify(value), value] as const),
        atMs,
      ),
    NEITHER,
  );

it('knows when a dock was idle last, and when it first said since that it is not', () => {
  expect(afterAll([10, IDLE], [20, IDLE], [30, BUSY], [40, BUSY])).toEqual({ idleAtMs: 20, busySinceMs: 30 });
});

it('is the same in any order', () => {
  expect(afterAll([40, BUSY], [30, BUSY], [20, IDLE], [10, IDLE])).toEqual({ idleAtMs: 20, busySinceMs: 30 });
});

it('begins anew each time the dock was idle', () => {
  expect(afterAll([10, BUSY], [20, IDLE], [30, BUSY])).toEqual({ idleAtMs: 20, busySinceMs: 30 });
});

it.each([
  ['another mode', { mode_code: 2, flighttask_step_code: 5 }],
  ['a flight task that goes on', { mode_code: 0, flighttask_step_code: 2 }],
  ['a mode that nobody can read', { mode_code: 'x' }],
])('takes %s for busy', (_what, properties) => {
  expect(afterAll([10, IDLE], [20, properties])).toEqual({ idleAtMs: 10, busySinceMs: 20 });
});

it('takes mode 0 without a step, as old firmware sends it, for idle', () => {
  expect(afterAll([10, { mode_code: 0 }])).toEqual({ idleAtMs: 10, busySinceMs: 0 });
});

it('learns nothing from a message without a mode', () => {
  expect(afterAll([10, IDLE], [20, { drone_in_dock: 0 }])).toEqual({ idleAtMs: 10, busySinceMs: 0 });
});
