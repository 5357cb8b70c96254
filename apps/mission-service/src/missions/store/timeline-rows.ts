// How entries of a timeline lie in their table. An entry is written for people and for `npm run replay`, with every name
// spelled out; the table keeps it for 400 days, so a row leaves out what follows from the rest of it.
//
// INVARIANTS: reading a row gives exactly the entries that were written. Each form is tried by reading it back; what
// would not come back as it was is written plainly. A row without `packed` is plain, as the release before wrote it.
import { isDeepStrictEqual } from 'node:util';
import { boundedDetail } from '@aerie/persistence';
import type { TimelineEntry } from './timeline-entry.js';

export interface TimelineRow {
  readonly kind: TimelineEntry['kind'];
  readonly what: string;
  readonly from_state: string | null;
  readonly to_state: string | null;
  readonly revision: number | null;
  readonly detail: Detail;
}

type Detail = Readonly<Record<string, unknown>>;
type Read = readonly TimelineRow[];

/** Rows for entries that are written together, in their order. A message and what was decided on it are one row. */
export function rowsOf(entries: readonly TimelineEntry[]): readonly (TimelineRow & { readonly mission_id: string })[] {
  const rows: (TimelineRow & { readonly mission_id: string })[] = [];
  for (let index = 0; index < entries.length; index++) {
    const [entry, next] = [entries[index], entries[index + 1]];
    if (entry === undefined) continue;
    const { missionId } = entry;
    const plain = plainRow(entry);
    const decided = next?.missionId === missionId ? plainRow(next) : null;
    const both = decided && checked(missionId, withMessage(plain, decided, missionId), [plain, decided]);
    if (both) index++;
    rows.push({ mission_id: missionId, ...(both || checked(missionId, packed(plain, missionId), [plain]) || plain) });
  }
  return rows;
}

/** The entries that a row holds, in their order. */
export function entriesOf(missionId: string, row: TimelineRow): readonly TimelineRow[] {
  const { detail } = row;
  if (detail['packed'] === undefined) return [row];
  const { packed: _, message, ...own } = detail;
  if (message === undefined) return [{ ...row, detail: unpacked(row, own, missionId) }];
  const { what, ...said } = message as Detail & { readonly what: string };
  const received: TimelineRow = {
    ...{ kind: 'message_in', what, from_state: null, to_state: null, revision: null },
    detail: messageDetail({ tid: own['tid'], ...said }, missionId),
  };
  return [received, { ...row, detail: unpacked(row, own, missionId) }];
}

/** As JSON has it: what is undefined is not there, an instant is text. */
const plainRow = (entry: TimelineEntry): TimelineRow => ({
  kind: entry.kind,
  what: entry.what,
  from_state: entry.fromState ?? null,
  to_state: entry.toState ?? null,
  revision: entry.revision ?? null,
  detail: boundedDetail(entry.detail ?? {}),
});

/** The row, if it is read as what it was made of. */
const checked = (missionId: string, row: TimelineRow | null, entries: Read): TimelineRow | null => {
  if (row === null) return null;
  // As the database gives it back.
  const stored = JSON.parse(JSON.stringify(row)) as TimelineRow;
  return isDeepStrictEqual(entriesOf(missionId, stored), entries) ? row : null;
};

/** A message and the decision or refusal that it led to: they name the same transaction of the dock. */
function withMessage(received: TimelineRow, decided: TimelineRow, missionId: string): TimelineRow | null {
  if (received.kind !== 'message_in' || (decided.kind !== 'decision' && decided.kind !== 'refusal')) return null;
  const { tid, ...said } = received.detail;
  if (tid === undefined || decided.detail['tid'] !== tid) return null;
  const row = packed(decided, missionId);
  return (
    row && { ...row, detail: { ...row.detail, message: { what: received.what, ...packedMessage(said, missionId) } } }
  );
}

function packed(row: TimelineRow, missionId: string): TimelineRow | null {
  if (row.kind === 'decision' || row.kind === 'refusal') {
    const { event, effects, ...rest } = row.detail;
    const { type: _, ...more } = (event ?? {}) as Detail;
    const detail = {
      packed: 1,
      ...rest,
      ...(Object.keys(more).length > 0 ? { event: more } : {}),
      ...(isDeepStrictEqual(effects, []) ? {} : { effects }),
    };
    return { ...row, detail };
  }
  if (row.kind === 'message_in') return { ...row, detail: { packed: 1, ...packedMessage(row.detail, missionId) } };
  if (row.kind === 'note' && row.what === CREATED) return { ...row, detail: { packed: 1, ...packedPlan(row.detail) } };
  return null;
}

function unpacked(row: TimelineRow, detail: Detail, missionId: string): Detail {
  if (row.kind === 'message_in') return messageDetail(detail, missionId);
  if (row.kind === 'note') return planDetail(detail);
  const { event, ...rest } = detail;
  const effects = row.kind === 'decision' && rest['effects'] === undefined ? { effects: [] } : {};
  return { ...rest, ...effects, event: { type: row.what, ...(event as Detail | undefined) } };
}

// Messages of a dock about its flight.

