import { aMission, KINDS, MINUTE_MS, NOON, planned, REPORTED, step } from './fixtures/missions.js';
import { EVENT_TYPES, type Row, decide, mayExecute, transitions } from './mission.machine.js';
import {
  ACTIVE_STATES,
  CLAIM_MARGIN_MS,
  DEFAULT_TIMING,
  type EventType,
  type Mission,
  type MissionEvent,
  type MissionState,
  OUTCOMES,
  STATES,
  isOrder,
} from './mission.types.js';

const rowsOf = (event: EventType): readonly Row<EventType>[] => transitions[event] as readonly Row<EventType>[];
const targetsOf = ({ from, to }: Row<EventType>): readonly MissionState[] =>
  to === 'unchanged' ? from : typeof to === 'string' ? [to] : to.oneOf;

/** One event of a type, as it means most: about the present attempt of `aMission`. */
const anEvent = (type: EventType): MissionEvent =>
  ({
    type,
    attempt: 1,
    edition: 1,
    dockResult: 314_000,
    outcome: 'succeeded',
    because: 'dock_busy',
    executeAtMs: NOON + 60 * MINUTE_MS,
    prepareAtMs: NOON + 45 * MINUTE_MS,
    deadlineMs: NOON + 61 * MINUTE_MS,
  }) as unknown as MissionEvent;

const decideAt = (mission: Mission, event: MissionEvent, nowMs = NOON) => decide(mission, event, nowMs, DEFAULT_TIMING);
const everyPair = STATES.flatMap((state) => EVENT_TYPES.map((event) => ({ state, event })));
const kindsIn = (state: MissionState): Mission[] => KINDS.map((kind) => aMission({ kind, state }));

describe('the table of the lifecycle', () => {
  it('has at most one row for each state and event', () => {
    const double = everyPair.filter(
      ({ state, event }) => rowsOf(event).filter(({ from }) => from.includes(state)).length > 1,
    );
    expect(double).toEqual([]);
  });

  it('lists no state twice in one row', () => {
    const double = EVENT_TYPES.filter((event) => rowsOf(event).some(({ from }) => new Set(from).size < from.length));
    expect(double).toEqual([]);
  });

  it('reaches every state from scheduled', () => {
    const reached = new Set<MissionState>(['scheduled']);
    for (let before = 0; before < reached.size;) {
      before = reached.size;
      for (const row of EVENT_TYPES.flatMap(rowsOf)) {
        if (row.from.some((state) => reached.has(state))) targetsOf(row).forEach((state) => reached.add(state));
      }
    }
    expect([...reached].sort()).toEqual([...STATES].sort());
  });

  it('leads out of every state that is no outcome', () => {
    const stuck = ACTIVE_STATES.filter((state) =>
      EVENT_TYPES.every((event) =>
        rowsOf(event).every((row) => !row.from.includes(state) || targetsOf(row).includes(state)),
      ),
    );
    expect(stuck).toEqual([]);
  });

  it.each(OUTCOMES)('never leaves %s', (outcome) => {
    const moves = EVENT_TYPES.filter((type) =>
      kindsIn(outcome).some((mission) => decideAt(mission, anEvent(type)).kind === 'moved'),
    );
    expect(moves).toEqual([]);
  });

  it.each(OUTCOMES)('orders nothing of a dock whose mission is %s', (outcome) => {
    const effects = EVENT_TYPES.flatMap((type) =>
      kindsIn(outcome).flatMap((mission) => {
        const decision = decideAt(mission, anEvent(type));
        return decision.kind === 'refused' ? [] : decision.effects;
      }),
    );
    expect(effects.filter(isOrder)).toEqual([]);
  });

  it.each(EVENT_TYPES)('ends in the same state whether %s comes once or twice', (type) => {
    for (const mission of STATES.flatMap(kindsIn)) {
      const once = step(mission, anEvent(type), NOON);
      const twice = step(once, anEvent(type), NOON);
      expect({ from: mission.state, to: twice.state }).toEqual({ from: mission.state, to: once.state });
    }
  });

  it.each(EVENT_TYPES)('gives every mission that is not over a next action after %s', (type) => {
    for (const mission of ACTIVE_STATES.flatMap(kindsIn)) {
      const { state, nextActionAtMs } = step(mission, anEvent(type), NOON);
      expect({ state, has: nextActionAtMs !== null }).toEqual({
        state,
        has: !(OUTCOMES as readonly string[]).includes(state),
      });
    }
  });

  it('orders an execute in one row only', () => {
    const rows = EVENT_TYPES.filter((event) => rowsOf(event).some(({ effects }) => effects?.includes('sendExecute')));
    expect(rows).toEqual(['executeDue']);
  });

  it('makes an undo follow wherever it gives up on a task that the dock may hold', () => {
    const givenUp = (['prepareGivenUp', 'windowClosed', 'observedNotStarted'] as const).flatMap((type) =>
      (['preparing', 'waiting_ready', 'prepared', 'starting'] as const).flatMap((state) => {
        const decision = decideAt(aMission({ state }), { type });
        return decision.kind === 'moved' ? [decision.effects] : [];
      }),
    );
    expect(givenUp.length).toBe(5);
    expect(givenUp.every((effects) => effects.includes('sendUndo'))).toBe(true);
  });
});

