import { MINUTE_MS, NOON, aMission, planned, step } from './fixtures/missions.js';
import { dueEvent, judgeObservation } from './mission.due.js';
import { decide } from './mission.machine.js';
import { DEFAULT_TIMING, type Mission, type MissionEvent, isOutcome } from './mission.types.js';

const restored = (stoppedAtMs: number | null = NOON): MissionEvent => ({ type: 'restored', stoppedAtMs });
const decideAt = (mission: Mission, event: MissionEvent, nowMs = NOON) => decide(mission, event, nowMs, DEFAULT_TIMING);
const LEAD_MS = DEFAULT_TIMING.executeLeadMs;

describe('after the database was restored to an earlier instant', () => {
  it.each(['scheduled', 'preparing', 'waiting_ready', 'prepared'] as const)(
    'a mission that is %s and was due before the stop is never started: nobody knows whether it was',
    (state) => {
      const decision = decideAt(aMission({ state }), restored());
      expect(decision).toMatchObject({
        kind: 'moved',
        effects: ['sendUndo'],
        mission: { state: 'outcome_unknown', cause: { code: 'restored' }, nextActionAtMs: null },
      });
    },
  );

  it('a timed mission counts as due from the earliest instant of its execute', () => {
    const mission = aMission({ executeAtMs: NOON + LEAD_MS });
    expect(decideAt(mission, restored(NOON - 1))).toMatchObject({ kind: 'refused' });
    expect(decideAt(mission, restored(NOON))).toMatchObject({ kind: 'moved' });
  });

  it('a dock that takes off at once is never told ahead of the time', () => {
    const mission = aMission({ executeAtMs: NOON + 1, delivery: 'create' });
    expect(decideAt(mission, restored(NOON))).toMatchObject({ kind: 'refused' });
    expect(decideAt(mission, restored(NOON + 1))).toMatchObject({ kind: 'moved', effects: [] });
  });

  it('each immediate mission that has not started may have been started', () => {
    expect(decideAt(planned('immediate'), restored(0))).toMatchObject({ mission: { state: 'outcome_unknown' } });
  });

  it('a conditional mission may have been started once its window is open', () => {
    const mission = planned('conditional');
    const opensMs = mission.readyFromMs ?? 0;
    expect(decideAt(mission, restored(opensMs - 1))).toMatchObject({ kind: 'refused' });
    expect(decideAt(mission, restored(opensMs))).toMatchObject({ mission: { state: 'outcome_unknown' } });
  });

  it('without an instant each mission may have been started, because plans may have been changed too', () => {
    const mission = planned('timed');
    expect(decideAt(mission, restored(NOON))).toMatchObject({ kind: 'refused' });
    expect(decideAt(mission, restored(null))).toMatchObject({ mission: { state: 'outcome_unknown' } });
  });

  const starting = aMission({ state: 'starting', startedAtMs: NOON - MINUTE_MS, nextActionAtMs: NOON });

  it.each<MissionEvent>([
    { type: 'sendRefused', attempt: 1 },
    { type: 'startWithdrawn', attempt: 1 },
    { type: 'executeDeferred', attempt: 1, dockResult: 319_016 },
    { type: 'executeUnprepared', attempt: 1, dockResult: 319_027 },
  ])('$type opens no new attempt of a start: a later attempt may have been sent', (event) => {
    expect(decideAt(starting, event).kind).toBe('moved');
    const after = step(starting, restored(), NOON);
    expect(after).toMatchObject({ state: 'starting', cause: { code: 'restored' } });
    expect(decideAt(after, event, NOON + 1)).toMatchObject({ kind: 'refused' });
  });

  it('a start is still seen to fly, and never called not started', () => {
    const after = step(starting, restored(), NOON);
    const laterMs = NOON + 5 * MINUTE_MS;
    const flying = judgeObservation(after, { shows: 'flying' }, laterMs, DEFAULT_TIMING);
    expect(step(after, flying ?? { type: 'replyOverdue' }, laterMs)).toMatchObject({ state: 'executing', cause: null });
    const resting = { shows: 'resting', saidAgoMs: 0, inSightForMs: 60 * MINUTE_MS } as const;
    expect(judgeObservation(starting, resting, laterMs, DEFAULT_TIMING)).toEqual({ type: 'observedNotStarted' });
    expect(judgeObservation(after, resting, laterMs, DEFAULT_TIMING)).toBeNull();
  });

  it('a start of which nothing is heard ends as unknown', () => {
    let mission = step(starting, restored(), NOON);
    for (let nowMs = NOON; !isOutcome(mission.state); nowMs += MINUTE_MS) {
      expect(nowMs).toBeLessThan(NOON + 60 * MINUTE_MS);
      const event = dueEvent(mission, nowMs, DEFAULT_TIMING);
      if (event !== null) mission = step(mission, event, nowMs);
    }
    expect(mission.state).toBe('outcome_unknown');
  });

  it('the late word of a dock resolves what was called unknown', () => {
    const ended = step(aMission(), restored(), NOON);
    const late = decideAt(ended, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 }, NOON + 1);
    expect(late).toMatchObject({ kind: 'unchanged', effects: ['recordResolution'] });
  });

  it.each(['executing', 'paused', 'canceling'] as const)(
    'a mission that is %s goes on: no start follows it',
    (state) => {
      expect(decideAt(aMission({ state, startedAtMs: NOON }), restored())).toMatchObject({ kind: 'refused' });
    },
  );
});
