import { RUNS, RUNS_TIMEOUT_MS } from '@aerie/property-testing';
import fc from 'fast-check';
import { anyHistory, KINDS, MINUTE_MS, NOON, planned } from './fixtures/missions.js';
import { decide, goesOnAsBefore } from './mission.machine.js';
import { DEFAULT_TIMING, type Mission } from './mission.types.js';
import { type ReplayEntry, replay } from './replay.js';

const HOUR_MS = 60 * MINUTE_MS;
/** A person's new time. */
const movedTo = (executeAtMs: number) => ({
  ...{ type: 'rescheduled' as const, executeAtMs, prepareAtMs: executeAtMs - 15 * MINUTE_MS },
  deadlineMs: executeAtMs + DEFAULT_TIMING.startWindowMs,
});

interface Happening {
  readonly event: Parameters<typeof decide>[1];
  readonly nowMs: number;
}

/** What the service writes down of a history. */
function recordOf(begin: Mission, history: readonly Happening[]): ReplayEntry[] {
  let mission = begin;
  const note = { kind: 'note', what: 'created', to: mission.state, version: 1 };
  const entries: ReplayEntry[] = [{ ...note, detail: { plan: mission, timing: DEFAULT_TIMING } }];
  for (const { event, nowMs } of history) {
    const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
    if (decision.kind === 'refused') {
      entries.push({ kind: 'refusal', what: event.type, to: null, version: null, detail: { event, nowMs } });
      continue;
    }
    ({ mission } = decision);
    const { effects } = decision;
    const detail = { event, nowMs, effects, nextActionAtMs: mission.nextActionAtMs };
    entries.push({ kind: 'decision', what: event.type, to: mission.state, version: mission.revision, detail });
  }
  return JSON.parse(JSON.stringify(entries)) as ReplayEntry[];
}

/** The same where reports that tell nothing new leave no entry; the next decision says when the dock was heard. */
function recordWithReportsBeside(begin: Mission, history: readonly Happening[]) {
  let mission = begin;
  const note = { kind: 'note', what: 'created', to: mission.state, version: 1 };
  const entries: ReplayEntry[] = [{ ...note, detail: { plan: mission, timing: DEFAULT_TIMING } }];
  for (const { event, nowMs } of history) {
    if (goesOnAsBefore(mission, event)) {
      mission = { ...mission, heardAtMs: nowMs };
      continue;
    }
    const [, entry] = recordOf(mission, [{ event, nowMs }]);
    const { heardAtMs } = mission;
    entries.push({ ...(entry as ReplayEntry), detail: { ...(entry?.detail as object), heardAtMs } });
    const decision = decide(mission, event, nowMs, DEFAULT_TIMING);
    if (decision.kind !== 'refused') ({ mission } = decision);
  }
  return { entries, mission };
}

const A_FLIGHT: readonly Happening[] = [
  { event: { type: 'prepareDue' }, nowMs: NOON },
  { event: { type: 'prepareAccepted', edition: 1 }, nowMs: NOON + 50 },
  { event: { type: 'executeDue' }, nowMs: NOON + 60 },
  { event: { type: 'cancelRequested' }, nowMs: NOON + 70 },
  { event: { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 }, nowMs: NOON + 90_000 },
];
const aRecord = (): ReplayEntry[] => recordOf(planned('immediate'), A_FLIGHT);

