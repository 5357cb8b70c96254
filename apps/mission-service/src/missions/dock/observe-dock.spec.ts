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
const STARTED_AGO_MS = 60_000;

it('takes a dock for idle when it, its task and its aircraft all rest', () => {
  expect(observationOf(aView(IDLE), STARTED_AGO_MS)).toBe('idle');
});

it('takes a dock for flying when its task is in flight and its aircraft is out', () => {
  expect(observationOf(aView(FLYING), STARTED_AGO_MS)).toBe('flying');
});

it.each([
  ['the aircraft is out', { ...IDLE, drone_in_dock: 0 }],
  ['the dock works', { ...IDLE, mode_code: 4 }],
  ['a value is missing', { mode_code: 0, drone_in_dock: 1 }],
  ['nothing is known', {}],
])('says nothing when %s', (_what, values) => {
  expect(observationOf(aView(values), STARTED_AGO_MS)).toBe('unknown');
});

it('says nothing by values that are old', () => {
  expect(observationOf(aView(IDLE, { agoMs: 20_000 }), STARTED_AGO_MS)).toBe('unknown');
});

it('says nothing by an idle dock that was out of sight since it was told to start', () => {
  expect(observationOf(aView(IDLE, { backAgoMs: 30_000 }), STARTED_AGO_MS)).toBe('unknown');
});

it('takes a dock for idle that came back before it was told to start', () => {
  expect(observationOf(aView(IDLE, { backAgoMs: 90_000 }), STARTED_AGO_MS)).toBe('idle');
});