describe('execute', () => {
  const atDeadline = NOON + DEFAULT_TIMING.startWindowMs - CLAIM_MARGIN_MS;

  it('leaves two minutes before its time, because the dock powers on meanwhile', () => {
    expect(mayExecute(aMission(), NOON - 2 * MINUTE_MS, DEFAULT_TIMING)).toBe(true);
  });

  it('does not leave a millisecond before that', () => {
    expect(mayExecute(aMission(), NOON - 2 * MINUTE_MS - 1, DEFAULT_TIMING)).toBe(false);
  });

  it('still leaves in the last millisecond in which it reaches the wire in time', () => {
    expect(mayExecute(aMission(), atDeadline - 1, DEFAULT_TIMING)).toBe(true);
  });

  it('does not leave where it would reach the wire too late', () => {
    expect(mayExecute(aMission(), atDeadline, DEFAULT_TIMING)).toBe(false);
  });

  it('never leaves for a mission without a deadline', () => {
    expect(mayExecute(aMission({ deadlineMs: null }), NOON, DEFAULT_TIMING)).toBe(false);
  });

  it('is refused after the window even when it is asked for', () => {
    expect(decideAt(aMission(), { type: 'executeDue' }, atDeadline).kind).toBe('refused');
  });

  it('opens the next attempt after the ingress proved that no byte left', () => {
    const refused = step(
      aMission({ state: 'starting', startedAtMs: NOON }),
      { type: 'sendRefused', attempt: 1 },
      NOON + 100,
    );
    const decision = decideAt(refused, { type: 'executeDue' }, NOON + 1_100);
    expect(decision).toMatchObject({
      kind: 'moved',
      mission: { state: 'starting', attempt: 2 },
      effects: ['sendExecute'],
    });
  });

  it('opens no new attempt after a refusal that came when no time remains', () => {
    const refused = step(
      aMission({ state: 'starting', startedAtMs: NOON }),
      { type: 'sendRefused', attempt: 1 },
      atDeadline,
    );
    expect(decideAt(refused, { type: 'executeDue' }, atDeadline + 1).kind).toBe('refused');
  });

  it('opens the next attempt after the dock said that it is busy', () => {
    const busy: MissionEvent = { type: 'executeDeferred', attempt: 1, dockResult: 314_004 };
    expect(step(aMission({ state: 'starting', startedAtMs: NOON }), busy, NOON + 900)).toMatchObject({
      state: 'prepared',
      startedAtMs: null,
      cause: { code: 'dock_busy', dockResult: 314_004 },
    });
  });

  it.each(['sendRefused', 'executeRefused', 'executeDeferred'] as const)(
    'is not touched by a %s that is about an earlier attempt',
    (type) => {
      const mission = aMission({ state: 'starting', attempt: 2, startedAtMs: NOON });
      expect(decideAt(mission, anEvent(type)).kind).toBe('refused');
    },
  );

  it('ends the mission as rejected when the dock refuses it', () => {
    const decision = decideAt(aMission({ state: 'starting' }), anEvent('executeRefused'));
    expect(decision).toMatchObject({
      kind: 'moved',
      mission: { state: 'rejected', cause: { code: 'execute_refused', dockResult: 314_000 } },
    });
  });

  it('is looked after and never repeated while the dock is silent, because the aircraft may be in the air', () => {
    const decision = decideAt(aMission({ state: 'starting', startedAtMs: NOON }), { type: 'replyOverdue' });
    expect(decision).toMatchObject({ kind: 'unchanged', effects: ['observeFlight'], mission: { state: 'starting' } });
  });

  it.each(['sendRefused', 'executeDeferred', 'executeRefused'] as const)(
    'that the dock accepted stays accepted when a %s of the same attempt comes afterwards',
    (type) => {
      const accepted = step(aMission({ state: 'starting', startedAtMs: NOON }), { type: 'executeAccepted' }, NOON);
      expect(decideAt(accepted, anEvent(type)).kind).toBe('refused');
    },
  );

  it('is still open to a busy dock when an old reply to prepare comes first', () => {
    const starting = step(
      aMission({ state: 'starting', startedAtMs: NOON }),
      { type: 'prepareAccepted', edition: 1 },
      NOON + 1,
    );
    expect(step(starting, anEvent('executeDeferred'), NOON + 2).state).toBe('prepared');
  });

  it('that the dock accepts while we believe it never left leads to where no second one is sent', () => {
    expect(step(aMission({ state: 'prepared' }), { type: 'executeAccepted' }, NOON).state).toBe('starting');
  });
});

