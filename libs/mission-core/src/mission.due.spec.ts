import fc from 'fast-check';
import { DAY_MS, KINDS, MINUTE_MS, NOON, aMission, after, planned, step } from './fixtures/missions.js';
import { type Observation, dueEvent, judgeObservation } from './mission.due.js';
import { decide } from './mission.machine.js';
import { planMission } from './mission.plan.js';
import { DEFAULT_TIMING, type Effect, type Mission, type MissionEvent, isOutcome } from './mission.types.js';

interface Passed {
  readonly mission: Mission;
  readonly effects: readonly Effect[];
  readonly steps: number;
}

/** Lets time alone drive a mission until it is over: each time at its next action plus `lateMs`. */
function letTimePass(
  begin: Mission,
  options: { lateMs?: () => number; hold?: boolean; refuseSends?: boolean } = {},
): Passed {
  let mission = begin;
  let nowMs = NOON;
  const effects: Effect[] = [];
  for (let steps = 0; steps < 2_000; steps++) {
    if (isOutcome(mission.state)) return { mission, effects, steps };
    nowMs = Math.max(nowMs, mission.nextActionAtMs ?? NaN) + (options.lateMs?.() ?? 0);
    const due = dueEvent(mission, nowMs, DEFAULT_TIMING);
    if (due === null) throw new Error(`nothing is due of a mission that is ${mission.state} at its own next action`);
    const event: MissionEvent =
      due.type === 'executeDue' && options.hold ? { type: 'executeHeld', because: 'dock_offline' } : due;
    const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
    if (decision.kind === 'refused') throw new Error(decision.reason);
    mission = after(mission, decision);
    effects.push(...decision.effects);
    if (options.refuseSends && decision.effects.includes('sendExecute')) {
      mission = step(mission, { type: 'sendRefused', attempt: mission.attempt }, nowMs);
    }
  }
  throw new Error(`forgotten: still ${mission.state} after 2,000 steps`);
}

const told = (mission: Mission, ...events: readonly MissionEvent['type'][]): Mission =>
  events.reduce(
    (now, type) => step(now, { type, edition: 1 } as MissionEvent, Math.max(NOON, now.nextActionAtMs ?? NOON)),
    mission,
  );

