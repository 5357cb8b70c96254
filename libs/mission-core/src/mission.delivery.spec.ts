import { aMission, DAY_MS, MINUTE_MS, NOON, planned, step } from './fixtures/missions.js';
import { dueEvent } from './mission.due.js';
import { decide, mayExecute } from './mission.machine.js';
import { planMission } from './mission.plan.js';
import { flightEndsByMs, occupiedSpan } from './mission.timing.js';
import { ATTEMPTS_OF_FORGETFUL_DOCK, DEFAULT_TIMING, type MissionEvent, isOutcome } from './mission.types.js';

const decideAt = (mission: Parameters<typeof decide>[0], event: MissionEvent, nowMs = NOON) =>
  decide(mission, event, nowMs, DEFAULT_TIMING);

describe('a dock that is given a flight in one command', () => {
  const legacy = { delivery: 'create' } as const;

  it('is told nothing before the start, because it could not be taken back', () => {
    const decision = decideAt(planned('immediate', 'create'), { type: 'prepareDue' });
    expect(decision).toMatchObject({ kind: 'moved', effects: [], mission: { state: 'prepared' } });
  });

  it('starts in the window that counts from when the mission was due', () => {
    const mission = step(planned('immediate', 'create'), { type: 'prepareDue' }, NOON);
    expect(mission).toMatchObject({ deadlineMs: NOON + DEFAULT_TIMING.startWindowMs, nextActionAtMs: NOON });
    expect(dueEvent(mission, NOON, DEFAULT_TIMING)).toEqual({ type: 'executeDue' });
  });

  it('that becomes due late does not start later for it than the mission was planned for', () => {
    const mission = step(planned('immediate', 'create'), { type: 'prepareDue' }, NOON + 50_000);
    expect(mission.deadlineMs).toBe(NOON + DEFAULT_TIMING.startWithinMs);
  });

  it('is not told ahead of its time, because it takes off at once', () => {
    expect(mayExecute(aMission(legacy), NOON - 1, DEFAULT_TIMING)).toBe(false);
    expect(mayExecute(aMission(legacy), NOON, DEFAULT_TIMING)).toBe(true);
  });

  it('has nothing to undo when the mission is called off', () => {
    expect(decideAt(aMission(legacy), { type: 'cancelRequested' })).toMatchObject({
      effects: [],
      mission: { state: 'canceled' },
    });
  });

  it('is not given the flight again when it does not know it', () => {
    const starting = aMission({ ...legacy, state: 'starting', startedAtMs: NOON });
    const decision = decideAt(starting, { type: 'executeUnprepared', attempt: 1, dockResult: 319_003 });
    expect(decision).toMatchObject({ mission: { state: 'rejected' }, effects: [] });
  });

  it.each(['immediate', 'timed'] as const)('ends by time alone when the %s mission is always held back', (kind) => {
    let mission = planned(kind, 'create');
    for (let steps = 0; steps < 100 && !isOutcome(mission.state); steps++) {
      const nowMs = mission.nextActionAtMs ?? NaN;
      const due = dueEvent(mission, nowMs, DEFAULT_TIMING);
      if (due === null) throw new Error('nothing is due at its own next action');
      mission = step(mission, due.type === 'executeDue' ? { type: 'executeHeld', because: 'dock_busy' } : due, nowMs);
    }
    expect(mission).toMatchObject({ state: 'missed', cause: { code: 'dock_busy' } });
  });
});

describe('DK2: a dock that has rebooted and does not know the flight any more', () => {
  const starting = aMission({ state: 'starting', startedAtMs: NOON, attempt: 1 });
  const accepted = { type: 'prepareAccepted', edition: 1 } as const;
  const forgotten = { type: 'executeUnprepared', attempt: 1, dockResult: 319_003 } as const;

  it('is given it once more, and the next start is a new attempt', () => {
    const again = decideAt(starting, forgotten);
    expect(again).toMatchObject({ effects: ['sendPrepare'], mission: { state: 'preparing', startedAtMs: null } });
    const mission = step(step(starting, forgotten, NOON), { type: 'prepareAccepted', edition: 1 }, NOON + 1_000);
    expect(step(mission, { type: 'executeDue' }, NOON + 2_000)).toMatchObject({ state: 'starting', attempt: 2 });
  });

  it('does not start later for it, however often it forgets', () => {
    let mission = step(step(planned('immediate'), { type: 'prepareDue' }, NOON), accepted, NOON);
    const { deadlineMs } = mission;
    for (let attempt = 1; attempt < ATTEMPTS_OF_FORGETFUL_DOCK; attempt++) {
      const nowMs = NOON + attempt * 3_000;
      mission = step(mission, { type: 'executeDue' }, nowMs);
      mission = step(step(mission, { ...forgotten, attempt }, nowMs + 1_000), accepted, nowMs + 2_000);
      expect(mission).toMatchObject({ state: 'prepared', deadlineMs });
    }
  });

  it('is not given it once more after the deadline', () => {
    expect(decideAt(starting, forgotten, NOON + 20_000)).toMatchObject({
      mission: { state: 'preparing' },
      effects: [],
    });
  });

  it('is not told to start at or after the deadline', () => {
    const prepared = step(step(starting, forgotten, NOON), { type: 'prepareAccepted', edition: 1 }, NOON + 19_000);
    expect(decideAt(prepared, { type: 'executeDue' }, NOON + 20_000).kind).toBe('refused');
  });

  it('is given up after a few times', () => {
    const often = { ...starting, attempt: ATTEMPTS_OF_FORGETFUL_DOCK };
    const decision = decideAt(often, { ...forgotten, attempt: ATTEMPTS_OF_FORGETFUL_DOCK });
    expect(decision).toMatchObject({ mission: { state: 'rejected', cause: { dockResult: 319_003 } }, effects: [] });
  });

  it('is not believed once it had accepted this execute', () => {
    const accepted = step(starting, { type: 'executeAccepted' }, NOON + 1);
    expect(decideAt(accepted, forgotten, NOON + 2).kind).toBe('refused');
  });
});

