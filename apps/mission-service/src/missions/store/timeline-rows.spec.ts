import { randomUUID } from 'node:crypto';
import { DEFAULT_TIMING } from '@aerie/mission-core';
import type { TimelineEntry } from './timeline.js';
import { type TimelineRow, entriesOf, rowsOf } from './timeline-rows.js';

const missionId = randomUUID();
const tid = randomUUID();

const received = (detail: Record<string, unknown>, what = 'flighttask_progress'): TimelineEntry => ({
  ...{ missionId, kind: 'message_in', what, detail: { tid, ...detail } },
});
const decision = (detail: Record<string, unknown> = {}): TimelineEntry => ({
  ...{
    missionId,
    kind: 'decision',
    what: 'flightInProgress',
    fromState: 'starting',
    toState: 'executing',
    revision: 6,
  },
  detail: { tid, event: { type: 'flightInProgress' }, nowMs: 5, effects: [], nextActionAtMs: 6, ...detail },
});
const progress = (more: Record<string, unknown> = {}) => ({
  result: 0,
  output: {
    ...{ status: 'in_progress', progress: { percent: 90, current_step: 25 } },
    ext: {
      ...{ flight_id: missionId, track_id: '', wayline_id: null, media_count: 2, wayline_mission_state: 6 },
      ...{ current_waypoint_index: 1, ...more },
    },
  },
});
const reports = [
  { at: '2026-11-30T03:03:16.080Z', percent: 90, currentStep: 26, waypointIndex: 1, mediaCount: null },
  { at: '2026-11-30T03:03:17.435Z', percent: 90.5, currentStep: 27, waypointIndex: 1, mediaCount: 3 },
  { at: '2026-11-30T03:03:17.001Z', percent: null, currentStep: null, waypointIndex: null, mediaCount: null },
];
const created: TimelineEntry = {
  ...{ missionId, kind: 'note', what: 'created', toState: 'scheduled', revision: 1 },
  detail: {
    ...{ by: 'key', preflight: 'go', resumedFrom: null, timing: DEFAULT_TIMING },
    plan: {
      ...{
        kind: 'immediate',
        cause: null,
        state: 'scheduled',
        attempt: 0,
        edition: 1,
        sinceMs: 1,
        delivery: 'prepare',
      },
      ...{ pausedMs: 0, revision: 1, flownAtMs: null, heardAtMs: null, undoCount: 0, deadlineMs: 9, executeAtMs: null },
      ...{ prepareAtMs: 1, readyFromMs: null, startedAtMs: null, prepareCount: 0, readyUntilMs: null },
      ...{ nextActionAtMs: 1, restingSinceMs: null, plannedDurationMs: 26_132 },
    },
  },
};

/** As the database gives rows back. */
const stored = (entries: readonly TimelineEntry[]): TimelineRow[] =>
  rowsOf(entries).map((row) => {
    const { mission_id: _, ...rest } = JSON.parse(JSON.stringify(row)) as TimelineRow & { mission_id: string };
    return rest;
  });
const plain = ({ kind, what, fromState, toState, revision, detail }: TimelineEntry) => ({
  ...{ kind, what, from_state: fromState ?? null, to_state: toState ?? null, revision: revision ?? null },
  detail: JSON.parse(JSON.stringify(detail ?? {})) as unknown,
});

it.each<[string, readonly TimelineEntry[], number]>([
  ['a report and the decision on it', [received({ data: progress() }), decision()], 1],
  ['a reply and the decision on it', [received({ result: 0 }, 'flighttask_execute reply'), decision()], 1],
  [
    'a message and its refusal',
    [received({ data: progress() }), { ...decision({ effects: undefined, reason: 'late' }), kind: 'refusal' }],
    1,
  ],
  [
    'a decision with effects and more of its event',
    [decision({ event: { type: 'flightInProgress', airborne: true }, effects: ['observeFlight'] })],
    1,
  ],
  ['a report that moved nothing', [received({ data: progress({ track_id: randomUUID(), wayline_id: 0 }) })], 1],
  ['steps of a flight', [{ ...received({}), detail: { reports } }], 1],
  ['the plan of a mission', [created], 1],
  [
    'a plan with a rule of time that a later release has',
    [{ ...created, detail: { ...created.detail, timing: { ...DEFAULT_TIMING, newMs: 1 } } }],
    1,
  ],
  [
    'a command',
    [{ missionId, kind: 'message_out', what: 'flighttask_execute', detail: { tid, outcome: 'written', reason: null } }],
    1,
  ],
  [
    'a report with more than the documented fields',
    [received({ data: progress({ break_point: { index: 1 } }) }), decision()],
    1,
  ],
  [
    'a report without some of them',
    [received({ data: { result: 0, output: { status: 'ok', progress: {}, ext: { flight_id: missionId } } } })],
    1,
  ],
  ['a report whose numbers are text', [received({ data: progress({ media_count: '2' }) })], 1],
  ['a report with a space in a word', [received({ data: progress({ track_id: 'a b' }) })], 1],
  ['a message that is no object', [received({ data: 'in_progress' })], 1],
  ['a message without a tid', [{ ...received({}), detail: { data: progress() } }, decision({ tid: undefined })], 2],
  ['a message of another conversation', [received({ data: progress() }), decision({ tid: randomUUID() })], 2],
  ['a decision on another mission', [received({ data: progress() }), { ...decision(), missionId: randomUUID() }], 2],
  ['a decision that is named otherwise than its event', [{ ...decision(), what: 'other' }], 1],
  ['a decision without effects of its own', [decision({ effects: undefined })], 1],
])('gives back %s as it was', (_what, entries, rows) => {
  const written = stored(entries);
  expect(written).toHaveLength(rows);
  // Whose rows they are does not matter to what they say, but for the name of the flight in a report.
  expect(written.flatMap((row) => entriesOf(missionId, row))).toEqual(entries.map(plain));
});

it('keeps a note between a message and a decision in its place', () => {
  const note: TimelineEntry = { missionId, kind: 'note', what: 'heldBack', detail: { times: 3 } };
  const entries = [received({ data: progress() }), note, decision()];
  expect(stored(entries).flatMap((row) => entriesOf(missionId, row))).toEqual(entries.map(plain));
});

it('keeps the beginning of a message that is longer than any documented one', () => {
  const [row] = stored([received({ data: { text: 'x'.repeat(20_000) } })]);
  expect(row?.detail).toMatchObject({ cut: true, beginning: expect.stringMatching(/^.{16384}$/) });
});

it('reads rows of the release before as they are', () => {
  const row = plain(decision()) as TimelineRow;
  expect(entriesOf(missionId, row)).toEqual([row]);
});

it.each<[string, readonly TimelineEntry[], number]>([
  ['a report and its decision', [received({ data: progress({ track_id: randomUUID() }) }), decision()], 0.5],
  ['steps', [{ ...received({}), detail: { reports: Array.from({ length: 25 }, () => reports[0]) } }], 0.25],
  ['a plan', [created], 0.5],
])('takes less than half of the room for %s', (_what, entries, share) => {
  const plainly = JSON.stringify(entries.map(plain)).length;
  expect(JSON.stringify(stored(entries)).length).toBeLessThan(plainly * share);
});
