import type { DockStateView } from '@aerie/bus-contract';
import { observationOf } from './observe-dock.js';

const IDLE = { mode_code: 0, flighttask_step_code: 5, drone_in_dock: 1 };
const FLYING = { mode_code: 4, flighttask_step_code: 1, drone_in_dock: 0 };

const aView = (values: Record<string, unknown>, more: { agoMs?: number; backAgoMs?: number } = {}): DockStateView => ({
  sn: 'irrelevant',
  seenAgoMs: 0,
  backAgoMs: more.backAgoMs ?? null,
  clockSkewMs: null,
  properties: Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { value, agoMs: more.agoMs ?? 500 }]),
  ),
});

it('takes a dock for resting when it, its task and its aircraft all rest, and tells the age of the oldest word', () => {
  const view = aView(IDLE, { backAgoMs: 30_000 });
  view.properties['mode_code'] = { value: 0, agoMs: 4_000 };
  expect(observationOf(view)).toEqual({ shows: 'resting', saidAgoMs: 4_000, inSightForMs: 30_000 });
});

it('takes a dock for flying when its task is in flight and its aircraft is out', () => {
  expect(observationOf(aView(FLYING))).toEqual({ shows: 'flying' });
});

it.each([
  ['the aircraft is out', { ...IDLE, drone_in_dock: 0 }],
  ['the dock works', { ...IDLE, mode_code: 4 }],
  ['a value is missing', { mode_code: 0, drone_in_dock: 1 }],
  ['nothing is known', {}],
])('says nothing when %s', (_what, values) => {
  expect(observationOf(aView(values))).toEqual({ shows: 'unknown' });
});

it('says nothing by values that are old', () => {
  expect(observationOf(aView(IDLE, { agoMs: 20_000 }))).toEqual({ shows: 'unknown' });
});