describe('the replay of a timeline', () => {
  it(
    'comes to the same states for any recorded history',
    () => {
      fc.assert(
        fc.property(fc.constantFrom(...KINDS), anyHistory, (kind, history) => {
          expect(replay(recordOf(planned(kind), history))).toMatchObject({ kind: 'same', decisions: history.length });
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it(
    'comes to the same states where reports of a flight that goes on were kept beside the mission',
    () => {
      fc.assert(
        fc.property(fc.constantFrom(...KINDS), anyHistory, (kind, history) => {
          const { entries, mission } = recordWithReportsBeside(planned(kind), history);
          const replayed = replay(entries);
          if (replayed.kind !== 'same') throw new Error(JSON.stringify(replayed));
          expect({ ...replayed.mission, heardAtMs: null }).toEqual({ ...mission, heardAtMs: null });
        }),
        RUNS,
      );
    },
    RUNS_TIMEOUT_MS,
  );

  it('ignores messages and notes between the decisions', () => {
    const note = { kind: 'message_in', what: 'flighttask_progress', to: null, version: null, detail: {} };
    const entries = aRecord().flatMap((entry) => [entry, note]);
    expect(replay(entries)).toMatchObject({ kind: 'same', decisions: 5, mission: { state: 'succeeded' } });
  });

  it('follows a mission that was moved and approved twice, and one whose plan says nothing of approvals', () => {
    const approved: Happening[] = [
      { event: { type: 'approvalGiven' }, nowMs: NOON },
      { event: movedTo(NOON + 2 * HOUR_MS), nowMs: NOON + 1 },
      { event: { type: 'approvalGiven' }, nowMs: NOON + 2 },
    ];
    const mission = planned('timed', 'prepare', { lifetimeMs: HOUR_MS });
    expect(replay(recordOf(mission, approved))).toMatchObject({ kind: 'same', decisions: 3, mission: { edition: 2 } });
    const entries = recordOf(planned('immediate'), [{ event: { type: 'prepareDue' }, nowMs: NOON }]);
    delete (entries[0]?.detail as { plan: { approval?: unknown } }).plan.approval;
    expect(replay(entries)).toMatchObject({ kind: 'same', mission: { state: 'preparing', approval: null } });
  });

  it('follows a mission that was put off without a decision', () => {
    const entries = aRecord();
    const atMs = NOON + 5_000;
    entries.splice(2, 0, {
      kind: 'note',
      what: 'postponed',
      to: null,
      version: null,
      detail: { nextActionAtMs: atMs },
    });
    const before = recordOf(planned('immediate'), A_FLIGHT.slice(0, 1));
    expect(replay([...before, ...entries.slice(2, 3)])).toMatchObject({
      kind: 'same',
      mission: { nextActionAtMs: atMs },
    });
  });

  it.each([
    ['state', (entry: ReplayEntry): ReplayEntry => ({ ...entry, to: 'failed' })],
    ['version', (entry: ReplayEntry): ReplayEntry => ({ ...entry, version: 99 })],
    ['kind', (entry: ReplayEntry): ReplayEntry => ({ ...entry, kind: 'refusal' })],
    ['effects', (entry: ReplayEntry): ReplayEntry => changed(entry, { effects: ['sendUndo'] })],
    ['nextActionAtMs', (entry: ReplayEntry): ReplayEntry => changed(entry, { nextActionAtMs: 7 })],
  ])('names the first entry whose %s is another one', (field, change) => {
    const entries = aRecord().map((entry, index) => (index === 3 ? change(entry) : entry));
    expect(replay(entries)).toMatchObject({
      kind: 'different',
      decisions: 2,
      difference: { entry: 4, event: 'executeDue', field },
    });
  });

  it.each([
    ['nothing', []],
    ['a timeline without its beginning', aRecord().slice(1)],
    [
      'a decision without its event',
      aRecord().map((entry) => ({ ...entry, detail: entry.kind === 'note' ? entry.detail : 7 })),
    ],
  ])('says why it cannot read %s', (_what, entries) => {
    expect(replay(entries)).toMatchObject({ kind: 'unreadable', reason: expect.any(String) });
  });

  it('says that retention has deleted the timeline, also where some of it is left', () => {
    const note = { kind: 'note', what: 'detailPruned', to: null, version: null, detail: {} };
    for (const rest of [[], aRecord(), aRecord().slice(3)])
      expect(replay([note, ...rest])).toEqual({
        kind: 'unreadable',
        entry: 1,
        reason: 'retention has deleted the timeline of this mission, so there is nothing to replay',
      });
  });
});

const changed = (entry: ReplayEntry, detail: object): ReplayEntry => ({
  ...entry,
  detail: { ...(entry.detail as object), ...detail },
});