describe('a dock that never answers', () => {
  it('is asked three times to prepare an immediate mission, then told to forget it', () => {
    const { effects } = letTimePass(planned('immediate'));
    expect(effects).toEqual(['sendPrepare', 'sendPrepare', 'sendPrepare', 'sendUndo']);
  });

  it('makes an immediate mission end as missed after half a minute', () => {
    const { mission } = letTimePass(planned('immediate'));
    expect(mission).toMatchObject({ state: 'missed', cause: { code: 'prepare_no_reply' }, sinceMs: NOON + 30_000 });
  });

  it('is asked to prepare a timed mission until its deadline', () => {
    const { effects } = letTimePass(planned('timed'));
    // From 15 minutes before its time, each half minute.
    expect(effects).toEqual([...Array.from({ length: 31 }, () => 'sendPrepare'), 'sendUndo']);
  });

  it('makes a timed mission end as missed for want of a reply', () => {
    const { mission } = letTimePass(planned('timed'));
    expect(mission).toMatchObject({ state: 'missed', cause: { code: 'prepare_no_reply' } });
  });

  it('makes a conditional mission end as missed at the end of its window', () => {
    const { mission } = letTimePass(planned('conditional'));
    expect(mission).toMatchObject({ state: 'missed', cause: { code: 'prepare_no_reply' } });
    expect(mission.sinceMs).toBeLessThan(NOON + 61 * MINUTE_MS);
  });

  it('makes a conditional mission without a window end as missed like an immediate one', () => {
    const { mission } = letTimePass(planMission({ kind: 'conditional', plannedDurationMs: 1 }, NOON, DEFAULT_TIMING));
    expect(mission).toMatchObject({ state: 'missed', cause: { code: 'prepare_no_reply' } });
  });

  it('is told to forget a canceled mission six times, and then the mission is canceled: execute never left', () => {
    const canceled = told(planned('timed'), 'prepareDue', 'cancelRequested');
    const { mission, effects } = letTimePass(canceled);
    expect(mission).toMatchObject({ state: 'canceled', cause: { code: 'undo_unconfirmed' } });
    // The first of the six left with the cancel itself.
    expect(effects).toEqual(Array.from({ length: 5 }, () => 'sendUndo'));
  });

  it('makes a mission unknown ten minutes after an execute that nothing was heard of', () => {
    const begun = told(planned('immediate'), 'prepareDue', 'prepareAccepted', 'executeDue');
    const { mission, effects } = letTimePass(begun);
    expect(mission).toMatchObject({ state: 'outcome_unknown', cause: { code: 'not_observed' } });
    expect(new Set(effects)).toEqual(new Set(['observeFlight']));
  });

  it('ends no mission before its time when it is held back, and then as missed', () => {
    const { mission } = letTimePass(planned('timed'), { hold: true });
    expect(mission.state).toBe('missed');
  });

  const begins: readonly [string, readonly MissionEvent['type'][]][] = [
    ['is planned', []],
    ['is prepared', ['prepareDue', 'prepareAccepted']],
    ['became ready', ['prepareDue', 'prepareAccepted', 'flightReady']],
    ['was told to start', ['prepareDue', 'prepareAccepted', 'flightReady', 'executeDue']],
    ['accepted execute', ['prepareDue', 'prepareAccepted', 'flightReady', 'executeDue', 'executeAccepted']],
    ['flies', ['prepareDue', 'flightInProgress']],
    ['is paused in the air', ['prepareDue', 'flightPaused']],
    ['is canceled before it is told', ['cancelRequested']],
    ['is canceled while it is told', ['prepareDue', 'cancelRequested']],
    ['is canceled and repeats an old word', ['prepareDue', 'cancelRequested', 'prepareAccepted', 'executeAccepted']],
  ];
  it.each(KINDS.flatMap((kind) => begins.map(([when, events]) => ({ kind, when, events }))))(
    'never makes us forget a mission that is $kind, when it falls silent after it $when',
    ({ kind, events }) => {
      fc.assert(
        fc.property(
          fc.infiniteStream(fc.integer({ min: 0, max: 40_000 })),
          fc.boolean(),
          fc.boolean(),
          (late, hold, refuseSends) => {
            const lateMs = (): number => late.next().value as number;
            const { steps } = letTimePass(told(planned(kind), ...events), { lateMs, hold, refuseSends });
            expect(steps).toBeLessThan(300);
          },
        ),
        { numRuns: 100 },
      );
    },
  );
});

describe('an outage of ours', () => {
  const minuteLater = { lateMs: () => MINUTE_MS };

  it.each(['prepare', 'create'] as const)(
    'makes an immediate mission that its dock was never told of miss its start deadline, and tells the dock nothing (%s)',
    (delivery) => {
      const { mission, effects } = letTimePass(planned('immediate', delivery), minuteLater);
      expect(mission).toMatchObject({ state: 'missed', cause: { code: 'start_deadline_passed' } });
      expect(effects).toEqual([]);
    },
  );

  it('makes an immediate mission that its dock had accepted miss its start deadline', () => {
    const { mission, effects } = letTimePass(told(planned('immediate'), 'prepareDue', 'prepareAccepted'), minuteLater);
    expect(mission).toMatchObject({ state: 'missed', cause: { code: 'start_deadline_passed' } });
    expect(effects).toEqual(['sendUndo']);
  });

  it('keeps the cause at hand of an immediate mission that was held back before', () => {
    const held = step(
      told(planned('immediate'), 'prepareDue', 'prepareAccepted'),
      { type: 'executeHeld', because: 'dock_offline' },
      NOON + 1,
    );
    expect(letTimePass(held, minuteLater).mission).toMatchObject({ state: 'missed', cause: { code: 'dock_offline' } });
  });

  it('does not say of a timed mission that its dock did not answer, when the dock was never told', () => {
    const { mission } = letTimePass(planned('timed'), { lateMs: () => DAY_MS });
    expect(mission).toMatchObject({ state: 'missed', cause: { code: 'window_closed' } });
  });
});

