import fc from 'fast-check';
import { DAY_MS, KINDS, MINUTE_MS, NOON, aMission, after, planned, step } from './fixtures/missions.js';
import { type Observation, dueEvent, judgeObservation } from './mission.due.js';
import { decide } from './mission.machine.js';
import { planMission } from './mission.plan.js';
import { flightEndsByMs } from './mission.timing.js';
import {
  DEFAULT_TIMING,
  type Delivery,
  type Effect,
  type Mission,
  type MissionEvent,
  type MissionKind,
  type UnsentCause,
  isOutcome,
} from './mission.types.js';

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
    const { mission } = letTimePass(
      planMission({ approval: null, kind: 'conditional', plannedDurationMs: 1 }, NOON, DEFAULT_TIMING),
    );
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
  const deliveriesOf = (kind: MissionKind): readonly Delivery[] =>
    kind === 'conditional' ? ['prepare'] : ['prepare', 'create'];
  it.each(
    KINDS.flatMap((kind) =>
      deliveriesOf(kind).flatMap((delivery) => begins.map(([when, events]) => ({ kind, delivery, when, events }))),
    ),
  )(
    'never makes us forget a mission that is $kind and delivered by $delivery, when it falls silent after it $when',
    ({ kind, delivery, events }) => {
      fc.assert(
        fc.property(
          fc.infiniteStream(fc.integer({ min: 0, max: 40_000 })),
          fc.boolean(),
          fc.boolean(),
          (late, hold, refuseSends) => {
            const lateMs = (): number => late.next().value as number;
            const { steps } = letTimePass(told(planned(kind, delivery), ...events), { lateMs, hold, refuseSends });
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

describe('a prepare that did not leave', () => {
  const unsent = (mission: Mission, because: UnsentCause, nowMs = NOON + 1): Mission =>
    step(mission, { type: 'prepareUnsent', edition: 1, because }, nowMs);
  const preparing = told(planned('immediate'), 'prepareDue');

  it.each(['dock_offline', 'send_refused'] as const)('is the cause at once, and of the end (%s)', (because) => {
    const waiting = unsent(preparing, because);
    expect(waiting).toMatchObject({ state: 'preparing', cause: { code: because } });
    expect(waiting.nextActionAtMs).toBe(preparing.nextActionAtMs);
    const repeated = step(waiting, { type: 'prepareOverdue' }, NOON + 10_000);
    expect(step(unsent(repeated, because), { type: 'windowClosed' }, NOON + 60_000)).toMatchObject({
      state: 'missed',
      cause: { code: because },
    });
  });

  it('and one to a dock that nobody heard lately have the same cause, until the dock answers', () => {
    const away = step(planned('immediate'), { type: 'prepareDue', dockIsAway: true }, NOON);
    expect(away).toMatchObject({ state: 'preparing', cause: { code: 'dock_offline' } });
    expect(step(away, { type: 'windowClosed' }, NOON + 60_000).cause).toEqual({ code: 'dock_offline' });
    expect(step(away, { type: 'prepareOverdue' }, NOON + 10_000).cause).toBeNull();
  });

  it('is no cause any more once a later one has left: then the dock did not answer', () => {
    const repeated = step(unsent(preparing, 'dock_offline'), { type: 'prepareOverdue' }, NOON + 10_000);
    expect(step(repeated, { type: 'windowClosed' }, NOON + 60_000).cause).toEqual({ code: 'prepare_no_reply' });
  });

  it('says nothing of a mission that its dock has accepted meanwhile, or of an earlier plan', () => {
    const prepared = told(preparing, 'prepareAccepted');
    expect(unsent(prepared, 'dock_offline')).toEqual(prepared);
    const event: MissionEvent = { type: 'prepareUnsent', edition: 2, because: 'dock_offline' };
    expect(step(preparing, event, NOON + 1)).toEqual(preparing);
  });
});

describe('a dock that is no longer in service', () => {
  it('is the cause at once and of the end, although nobody was there to get the prepare', () => {
    const away = { dockIsAway: true, dockIsRetired: true };
    const preparing = step(planned('immediate'), { type: 'prepareDue', ...away }, NOON);
    const unsent = step(preparing, { type: 'prepareUnsent', edition: 1, because: 'dock_offline' }, NOON + 1);
    expect([preparing.cause, unsent.cause]).toEqual([{ code: 'dock_retired' }, { code: 'dock_retired' }]);
    expect(step(unsent, { type: 'prepareGivenUp' }, NOON + 30_000)).toMatchObject({
      state: 'missed',
      cause: { code: 'dock_retired' },
    });
  });

  it('is the cause no more once it is in service again', () => {
    const preparing = step(planned('timed'), { type: 'prepareDue', dockIsRetired: true }, NOON);
    expect(step(preparing, { type: 'prepareOverdue' }, NOON + 30_000).cause).toBeNull();
  });

  it.each(['preparing', 'waiting_ready', 'prepared'] as const)(
    'is the cause of the end of a mission that is %s, whatever was before',
    (state) => {
      const mission = aMission({ state, cause: { code: 'dock_busy' } });
      expect(step(mission, { type: 'windowClosed', dockIsRetired: true }, NOON)).toMatchObject({
        state: 'missed',
        cause: { code: 'dock_retired' },
      });
    },
  );
});

describe('a dock that is cut off', () => {
  it('is the cause at once, although nobody was there to get the prepare, and no more once it is back', () => {
    const event: MissionEvent = { type: 'prepareDue', dockIsAway: true, dockIsCutOff: true };
    const preparing = step(planned('immediate'), event, NOON);
    const unsent = step(preparing, { type: 'prepareUnsent', edition: 1, because: 'dock_offline' }, NOON + 1);
    expect([preparing.cause, unsent.cause]).toEqual([{ code: 'dock_cut_off' }, { code: 'dock_cut_off' }]);
    expect(step(unsent, { type: 'prepareOverdue' }, NOON + 30_000).cause).toBeNull();
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

  it('is no look at a flight that was heard meanwhile, which is due again a minute after that word', () => {
    const flying = step(aMission({ state: 'starting', startedAtMs: NOON }), { type: 'flightInProgress' }, NOON);
    const heardAtMs = NOON + 20_000;
    const dueMs = NOON + DEFAULT_TIMING.silenceMs;
    const heard = { ...flying, heardAtMs };
    expect(dueEvent(heard, dueMs, DEFAULT_TIMING)).toEqual({ type: 'progressHeard' });
    const later = step(heard, { type: 'progressHeard' }, dueMs);
    expect(later.nextActionAtMs).toBe(heardAtMs + DEFAULT_TIMING.silenceMs);
    expect(dueEvent(later, heardAtMs + DEFAULT_TIMING.silenceMs, DEFAULT_TIMING)).toEqual({ type: 'progressSilent' });
  });

  it('is the end of a flight that reports for ever, at the end of the longest flight', () => {
    const flying = step(aMission({ state: 'starting', startedAtMs: NOON }), { type: 'flightInProgress' }, NOON);
    const endsMs = flightEndsByMs(flying, DEFAULT_TIMING);
    const heard = { ...flying, heardAtMs: endsMs - 10_000, nextActionAtMs: endsMs - 5_000 };
    const later = step(heard, { type: 'progressHeard' }, endsMs - 5_000);
    expect(later.nextActionAtMs).toBe(endsMs);
    expect(dueEvent({ ...later, heardAtMs: endsMs }, endsMs, DEFAULT_TIMING)).toEqual({ type: 'observationGivenUp' });
  });

  it('comes soon after an accepted execute that nobody expected, even on a mission that may wait for hours', () => {
    const waiting = aMission({ kind: 'conditional', state: 'waiting_ready', nextActionAtMs: NOON + 60 * MINUTE_MS });
    expect(step(waiting, { type: 'executeAccepted' }, NOON).nextActionAtMs).toBe(NOON + DEFAULT_TIMING.replyMs);
  });
});

const FLYING: Observation = { shows: 'flying' };
const UNKNOWN: Observation = { shows: 'unknown' };
/** At rest, by values that just came in, of a dock that was never out of sight. */
const RESTING: Observation = { shows: 'resting', saidAgoMs: 0, inSightForMs: null };

describe('a look at the dock of a mission that starts', () => {
  const starting = aMission({ state: 'starting', startedAtMs: NOON });
  const graceMs = NOON + DEFAULT_TIMING.startWindowMs + DEFAULT_TIMING.startGraceMs;
  const judge = (mission: Mission, seen: Observation, nowMs: number) =>
    judgeObservation(mission, seen, nowMs, DEFAULT_TIMING);

  it('that shows a flying aircraft means that it flies', () => {
    expect(judge(starting, FLYING, NOON + 1)).toEqual({ type: 'observedFlying' });
  });

  it('that shows rest soon after execute means nothing, because docks take their time', () => {
    expect(judge(starting, RESTING, graceMs - 1)).toBeNull();
  });

  it('that shows rest after the grace means that it never started', () => {
    expect(judge(starting, RESTING, graceMs)).toEqual({ type: 'observedNotStarted' });
  });

  it('that shows rest means nothing where the dock said so before the grace was over: it may have left since, and flown', () => {
    const saidAgoMs = 10_000;
    expect(judge(starting, { ...RESTING, saidAgoMs }, graceMs + saidAgoMs - 1)).toBeNull();
    expect(judge(starting, { ...RESTING, saidAgoMs }, graceMs + saidAgoMs)).toEqual({ type: 'observedNotStarted' });
  });

  it('that shows rest means nothing where the dock was out of sight since the start: it may have flown and landed', () => {
    const inSightForMs = graceMs - NOON;
    expect(judge(starting, { ...RESTING, inSightForMs }, graceMs)).toBeNull();
    expect(judge(starting, { ...RESTING, inSightForMs: inSightForMs + 1 }, graceMs)).not.toBeNull();
  });

  it('that shows rest does not deny an execute that the dock had accepted', () => {
    expect(judge(step(starting, { type: 'executeAccepted' }, NOON), RESTING, graceMs)).toBeNull();
  });

  it('that shows rest counts, although a late reply to prepare came after execute', () => {
    expect(judge(step(starting, { type: 'prepareAccepted', edition: 1 }, NOON + 1), RESTING, graceMs)).toEqual({
      type: 'observedNotStarted',
    });
  });

  it('that shows nothing means nothing', () => {
    expect(judge(starting, UNKNOWN, graceMs)).toBeNull();
  });
});

describe.each(['executing', 'paused'] as const)('looks at the dock of a silent flight that is %s', (state) => {
  const LAST_WORD = NOON + 10 * MINUTE_MS;
  const silent = aMission({ state, startedAtMs: NOON, heardAtMs: LAST_WORD, sinceMs: NOON + MINUTE_MS });
  const first = LAST_WORD + MINUTE_MS;

  /** Looks ten seconds apart, from a minute after the dock's last word. */
  const lookOn = (mission: Mission, ...seen: Observation[]): Mission =>
    seen.reduce((now, observation, index) => {
      const nowMs = first + index * 10_000;
      const event = judgeObservation(now, observation, nowMs, DEFAULT_TIMING);
      return event === null ? now : step(now, event, nowMs);
    }, mission);
  const looks = (count: number, seen: Observation = RESTING): Observation[] => Array(count).fill(seen) as Observation[];

  it('end it with a cause of its own once they showed rest for a minute', () => {
    expect(lookOn(silent, ...looks(6)).state).toBe(state);
    const over = lookOn(silent, ...looks(7));
    expect(over).toMatchObject({ state: 'outcome_unknown', cause: { code: 'seen_over' }, nextActionAtMs: null });
  });

  it('end nothing while one of them shows something else: the minute begins anew', () => {
    expect(lookOn(silent, ...looks(6), UNKNOWN, ...looks(6)).state).toBe(state);
    expect(lookOn(silent, ...looks(6), UNKNOWN, ...looks(7)).state).toBe('outcome_unknown');
  });

  it('end nothing by what the dock had said before its last word about the flight', () => {
    const nowMs = first;
    const old: Observation = { shows: 'resting', saidAgoMs: nowMs - LAST_WORD, inSightForMs: null };
    expect(judgeObservation(silent, old, nowMs, DEFAULT_TIMING)).toBeNull();
    expect(
      judgeObservation(silent, { ...old, saidAgoMs: nowMs - LAST_WORD - 1 }, nowMs, DEFAULT_TIMING),
    ).not.toBeNull();
  });

  it('end it a minute after the dock came back into sight, and not before', () => {
    const back = (index: number): Observation => ({ shows: 'resting', saidAgoMs: 0, inSightForMs: index * 10_000 });
    const seen = [...looks(4), ...[0, 1, 2, 3, 4, 5].map(back)];
    expect(lookOn(silent, ...seen).state).toBe(state);
    expect(lookOn(silent, ...seen, back(6)).state).toBe('outcome_unknown');
  });

  it('begin anew after a word about the flight', () => {
    const flying = step(lookOn(silent, ...looks(6)), { type: 'flightInProgress' }, first + 55_000);
    expect(flying.restingSinceMs).toBeNull();
    expect(step(flying, { type: 'observedOver', inSightSinceMs: 0 }, first + 60_000)).toEqual(flying);
  });

  it('end a flight that was not seen in the air only after all the time that a start takes', () => {
    const startedAtMs = LAST_WORD - 10_000;
    const deadlineMs = startedAtMs + DEFAULT_TIMING.startWindowMs;
    const unseen = { ...silent, startedAtMs, sinceMs: startedAtMs, deadlineMs };
    const latestStartMs = deadlineMs + DEFAULT_TIMING.startGraceMs + DEFAULT_TIMING.powerOnMs;
    const count = (latestStartMs - first) / 10_000;
    expect(lookOn(unseen, ...looks(count)).state).toBe(state);
    expect(lookOn(unseen, ...looks(count + 1)).state).toBe('outcome_unknown');
    const seen = step(unseen, { type: 'flightInProgress', airborne: true }, LAST_WORD);
    expect(lookOn(seen, ...looks(7)).state).toBe('outcome_unknown');
  });

  it('put no other look off', () => {
    const due = { ...silent, nextActionAtMs: first + 10_000 };
    expect(step(due, { type: 'observedResting', inSightSinceMs: 0 }, first).nextActionAtMs).toBe(first + 10_000);
  });
});

describe('what the dock says of a flight that was seen over', () => {
  const over = aMission({ state: 'outcome_unknown', cause: { code: 'seen_over' }, nextActionAtMs: null });
  const effectsOf = (event: MissionEvent) => {
    const decision = decide(over, event, NOON, DEFAULT_TIMING);
    return decision.kind === 'refused' ? decision.reason : decision.effects;
  };

  it.each(['flightInProgress', 'flightPaused', 'observedFlying'] as const)('contradicts its end (%s)', (type) => {
    expect(effectsOf({ type })).toEqual(['contradictEnd']);
  });

  it('resolves it when it tells the end', () => {
    expect(effectsOf({ type: 'flightEnded', outcome: 'succeeded', dockResult: 0 })).toEqual(['recordResolution']);
  });
});
