import fc from 'fast-check';
import {
  aMission,
  DAY_MS,
  KINDS,
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
import { dueEvent } from './mission.due.js';
import { decide } from './mission.machine.js';
import { DEFAULT_TIMING, type Mission, type MissionEvent, isOutcome } from './mission.types.js';

// A failing run prints its seed and its shrunk counterexample; `seed` in RUNS repeats it.
const RUNS = { numRuns: 1_000 };
const anyKind = fc.constantFrom(...KINDS);
const anyTime = fc.oneof(anyInstant, fc.integer({ min: -DAY_MS, max: 4e12 }));

describe('the laws of the lifecycle', () => {
  it('decides on any mission, any event and any time without throwing', () => {
    fc.assert(
      fc.property(anyMission, anyEvent, anyTime, (mission, event, nowMs) => {
        expect(['moved', 'unchanged', 'refused']).toContain(decide(mission, event, nowMs, DEFAULT_TIMING).kind);
      }),
      RUNS,
    );
  });

  it('finds what is due of any mission at any time without throwing, and only what the table knows', () => {
    fc.assert(
      fc.property(anyMission, anyTime, (mission, nowMs) => {
        const event = dueEvent(mission, nowMs, DEFAULT_TIMING);
        if (event !== null) expect(decide(mission, event, nowMs, DEFAULT_TIMING).kind).not.toBe('refused');
      }),
      RUNS,
    );
  });

  it('changes nothing that it was given', () => {
    fc.assert(
      fc.property(anyMission, anyEvent, anyInstant, (mission, event, nowMs) => {
        const before = structuredClone(mission);
        decide(mission, event, nowMs, DEFAULT_TIMING);
        expect(mission).toEqual(before);
      }),
      RUNS,
    );
  });

  it('keeps an ended mission exactly as it is, whatever comes', () => {
    fc.assert(
      fc.property(anyMission, anyEvent, anyInstant, (mission, event, nowMs) => {
        fc.pre(isOutcome(mission.state));
        expect(after(mission, decide(mission, event, nowMs, DEFAULT_TIMING))).toBe(mission);
      }),
      RUNS,
    );
  });

  it('never lets execute out before its lead or at its deadline, for a clock that is off by up to a day', () => {
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
  });

  it('sends one execute for each attempt, and opens a second one only after a proof that the first did not start', () => {
    fc.assert(
      fc.property(anyKind, anyHistory, (kind, history) => {
        let mission = planned(kind);
        let executes = 0;
        let proven = true;
        for (const { event, nowMs } of history) {
          const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
          if (decision.kind === 'refused') continue;
          if (event.type === 'sendRefused' || event.type === 'executeDeferred') {
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
  });

  it('sends no execute any more once the dock accepted one or a flight was seen', () => {
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
  });

  it('gives every mission that is not over a next action, through any history', () => {
    fc.assert(
      fc.property(anyKind, anyHistory, (kind, history) => {
        let mission = planned(kind);
        for (const { event, nowMs } of history) {
          mission = step(mission, event, nowMs);
          expect(mission.nextActionAtMs === null).toBe(isOutcome(mission.state));
        }
      }),
      RUNS,
    );
  });

  it('numbers every decision anew', () => {
    fc.assert(
      fc.property(anyKind, anyHistory, (kind, history) => {
        let mission = planned(kind);
        for (const { event, nowMs } of history) {
          const next = step(mission, event, nowMs);
          expect(next.revision).toBe(next === mission ? mission.revision : mission.revision + 1);
          mission = next;
        }
      }),
      RUNS,
    );
  });

  it('comes to the same state from every prefix that was written down and read again', () => {
    fc.assert(
      fc.property(anyKind, anyHistory, (kind, history) => {
        let kept = planned(kind);
        let restored = planned(kind);
        for (const { event, nowMs } of history) {
          kept = step(kept, event, nowMs);
          restored = JSON.parse(JSON.stringify(step(restored, event, nowMs))) as Mission;
        }
        expect(restored).toEqual(kept);
      }),
      RUNS,
    );
  });

  it('does not care in which order and how often the dock tells of a flight', () => {
    fc.assert(
      fc.property(anyKind, fc.constantFrom(...REPORTED), fc.infiniteStream(fc.nat()), (kind, outcome, choices) => {
        expect(fly(kind, outcome, () => choices.next().value as number).state).toBe(outcome);
      }),
      RUNS,
    );
  });
});

const SEEN = ['executeAccepted', 'flightInProgress', 'flightPaused', 'observedFlying'] as const;
const ready = (kind: Mission['kind']): Mission => aMission({ kind, attempt: 0, startedAtMs: null });

const REPLIES: readonly MissionEvent[] = [{ type: 'prepareAccepted' }];
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