describe('what time brings about', () => {
  it('is nothing before the next action', () => {
    expect(dueEvent(aMission({ nextActionAtMs: NOON + 1 }), NOON, DEFAULT_TIMING)).toBeNull();
  });

  it('is nothing for a mission that is over', () => {
    expect(dueEvent(aMission({ state: 'succeeded', nextActionAtMs: null }), NOON, DEFAULT_TIMING)).toBeNull();
  });

  it('DK9: is the end of a flight that reports without end for one and a half times its plan and ten minutes', () => {
    let mission = aMission({ state: 'executing', startedAtMs: NOON, heardAtMs: NOON });
    let nowMs = NOON;
    while (!isOutcome(mission.state) && nowMs < NOON + 4 * 60 * MINUTE_MS) {
      nowMs += 30_000;
      mission = step(mission, dueEvent(mission, nowMs, DEFAULT_TIMING) ?? { type: 'flightInProgress' }, nowMs);
      mission = step(mission, { type: 'flightInProgress' }, nowMs);
    }
    expect(mission).toMatchObject({ state: 'outcome_unknown', sinceMs: NOON + 25 * MINUTE_MS });
  });

  it('is a look at a flight that has been silent for a minute', () => {
    const flying = step(aMission({ state: 'starting', startedAtMs: NOON }), { type: 'flightInProgress' }, NOON);
    expect(dueEvent(flying, NOON + DEFAULT_TIMING.silenceMs, DEFAULT_TIMING)).toEqual({ type: 'progressSilent' });
  });

  it('comes soon after an accepted execute that nobody expected, even on a mission that may wait for hours', () => {
    const waiting = aMission({ kind: 'conditional', state: 'waiting_ready', nextActionAtMs: NOON + 60 * MINUTE_MS });
    expect(step(waiting, { type: 'executeAccepted' }, NOON).nextActionAtMs).toBe(NOON + DEFAULT_TIMING.replyMs);
  });
});

describe('a look at the dock', () => {
  const starting = aMission({ state: 'starting', startedAtMs: NOON });
  const graceMs = NOON + DEFAULT_TIMING.startWindowMs + DEFAULT_TIMING.startGraceMs;
  const judge = (mission: Mission, seen: Observation, nowMs: number) =>
    judgeObservation(mission, seen, nowMs, DEFAULT_TIMING);

  it('that shows a flying aircraft means that it flies', () => {
    expect(judge(starting, 'flying', NOON + 1)).toEqual({ type: 'observedFlying' });
  });

  it('that shows an idle dock soon after execute means nothing, because docks take their time', () => {
    expect(judge(starting, 'idle', graceMs - 1)).toBeNull();
  });

  it('that shows an idle dock after the grace means that it never started', () => {
    expect(judge(starting, 'idle', graceMs)).toEqual({ type: 'observedNotStarted' });
  });

  it('that shows an idle dock does not deny an execute that the dock had accepted', () => {
    expect(judge(step(starting, { type: 'executeAccepted' }, NOON), 'idle', graceMs)).toBeNull();
  });

  it('that shows an idle dock counts, although a late reply to prepare came after execute', () => {
    expect(judge(step(starting, { type: 'prepareAccepted', edition: 1 }, NOON + 1), 'idle', graceMs)).toEqual({
      type: 'observedNotStarted',
    });
  });

  it('that shows an idle dock does not end a flight that was seen', () => {
    expect(judge(aMission({ state: 'executing' }), 'idle', graceMs)).toBeNull();
  });

  it('that shows nothing means nothing', () => {
    expect(judge(starting, 'unknown', graceMs)).toBeNull();
  });
});