describe('cancel', () => {
  it('ends a mission of which the dock knows nothing', () => {
    expect(decideAt(planned('timed'), { type: 'cancelRequested' })).toMatchObject({
      kind: 'moved',
      mission: { state: 'canceled', cause: { code: 'canceled_by_operator' } },
      effects: [],
    });
  });

  it.each(['preparing', 'waiting_ready', 'prepared'] as const)(
    'asks the dock to forget a mission that is %s',
    (state) => {
      const decision = decideAt(aMission({ state }), { type: 'cancelRequested' });
      expect(decision).toMatchObject({
        kind: 'moved',
        mission: { state: 'canceling', undoCount: 1 },
        effects: ['sendUndo'],
      });
    },
  );

  it.each(['starting', 'executing', 'paused'] as const)(
    'is refused while a mission is %s, because an undo does not stop a flight',
    (state) => {
      expect(decideAt(aMission({ state }), { type: 'cancelRequested' }).kind).toBe('refused');
    },
  );

  it('is done once the dock confirms it', () => {
    expect(step(aMission({ state: 'canceling' }), { type: 'undoAccepted' }, NOON).state).toBe('canceled');
  });

  it('is asked of the dock again while it does not answer', () => {
    const decision = decideAt(aMission({ state: 'canceling', undoCount: 1 }), { type: 'undoOverdue' });
    expect(decision).toMatchObject({ kind: 'unchanged', mission: { undoCount: 2 }, effects: ['sendUndo'] });
  });

  it('that is asked for again sends nothing and puts nothing off', () => {
    const mission = aMission({ state: 'canceling', undoCount: 3, nextActionAtMs: NOON + 2_000 });
    expect(decideAt(mission, { type: 'cancelRequested' }, NOON + 1_000)).toMatchObject({
      kind: 'unchanged',
      mission: { undoCount: 3, nextActionAtMs: NOON + 2_000 },
      effects: [],
    });
  });

  it.each(['flightInProgress', 'observedFlying'] as const)('gives way to a flight that is seen: %s', (type) => {
    expect(step(aMission({ state: 'canceling' }), { type }, NOON).state).toBe('executing');
  });

  it.each(OUTCOMES.filter((state) => state !== 'canceled'))('is refused once the mission is %s', (state) => {
    expect(decideAt(aMission({ state }), { type: 'cancelRequested' }).kind).toBe('refused');
  });
});