interface Progress {
  readonly result: unknown;
  readonly output: {
    readonly status: unknown;
    readonly progress: Detail;
    readonly ext: Detail;
  };
}

const packedMessage = (detail: Detail, missionId: string): Detail => {
  const { data, reports, ...rest } = detail;
  const progress = isProgress(data, missionId) ? { progress: progressText(data) } : data === undefined ? {} : { data };
  const steps = reports === undefined ? {} : { steps: stepsText(reports as readonly Report[]) };
  return { ...rest, ...progress, ...steps };
};

const messageDetail = (detail: Detail, missionId: string): Detail => {
  const { progress, steps, ...rest } = detail;
  return {
    ...rest,
    ...(typeof progress === 'string' ? { data: progressOf(progress, missionId) } : {}),
    ...(typeof steps === 'string' ? { reports: reportsOf(steps) } : {}),
  };
};

/** All of it, and nothing else, is in the text. */
const isProgress = (data: unknown, missionId: string): data is Progress => {
  const { output, result } = (data ?? {}) as Partial<Progress>;
  if (output?.progress === undefined || output.ext?.['flight_id'] !== missionId || result === undefined) return false;
  return isDeepStrictEqual(progressOf(progressText(data as Progress), missionId), data);
};

/** The numbers of a report in a fixed order, and the name of the track, which may be empty, last. */
const progressText = ({ result, output: { status, progress, ext } }: Progress): string =>
  [
    ...[result, status, progress['percent'], progress['current_step'], ext['current_waypoint_index']].map(written),
    ...[ext['media_count'], ext['wayline_mission_state'], ext['wayline_id']].map(written),
    ext['track_id'] as string,
  ].join(' ');

function progressOf(text: string, missionId: string): Progress {
  const [result, status, percent, current_step, current_waypoint_index, media_count, state, wayline_id, track_id] =
    text.split(' ');
  const ext = {
    ...{ flight_id: missionId, track_id, wayline_id: read(wayline_id), media_count: read(media_count) },
    ...{ wayline_mission_state: read(state), current_waypoint_index: read(current_waypoint_index) },
  };
  const progress = { percent: read(percent), current_step: read(current_step) };
  return { result: read(result), output: { status, progress, ext } };
}

interface Report {
  readonly at: string;
  readonly percent: number | null;
  readonly currentStep: number | null;
  readonly waypointIndex: number | null;
  readonly mediaCount: number | null;
}

/** A line each: milliseconds since the one before, the first since the epoch, and its numbers. */
function stepsText(reports: readonly Report[]): string {
  let beforeMs = 0;
  const lines = reports.map(({ at, percent, currentStep, waypointIndex, mediaCount }) => {
    const atMs = Date.parse(at);
    const line = [atMs - beforeMs, percent, currentStep, waypointIndex, mediaCount].map(written).join(' ');
    beforeMs = atMs;
    return line;
  });
  return lines.join('\n');
}

function reportsOf(text: string): Report[] {
  let atMs = 0;
  return text.split('\n').map((line) => {
    const [afterMs = 0, percent = null, currentStep = null, waypointIndex = null, mediaCount = null] = line
      .split(' ')
      .map(read);
    atMs += Number(afterMs);
    return { at: new Date(atMs).toISOString(), percent, currentStep, waypointIndex, mediaCount };
  });
}

const written = (value: unknown): string => (value === null ? '-' : `${value as number}`);
const read = (text: string | undefined): number | null => (text === '-' ? null : Number(text));

// The plan with which a timeline begins.

const CREATED = 'created';

/** What a plan has where nothing else is said. Fixed: rows were written by it. */
const PLAN: Detail = {
  ...{ cause: null, attempt: 0, edition: 1, revision: 1, delivery: 'prepare', pausedMs: 0, undoCount: 0 },
  ...{ prepareCount: 0, flownAtMs: null, heardAtMs: null, deadlineMs: null, executeAtMs: null, readyFromMs: null },
  ...{ startedAtMs: null, readyUntilMs: null, restingSinceMs: null },
};

/** The order of the rules of time in a row. Fixed: rows were written by it. */
const TIMING = [
  ...['prepareLeadMs', 'executeLeadMs', 'startWindowMs', 'startWithinMs', 'immediateReplyMs', 'replyMs'],
  ...['observeEveryMs', 'silenceMs', 'startGraceMs', 'powerOnMs', 'restingForMs', 'unobservedMs', 'durationSlackMs'],
  'maxDurationMs',
];

function packedPlan({ plan, timing, ...rest }: Detail): Detail {
  const told = Object.entries((plan ?? {}) as Detail).filter(([name, value]) => PLAN[name] !== value);
  const rules = (timing ?? {}) as Detail;
  return { ...rest, plan: Object.fromEntries(told), timing: TIMING.map((name) => written(rules[name])).join(' ') };
}

function planDetail({ plan, timing, ...rest }: Detail): Detail {
  const rules = String(timing).split(' ').map(read);
  return {
    ...rest,
    plan: { ...PLAN, ...(plan as Detail) },
    timing: Object.fromEntries(TIMING.map((name, index) => [name, rules[index]])),
  };
}
