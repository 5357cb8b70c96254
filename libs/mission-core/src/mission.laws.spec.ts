import { RUNS, RUNS_TIMEOUT_MS, expectEqual } from '@aerie/property-testing';
import fc from 'fast-check';
import {
  aMission,
  DAY_MS,
  KINDS,
  MINUTE_MS,
  NOON,
  REPORTED,
  after,
  anyEvent,
  anyHistory,
  anyInstant,
  anyMission,
  planned,
  step,
} from './fixtures/missions.js';
import { type Observation, dueEvent, judgeObservation } from './mission.due.js';
import { EVENT_TYPES, decide, goesOnAsBefore } from './mission.machine.js';
import { planMission } from './mission.plan.js';
import { flightEndsByMs, leadMs } from './mission.timing.js';
import {
  DEFAULT_TIMING,
  type Effect,
  type EventType,
  type Mission,
  type MissionEvent,
  isOrder,
  isOutcome,
} from './mission.types.js';

const anyKind = fc.constantFrom(...KINDS);
const anyApproval = fc.constantFrom(null, { lifetimeMs: null }, { lifetimeMs: 20 * MINUTE_MS });
const anyPlan = fc.tuple(anyKind, fc.constantFrom('prepare' as const, 'create' as const), anyApproval);
const anyTime = fc.oneof(anyInstant, fc.integer({ min: -DAY_MS, max: 4e12 }));