describe('the word of the dock', () => {
  it('makes an accepted prepare of an immediate mission open its start window, within its start deadline', () => {
    const preparing = step(planned('immediate'), { type: 'prepareDue' }, NOON);
    expect(step(preparing, { type: 'prepareAccepted', edition: 1 }, NOON + 4_000)).toMatchObject({
      state: 'prepared',
      deadlineMs: NOON + 4_000 + DEFAULT_TIMING.startWindowMs,
      nextActionAtMs: NOON + 4_000,
    });
  });

  it('does not move the start deadline of an immediate mission later by accepting the prepare late', () => {
    const preparing = step(planned('immediate'), { type: 'prepareDue' }, NOON);
    expect(step(preparing, { type: 'prepareAccepted', edition: 1 }, NOON + 55_000)).toMatchObject({
      state: 'prepared',
      deadlineMs: NOON + DEFAULT_TIMING.startWithinMs,
    });
  });

  it('does not move the start window when the accepted prepare comes again', () => {
    const preparing = step(planned('immediate'), { type: 'prepareDue' }, NOON);
    const prepared = step(preparing, { type: 'prepareAccepted', edition: 1 }, NOON + 4_000);
    expect(step(prepared, { type: 'prepareAccepted', edition: 1 }, NOON + 9_000).deadlineMs).toBe(prepared.deadlineMs);
  });

  it('makes a prepared conditional mission wait until its conditions hold', () => {
    const preparing = step(planned('conditional'), { type: 'prepareDue' }, NOON);
    expect(step(preparing, { type: 'prepareAccepted', edition: 1 }, NOON + 1_000).state).toBe('waiting_ready');
  });

  it('lets a conditional mission start when the dock is ready within its window', () => {
    const waiting = aMission({
      kind: 'conditional',
      state: 'waiting_ready',
      executeAtMs: null,
      deadlineMs: null,
      readyUntilMs: NOON + 60 * MINUTE_MS,
    });
    expect(step(waiting, { type: 'flightReady' }, NOON)).toMatchObject({
      state: 'prepared',
      deadlineMs: NOON + 60 * MINUTE_MS,
    });
  });

  it('is too late when it is ready at the end of that window', () => {
    const waiting = aMission({
      kind: 'conditional',
      state: 'waiting_ready',
      executeAtMs: null,
      deadlineMs: null,
      readyUntilMs: NOON,
    });
    expect(decideAt(waiting, { type: 'flightReady' }).kind).toBe('refused');
  });

  it.each(REPORTED)('ends a flight as %s', (outcome) => {
    expect(step(aMission({ state: 'executing' }), { type: 'flightEnded', outcome, dockResult: 0 }, NOON)).toMatchObject(
      {
        state: outcome,
        nextActionAtMs: null,
        cause: { code: 'reported_by_dock' },
      },
    );
  });

  it('resolves an unknown outcome when its terminal comes late, kept as evidence', () => {
    const mission = aMission({ state: 'outcome_unknown' });
    const decision = decideAt(mission, anEvent('flightEnded'), NOON + 60 * MINUTE_MS);
    expect(decision).toEqual({ kind: 'unchanged', mission, effects: ['recordResolution'] });
  });

  it('changes nothing of a mission that ended before: the first terminal wins', () => {
    const mission = aMission({ state: 'succeeded' });
    const late: MissionEvent = { type: 'flightEnded', outcome: 'failed', dockResult: 322_283 };
    expect(decideAt(mission, late)).toEqual({ kind: 'unchanged', mission, effects: [] });
  });

  it('puts a flight that goes on after a pause back to executing', () => {
    expect(step(aMission({ state: 'paused' }), { type: 'flightInProgress' }, NOON).state).toBe('executing');
  });
});

describe('rescheduling', () => {
  it('takes back what the dock was told', () => {
    expect(decideAt(aMission({ state: 'prepared' }), anEvent('rescheduled'))).toMatchObject({
      kind: 'moved',
      mission: {
        state: 'scheduled',
        executeAtMs: NOON + 60 * MINUTE_MS,
        prepareCount: 0,
        nextActionAtMs: NOON + 45 * MINUTE_MS,
      },
      effects: ['sendUndo'],
    });
  });

  it('is refused once execute may have left', () => {
    expect(decideAt(aMission({ state: 'starting' }), anEvent('rescheduled')).kind).toBe('refused');
  });

  it('does not make a busy word of an earlier attempt wake a mission long before its new time', () => {
    const dueMs = NOON + 60 * MINUTE_MS;
    const mission = aMission({ executeAtMs: dueMs, deadlineMs: dueMs + 20_000, nextActionAtMs: dueMs - 2 * MINUTE_MS });
    expect(step(mission, anEvent('executeDeferred'), NOON).nextActionAtMs).toBe(dueMs - 2 * MINUTE_MS);
  });
});
