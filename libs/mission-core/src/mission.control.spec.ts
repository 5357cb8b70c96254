import { aMission, MINUTE_MS, NOON, step } from './fixtures/missions.js';
import { decide } from './mission.machine.js';
import {
  DEFAULT_TIMING,
  type Delivery,
  type Effect,
  type MissionEvent,
  type MissionState,
  STATES,
} from './mission.types.js';

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

describe('a start that a person stopped', () => {
  const STOPS = ['stopRequested', 'returnRequested', 'setupAbortRequested'] as const;
  const NOTHINGS: readonly MissionEvent[] = [
    { type: 'sendRefused', attempt: 1 },
    { type: 'executeDeferred', attempt: 1, dockResult: 314_000 },
    { type: 'executeUnprepared', attempt: 1, dockResult: 316_005 },
  ];
  const aStart = (delivery: Delivery) =>
    aMission({ state: 'starting', delivery, attempt: 1, startedAtMs: NOON, heardAtMs: null });
  const cases = STOPS.flatMap((stop) => NOTHINGS.map((nothing) => [nothing.type, stop, nothing] as const));

  it.each(cases)('is not tried again after %s, when it was asked for by %s', (_what, stop, nothing) => {
    const stopped = step(aStart('prepare'), { type: stop }, NOON + 1);
    const decision = decide(stopped, nothing, NOON + 2, DEFAULT_TIMING);
    const forgets = nothing.type === 'executeUnprepared';
    expect(decision).toMatchObject({
      mission: { state: forgets ? 'canceled' : 'canceling', cause: { code: 'canceled_by_operator' } },
      effects: forgets ? [] : ['sendUndo'],
    });
  });

  it.each(cases)('is over at once after %s at a dock that prepares nothing (%s)', (_what, stop, nothing) => {
    const stopped = step(aStart('create'), { type: stop }, NOON + 1);
    expect(decide(stopped, nothing, NOON + 2, DEFAULT_TIMING)).toMatchObject({
      mission: { state: 'canceled', cause: { code: 'canceled_by_operator' }, nextActionAtMs: null },
      effects: [],
    });
  });

  it.each(STOPS)('flies when its dock says so all the same, and nothing says then that it was canceled: %s', (stop) => {
    const stopped = step(aStart('prepare'), { type: stop }, NOON + 1);
    for (const word of ['executeAccepted', 'flightInProgress'] as const) {
      expect(step(stopped, { type: word }, NOON + 2)).toMatchObject({ cause: null });
    }
  });

  it.each([
    ['prepare', 'canceling', ['sendUndo']],
    ['create', 'canceled', []],
  ] as const)('that had not left is called off: %s', (delivery, state, effects) => {
    const decision = decide(aStart(delivery), { type: 'startWithdrawn', attempt: 1 }, NOON + 1, DEFAULT_TIMING);
    expect(decision).toMatchObject({ mission: { state, cause: { code: 'canceled_by_operator' } }, effects });
  });

  it('without a stop is tried again as before', () => {
    for (const nothing of NOTHINGS) {
      const decision = decide(aStart('prepare'), nothing, NOON + 2, DEFAULT_TIMING);
      const again = nothing.type === 'executeUnprepared' ? 'preparing' : 'prepared';
      expect(decision).toMatchObject({ mission: { state: again } });
      expect(decision).not.toMatchObject({ effects: ['sendUndo'] });
    }
  });
});