describe('a mission that is moved to another time', () => {
  const moved = (prepareInMs: number): MissionEvent => ({
    type: 'rescheduled',
    executeAtMs: NOON + prepareInMs + 15 * MINUTE_MS,
    prepareAtMs: NOON + prepareInMs,
    deadlineMs: NOON + prepareInMs + 15 * MINUTE_MS + 20_000,
  });

  it('is taken from the dock when it is not due soon', () => {
    expect(decideAt(aMission(), moved(DAY_MS))).toMatchObject({
      mission: { state: 'scheduled' },
      effects: ['sendUndo'],
    });
  });

  it('is replaced by its new prepare when that is due before an undo has surely arrived', () => {
    expect(decideAt(aMission(), moved(0))).toMatchObject({ mission: { state: 'scheduled' }, effects: [] });
  });

  it('is prepared again by a dock that had it, and does not take its answer to the old plan for one to the new', () => {
    const preparing = step(step(aMission(), moved(0), NOON), { type: 'prepareDue' }, NOON);
    expect(preparing).toMatchObject({ state: 'preparing', edition: 2 });
    expect(decideAt(preparing, { type: 'prepareAccepted', edition: 1 })).toEqual({
      kind: 'refused',
      reason: 'prepareAccepted is about an earlier plan',
    });
    expect(step(preparing, { type: 'prepareAccepted', edition: 2 }, NOON).state).toBe('prepared');
  });

  it('is not moved any more once the dock was told to start', () => {
    expect(decideAt(aMission({ state: 'starting' }), moved(0)).kind).toBe('refused');
  });
});

describe('the time that a flight may take', () => {
  it('does not count a pause', () => {
    const flying = aMission({ state: 'executing', startedAtMs: NOON, sinceMs: NOON });
    const paused = step(flying, { type: 'flightPaused' }, NOON + MINUTE_MS);
    const resumed = step(paused, { type: 'flightInProgress' }, NOON + 31 * MINUTE_MS);
    const withoutPause = flightEndsByMs(flying, DEFAULT_TIMING);
    expect(flightEndsByMs(resumed, DEFAULT_TIMING)).toBe(withoutPause + 30 * MINUTE_MS);
  });

  it('takes its dock from power-on to after-work', () => {
    const span = occupiedSpan(aMission(), NOON - DAY_MS, DEFAULT_TIMING);
    expect(span).toEqual({ fromMs: NOON - 3 * MINUTE_MS, untilMs: NOON + 20_000 + 16 * MINUTE_MS });
  });

  it('takes its dock for all the time in which it may start', () => {
    const timing = { ...DEFAULT_TIMING, startWithinMs: 5 * MINUTE_MS };
    const mission = planMission({ approval: null, kind: 'immediate', plannedDurationMs: 10 * MINUTE_MS }, NOON, timing);
    expect(occupiedSpan(mission, NOON, timing)).toEqual({ fromMs: NOON, untilMs: NOON + 21 * MINUTE_MS });
  });

  it('is not taken from anybody by a conditional mission before the dock is ready', () => {
    expect(occupiedSpan(planned('conditional'), NOON, DEFAULT_TIMING)).toBeNull();
  });
});

describe('a conditional mission', () => {
  it('does not start at the very beginning of its window, because both its ends are exclusive', () => {
    const ready = aMission({ kind: 'conditional', executeAtMs: null, readyFromMs: NOON, deadlineMs: NOON + MINUTE_MS });
    expect(mayExecute(ready, NOON, DEFAULT_TIMING)).toBe(false);
    expect(mayExecute(ready, NOON + 1, DEFAULT_TIMING)).toBe(true);
  });
});