describe('the laws of the lifecycle', () => {
  it(
    'P1: decides on any mission, any event and any time without throwing',
    () => {
      fc.assert(
        fc.property(anyMission, anyEvent, anyTime, (mission, event, nowMs) => {
          expect(['moved', 'unchanged', 'refused']).toContain(decide(mission, event, nowMs, DEFAULT_TIMING).kind);
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'finds what is due of any mission at any time without throwing, and only what the table knows',
    () => {
      fc.assert(
        fc.property(anyMission, anyTime, (mission, nowMs) => {
          const event = dueEvent(mission, nowMs, DEFAULT_TIMING);
          if (event !== null) expect(decide(mission, event, nowMs, DEFAULT_TIMING).kind).not.toBe('refused');
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'changes nothing that it was given',
    () => {
      fc.assert(
        fc.property(anyMission, anyEvent, anyInstant, (mission, event, nowMs) => {
          const before = structuredClone(mission);
          decide(mission, event, nowMs, DEFAULT_TIMING);
          expectEqual(mission, before);
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P2: keeps an ended mission exactly as it is, whatever comes, and orders nothing of its dock',
    () => {
      fc.assert(
        fc.property(anyMission, anyEvent, anyInstant, (mission, event, nowMs) => {
          fc.pre(isOutcome(mission.state));
          const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
          expect(after(mission, decision)).toBe(mission);
          if (decision.kind !== 'refused') {
            expectEqual(decision.effects.filter(isOrder), []);
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P7: never lets execute out before its lead or at its deadline, for a clock that is off by up to a day',
    () => {
      fc.assert(
        fc.property(anyMission, fc.integer({ min: -DAY_MS, max: DAY_MS }), anyEvent, (any, skewMs, event) => {
          for (const asked of [event, { type: 'executeDue' } as const]) {
            const mission: Mission = asked === event ? any : { ...any, state: 'prepared' };
            const nowMs = (mission.deadlineMs ?? NOON) + skewMs;
            const decision = decide(mission, asked, nowMs, DEFAULT_TIMING);
            if (decision.kind === 'refused' || !decision.effects.includes('sendExecute')) continue;
            expect(nowMs).toBeLessThan(mission.deadlineMs ?? -Infinity);
            expect(nowMs).toBeGreaterThanOrEqual((mission.executeAtMs ?? -Infinity) - DEFAULT_TIMING.executeLeadMs);
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P16: no mission that a person stopped while it started is started, or given to its dock, once more',
    () => {
      fc.assert(
        fc.property(anyMission, anyHistory, (any, history) => {
          let mission: Mission = { ...any, state: 'starting', cause: { code: 'canceled_by_operator' } };
          for (const { event, nowMs } of history) {
            const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
            if (decision.kind === 'refused') continue;
            expect(decision.effects).not.toContain('sendExecute');
            expect(decision.effects).not.toContain('sendPrepare');
            mission = decision.mission;
            // The dock's own word wins over our wish.
            if (mission.cause?.code !== 'canceled_by_operator') return;
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P17: no prepare and no execute leaves for a plan that nobody has approved, whatever happens in whatever order',
    () => {
      fc.assert(
        fc.property(anyPlan, anyHistory, ([kind, delivery], history) => {
          let mission = planned(kind, delivery, { lifetimeMs: null });
          let approved = false;
          for (const { event, nowMs } of history) {
            const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
            if (decision.kind === 'refused') continue;
            if (event.type === 'approvalGiven') approved = true;
            // A changed plan is another one.
            if (event.type === 'rescheduled' && !isOutcome(mission.state)) approved = false;
            mission = decision.mission;
            if (approved) continue;
            expectEqual(decision.effects.filter(isTold), []);
            expect(TELL_A_DOCK).not.toContain(mission.state);
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P17: no prepare and no execute leaves for an unapproved plan, also from a state that no history leads to',
    () => {
      fc.assert(
        fc.property(anyMission, anyEvent, anyInstant, (mission, event, nowMs) => {
          fc.pre(mission.approval !== null && mission.approval.givenEdition !== mission.edition);
          for (const asked of [event, dueEvent(mission, nowMs, DEFAULT_TIMING)]) {
            const decision = asked === null ? null : decide(mission, asked, nowMs, DEFAULT_TIMING);
            if (decision === null || decision.kind === 'refused') continue;
            expectEqual(decision.effects.filter(isTold), []);
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P18: an approved mission is prepared and started at the same instants as one that was planned at that instant',
    () => {
      const within = fc.integer({ min: 0, max: 59 * MINUTE_MS });
      fc.assert(
        fc.property(fc.constantFrom('timed', 'conditional'), within, (kind, waitedMs) => {
          const nowMs = NOON + waitedMs;
          const approved = step(planned(kind, 'prepare', { lifetimeMs: null }), { type: 'approvalGiven' }, nowMs);
          const { readyFromMs, readyUntilMs, executeAtMs } = approved;
          const when = executeAtMs === null ? {} : { executeAtMs };
          const window = readyFromMs === null || readyUntilMs === null ? {} : { readyFromMs, readyUntilMs };
          const plan = { kind, plannedDurationMs: 10 * MINUTE_MS, approval: null, ...when, ...window } as const;
          const now = planMission(plan, nowMs, DEFAULT_TIMING);
          const { revision, approval } = approved;
          expectEqual({ ...approved }, { ...now, revision, approval, sinceMs: nowMs });
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P14: a flight that goes on as before changes when its dock was heard, when it is looked at next, and nothing else',
    () => {
      fc.assert(
        fc.property(anyMission, fc.boolean(), anyInstant, (any, airborne, nowMs) => {
          const mission: Mission = { ...any, state: 'executing' };
          const event = { type: 'flightInProgress', airborne } as const;
          fc.pre(goesOnAsBefore(mission, event));
          const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
          if (decision.kind !== 'unchanged') throw new Error(`it is ${decision.kind}`);
          expectEqual(decision.effects, []);
          const { revision } = decision.mission;
          const { nextActionAtMs } = decision.mission;
          expectEqual({ ...decision.mission }, { ...mission, revision, nextActionAtMs, heardAtMs: nowMs });
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P15: a flight that was heard is never looked at later than its silence, or the longest flight, allows',
    () => {
      fc.assert(
        fc.property(anyMission, fc.constantFrom('executing', 'paused'), anyInstant, (any, state, nowMs) => {
          const mission: Mission = { ...any, state };
          const event = dueEvent(mission, nowMs, DEFAULT_TIMING);
          fc.pre(event?.type === 'progressHeard');
          const { nextActionAtMs } = step(mission, { type: 'progressHeard' }, nowMs);
          const silentAtMs = (mission.heardAtMs ?? nowMs) + DEFAULT_TIMING.silenceMs;
          expect(nextActionAtMs).toBeLessThanOrEqual(silentAtMs);
          expect(nextActionAtMs).toBeLessThanOrEqual(Math.max(nowMs, flightEndsByMs(mission, DEFAULT_TIMING)));
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P11: moves no deadline later by any event, except a new time that a person gives to a timed mission',
    () => {
      fc.assert(
        fc.property(anyMission, anyEvent, anyTime, (mission, event, nowMs) => {
          fc.pre(event.type !== 'rescheduled');
          const next = step(mission, event, nowMs);
          expect(next.deadlineMs ?? Infinity).toBeLessThanOrEqual(mission.deadlineMs ?? Infinity);
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P12: tells a dock of an immediate mission and starts it only before the deadline with which it was planned',
    () => {
      fc.assert(
        fc.property(fc.constantFrom('prepare', 'create'), anyHistory, (delivery, history) => {
          let mission = planned('immediate', delivery);
          const lastMs = NOON + DEFAULT_TIMING.startWithinMs;
          for (const { event, nowMs } of history) {
            // A person's new time is for timed missions; the service refuses it before it comes here.
            if (event.type === 'rescheduled') continue;
            const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
            if (decision.kind === 'refused') continue;
            const late = decision.effects.filter((effect) => effect === 'sendPrepare' || effect === 'sendExecute');
            if (nowMs >= lastMs) expectEqual(late, []);
            mission = decision.mission;
            if (!isOutcome(mission.state)) expect(mission.deadlineMs).not.toBeNull();
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P4: sends one execute for each attempt, and opens a second one only after a proof that the first did not start',
    () => {
      fc.assert(
        fc.property(anyPlan, anyHistory, (plan, history) => {
          let mission = planned(...plan);
          let executes = 0;
          let proven = true;
          for (const { event, nowMs } of history) {
            const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
            if (decision.kind === 'refused') continue;
            if (PROOFS.includes(event.type)) {
              proven ||= decision.kind === 'moved' && 'attempt' in event && event.attempt === mission.attempt;
            }
            if (decision.effects.includes('sendExecute')) {
              expect(proven).toBe(true);
              proven = false;
              executes++;
            }
            mission = decision.mission;
            expect(executes).toBe(mission.attempt);
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'sends no execute any more once the dock accepted one or a flight was seen',
    () => {
      fc.assert(
        fc.property(anyKind, fc.constantFrom(...SEEN), anyHistory, (kind, first, history) => {
          let mission = step(step(ready(kind), { type: 'executeDue' }, NOON), { type: first }, NOON);
          for (const { event } of history) {
            // At one instant inside the window, so that only the proof can forbid it.
            const decision = decide(mission, event, NOON, DEFAULT_TIMING);
            if (decision.kind === 'refused') continue;
            expect(decision.effects).not.toContain('sendExecute');
            mission = decision.mission;
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P10: gives every mission that is not over a next action, within a quarter of an hour or at an instant of its plan',
    () => {
      fc.assert(
        fc.property(anyPlan, anyHistory, (plan, history) => {
          let mission = planned(...plan);
          for (const { event, nowMs } of history) {
            mission = step(mission, event, nowMs);
            expect(mission.nextActionAtMs === null).toBe(isOutcome(mission.state));
            if (mission.nextActionAtMs === null || mission.nextActionAtMs <= nowMs + 15 * MINUTE_MS) continue;
            expect(instantsOf(mission)).toContain(mission.nextActionAtMs);
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P3: goes back only where the dock or the ingress proved that nothing started, or where the plan was changed',
    () => {
      fc.assert(
        fc.property(anyMission, anyEvent, anyInstant, (mission, event, nowMs) => {
          const next = step(mission, event, nowMs);
          if (RANK[next.state] >= RANK[mission.state]) return;
          const edge = `${event.type}: ${mission.state} -> ${next.state}`;
          expect(WAYS_BACK).toContain(edge);
          if (event.type === 'rescheduled') expect(next.edition).toBe(mission.edition + 1);
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P6: does the same once as twice when a dock says anything twice',
    () => {
      fc.assert(
        fc.property(anyMission, anyEvent, anyInstant, (mission, event, nowMs) => {
          const once = decide(mission, event, nowMs, DEFAULT_TIMING);
          if (once.kind === 'refused') return;
          const twice = decide(once.mission, event, nowMs, DEFAULT_TIMING);
          expect(after(once.mission, twice).state).toBe(once.mission.state);
          if (twice.kind === 'refused' || !SAID_BY_DOCK.includes(event.type)) return;
          // A look and an undo are harmless to repeat; nothing that flies is ordered by a repeat.
          expectEqual(
            twice.effects.filter((effect) => isOrder(effect) && effect !== 'observeFlight'),
            [],
          );
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'numbers every decision anew',
    () => {
      fc.assert(
        fc.property(anyPlan, anyHistory, (plan, history) => {
          let mission = planned(...plan);
          for (const { event, nowMs } of history) {
            const next = step(mission, event, nowMs);
            expect(next.revision).toBe(next === mission ? mission.revision : mission.revision + 1);
            mission = next;
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P9: comes to the same state from every prefix that was written down and read again',
    () => {
      fc.assert(
        fc.property(anyPlan, anyHistory, (plan, history) => {
          let kept = planned(...plan);
          let restored = planned(...plan);
          for (const { event, nowMs } of history) {
            kept = step(kept, event, nowMs);
            restored = JSON.parse(JSON.stringify(step(restored, event, nowMs))) as Mission;
          }
          expectEqual(restored, kept);
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P13: never contradicts what a dock has shown for long enough, whatever was said and seen before',
    () => {
      fc.assert(
        fc.property(anyPlan, anyHistory, fc.constantFrom('flying', 'resting'), (plan, history, shows) => {
          let mission = planned(...plan);
          let nowMs = NOON;
          for (const happening of history) {
            nowMs = happening.nowMs;
            mission = step(mission, happening.event, nowMs);
          }
          fc.pre(mission.state === 'executing' || mission.state === 'paused');
          const untilMs = nowMs + DEFAULT_TIMING.unobservedMs - MINUTE_MS;
          // Long before the longest flight is over: its end is another law.
          fc.pre(flightEndsByMs(mission, DEFAULT_TIMING) > untilMs + MINUTE_MS);
          while (nowMs < untilMs && !isOutcome(mission.state)) {
            nowMs += 10_000;
            const seen: Observation = shows === 'flying' ? { shows } : { shows, saidAgoMs: 1_000, inSightForMs: null };
            const event = judgeObservation(mission, seen, nowMs, DEFAULT_TIMING);
            if (event !== null) mission = step(mission, event, nowMs);
          }
          if (shows === 'resting') expect(mission).toMatchObject({ cause: { code: 'seen_over' } });
          else expect(isOutcome(mission.state)).toBe(false);
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P13: calls no flight over unless each look of a minute showed its dock at rest',
    () => {
      const look = fc.record({
        shows: fc.constantFrom<Observation['shows'][]>(
          'flying',
          'unknown',
          ...(Array(9).fill('resting') as ['resting']),
        ),
        saidAgoMs: fc.nat(15_000),
        inSightForMs: fc.option(fc.nat(10 * MINUTE_MS), { nil: null }),
        afterMs: fc.constantFrom(2_000, 10_000, 20_000),
      });
      fc.assert(
        fc.property(fc.array(look, { maxLength: 60 }), (looks) => {
          let mission = aMission({ state: 'executing', startedAtMs: NOON - 10 * MINUTE_MS, heardAtMs: NOON });
          let nowMs = NOON + MINUTE_MS;
          let restsSinceMs = Infinity;
          for (const { afterMs, ...seen } of looks) {
            nowMs += afterMs;
            const event = judgeObservation(mission, seen, nowMs, DEFAULT_TIMING);
            const rests = seen.shows === 'resting' && nowMs - seen.saidAgoMs > (mission.heardAtMs ?? 0);
            restsSinceMs = rests ? Math.min(restsSinceMs, nowMs) : Infinity;
            if (event !== null) mission = step(mission, event, nowMs);
            if (!isOutcome(mission.state)) continue;
            expect(nowMs - restsSinceMs).toBeGreaterThanOrEqual(DEFAULT_TIMING.restingForMs);
            expect(seen.inSightForMs ?? Infinity).toBeGreaterThanOrEqual(DEFAULT_TIMING.restingForMs);
            return;
          }
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'P5: does not care in which order and how often the dock tells of a flight',
    () => {
      fc.assert(
        fc.property(anyKind, fc.constantFrom(...REPORTED), fc.infiniteStream(fc.nat()), (kind, outcome, choices) => {
          expect(fly(kind, outcome, () => choices.next().value as number).state).toBe(outcome);
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );
});

const isTold = (effect: Effect): boolean => effect === 'sendPrepare' || effect === 'sendExecute';
/** From these a prepare or an execute leaves. */
const TELL_A_DOCK: readonly Mission['state'][] = ['scheduled', 'preparing', 'waiting_ready', 'prepared'];

const PROOFS: readonly EventType[] = ['sendRefused', 'executeDeferred', 'executeUnprepared'];
const SAID_BY_DOCK: readonly EventType[] = EVENT_TYPES.filter((type) =>
  /^(prepare|execute|undo)(Accepted|Refused|Deferred|Unprepared)$|^flight/.test(type),
);
/** How far a mission has come. Looking at a flight that is being called off may show that it flies. */
const RANK: Readonly<Record<Mission['state'], number>> = {
  awaiting_approval: 5,
  ...{ scheduled: 10, preparing: 20, waiting_ready: 25, prepared: 30, starting: 40, executing: 50, paused: 50 },
  ...{ canceling: 60, succeeded: 100, partially_done: 100, failed: 100, rejected: 100, canceled: 100 },
  ...{ timed_out: 100, missed: 100, outcome_unknown: 100 },
};
const WAYS_BACK = [
  'sendRefused: starting -> prepared',
  'executeDeferred: starting -> prepared',
  'executeUnprepared: starting -> preparing',
  'rescheduled: preparing -> scheduled',
  'rescheduled: prepared -> scheduled',
  ...['scheduled', 'preparing', 'prepared'].map((state) => `rescheduled: ${state} -> awaiting_approval`),
  ...['executeAccepted: canceling -> starting', 'observedFlying: canceling -> executing'],
  ...['flightInProgress: canceling -> executing', 'flightPaused: canceling -> paused'],
];

const instantsOf = (mission: Mission): (number | null)[] => [
  mission.prepareAtMs,
  mission.deadlineMs,
  mission.readyUntilMs,
  mission.approval?.untilMs ?? null,
  (mission.readyFromMs ?? 0) + 1,
  (mission.executeAtMs ?? 0) - leadMs(mission, DEFAULT_TIMING),
];

const SEEN = ['executeAccepted', 'flightInProgress', 'flightPaused', 'observedFlying'] as const;
const ready = (kind: Mission['kind']): Mission => aMission({ kind, attempt: 0, startedAtMs: null });

const REPLIES: readonly MissionEvent[] = [{ type: 'prepareAccepted', edition: 1 }];
const FLIGHT: readonly MissionEvent[] = [
  { type: 'executeAccepted' },
  { type: 'flightSent' },
  { type: 'flightInProgress' },
  { type: 'flightPaused' },
  { type: 'flightInProgress' },
];

/**
 * One flight in which each message of the dock comes one to three times, in any order, anywhere after the command that
 * causes it, with seconds between them in which timers may become due.
 */
function fly(kind: Mission['kind'], outcome: (typeof REPORTED)[number], choose: () => number): Mission {
  const repeated = (events: readonly MissionEvent[]) =>
    events.flatMap((event) => Array.from({ length: 1 + (choose() % 3) }, () => event));
  let mission = planned(kind);
  let nowMs = mission.prepareAtMs;
  const pending: MissionEvent[] = [];
  for (let steps = 0; steps < 1_000 && !(isOutcome(mission.state) && pending.length === 0); steps++) {
    const quiet = pending.length === 0;
    // Nothing on its way: time goes on until the mission acts by itself.
    nowMs = quiet ? Math.max(nowMs, mission.nextActionAtMs ?? nowMs) : nowMs + (choose() % 900);
    const due = quiet || choose() % 3 === 0 ? dueEvent(mission, nowMs, DEFAULT_TIMING) : null;
    const event = due ?? pending.splice(choose() % Math.max(1, pending.length), 1)[0];
    if (event === undefined) continue;
    const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
    if (decision.kind === 'refused') continue;
    mission = decision.mission;
    if (decision.effects.includes('sendPrepare')) {
      pending.push(...repeated(kind === 'conditional' ? [...REPLIES, { type: 'flightReady' }] : REPLIES));
    }
    if (decision.effects.includes('sendExecute')) {
      pending.push(...repeated([...FLIGHT, { type: 'flightEnded', outcome, dockResult: 0 }]));
    }
  }
  return mission;
}
