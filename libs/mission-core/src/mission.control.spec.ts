import { aMission, MINUTE_MS, NOON } from './fixtures/missions.js';
import { decide } from './mission.machine.js';
import { DEFAULT_TIMING, type Effect, type MissionEvent, type MissionState, STATES } from './mission.types.js';

const ask = (state: MissionState, type: MissionEvent['type'], nowMs = NOON) =>
  decide(aMission({ state, startedAtMs: NOON - MINUTE_MS }), { type } as MissionEvent, nowMs, DEFAULT_TIMING);

const WISHES: readonly (readonly [MissionEvent['type'], Effect, readonly MissionState[]])[] = [
  ['pauseRequested', 'sendPause', ['executing']],
  ['resumeRequested', 'sendResume', ['paused']],
  ['returnRequested', 'sendReturnHome', ['starting', 'executing', 'paused']],
  ['returnCancelRequested', 'sendReturnCancel', ['executing', 'paused']],
  ['returnElsewhereRequested', 'sendReturnElsewhere', ['executing', 'paused']],
  ['stopRequested', 'sendStop', ['starting', 'executing', 'paused']],
  ['setupAbortRequested', 'sendSetupAbort', ['starting', 'executing']],
];

describe.each(WISHES)('%s', (type, effect, from) => {
  it.each(from)('is sent to the dock while the mission is %s, and changes no state by itself', (state) => {
    expect(ask(state, type)).toMatchObject({ kind: 'unchanged', effects: [effect], mission: { state } });
  });

  it.each(STATES.filter((state) => !from.includes(state)))(
    'is refused with the state while the mission is %s',
    (state) => {
      expect(ask(state, type)).toEqual({ kind: 'refused', reason: `${type} is not possible while ${state}` });
    },
  );

  it('puts no watchdog off, however often it is asked for', () => {
    const decision = ask(from[0] ?? 'executing', type, NOON + 5 * MINUTE_MS);
    expect(decision).toMatchObject({ mission: { nextActionAtMs: NOON } });
  });
});
