import { type Page, type Position, toPage } from '@aerie/http-api';
import { DETAIL_PRUNED, type MissionKind, type MissionState } from '@aerie/mission-core';
import { type ApiDatabase, type OrganisationRows, type Reach, amongDocks, reachesDock } from '@aerie/persistence';
import { type BreakPointRow, findBreakPoints } from '../store/breakpoints.js';
import { showLive } from '../store/flight-live.js';
import { type TrackPoint, type TrackRow, pointsOf } from '../store/flight-track.js';
import type { MissionRow } from '../store/mission.row.js';
import { type StoredPreflight, findPreflights } from '../store/preflights.js';
import { type TimelineRow, entriesOf } from '../store/timeline-rows.js';
import { type SentCall, withSentCalls } from '../store/timeline.js';
import { type MissionView, viewOf } from './mission.view.js';
import { breakReasonError, dockErrorOf } from '../dji/dock-errors.js';
import { isResumable } from '../dji/resumable.js';

export interface TimelineView {
  readonly at: string;
  readonly kind: string;
  readonly what: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly version: number | null;
  readonly detail: unknown;
}

export interface Pruned {
  /** When retention began to delete the detail of the mission; null: all of it is kept. */
  readonly prunedAt: string | null;
}

export interface Kept<Item> extends Pruned {
  readonly items: readonly Item[];
}

export const SORTS = ['-createdAt', 'createdAt', '-time', 'time'] as const;
export type Sort = (typeof SORTS)[number];

export interface MissionFilter {
  readonly dockSn: string | undefined;
  readonly states: readonly MissionState[] | undefined;
  readonly kind: MissionKind | undefined;
  readonly waylineId: string | undefined;
  /** By `executeAt`, or by when it was created for missions that have none. */
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** The longest track that one answer holds: no flight takes longer than three hours, and docks report each two seconds. */
const TRACK_LIMIT = 20_000;
/** The longest timeline that one answer holds. */
const TIMELINE_LIMIT = 20_000;
const COMMANDS_LIMIT = 1_000;

const TIME = '(CASE WHEN execute_at IS NULL THEN created_at ELSE execute_at END)';

/**
 * A mission passes through these states on its way into the air, a few at a time do: they are found by the index
 * mission_active_of_dock. All others are found by mission_list_of_state, which is spared the way.
 */
const ON_THE_WAY: ReadonlySet<MissionState> = new Set(['preparing', 'prepared', 'starting', 'executing', 'paused']);

function statesByIndex(states: readonly MissionState[] | undefined): readonly (readonly MissionState[])[] {
  if (states === undefined) return [];
  const [onTheWay, others] = [
    states.filter((state) => ON_THE_WAY.has(state)),
    states.filter((state) => !ON_THE_WAY.has(state)),
  ];
  // None at all lists none.
  return onTheWay.length === 0 ? [others] : [onTheWay, others].filter(({ length }) => length > 0);
}

/** A condition for each index: PostgreSQL takes a partial one only for a condition that implies its own. */
const ofStates = (states: readonly unknown[], parameter: number): string =>
  states.length === 0
    ? 'true'
    : `(${states.map((_, index) => `state = ANY($${parameter + index}::text[])`).join(' OR ')})`;

/** Missions for screens. Reads only; every change goes through advanceAll. */
export class MissionReadModel {
  constructor(private readonly database: ApiDatabase) {}

  async find(reach: Reach, id: string): Promise<MissionView | undefined> {
    const own = this.database.of(reach);
    const row = await rowOf(own, reach, id);
    if (row === undefined) return undefined;
    const [shown] = await showLive(own, [row]);
    return shown && viewOf(shown);
  }

  async list(
    reach: Reach,
    filter: MissionFilter,
    sort: Sort,
    limit: number,
    after: Position | null,
  ): Promise<Page<MissionView>> {
    const by = sort.endsWith('time') ? TIME : 'created_at';
    const [beyond, direction] = sort.startsWith('-') ? ['<', 'DESC'] : ['>', 'ASC'];
    const states = statesByIndex(filter.states);
    const own = this.database.of(reach);
    const rows = await own.query<MissionRow & { position: string }>(
      `SELECT *, to_char(${by} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
         FROM mission.mission
        WHERE organisation_id = $1
          AND ($2::text IS NULL OR dock_sn = $2) AND ${amongDocks('$10')} AND ${ofStates(states, 11)}
          AND ($3::text IS NULL OR kind = $3) AND ($4::uuid IS NULL OR wayline_id = $4)
          AND ($5::timestamptz IS NULL OR ${TIME} >= $5) AND ($6::timestamptz IS NULL OR ${TIME} < $6)
          AND ($7::timestamptz IS NULL OR (${by}, id) ${beyond} ($7::timestamptz, $8::uuid))
        ORDER BY ${by} ${direction}, id ${direction} LIMIT $9`,
      [
        reach.organisationId,
        filter.dockSn ?? null,
        filter.kind ?? null,
        filter.waylineId ?? null,
        dateOf(filter.fromMs),
        dateOf(filter.untilMs),
        after?.createdAt ?? null,
        after?.id ?? null,
        limit + 1,
        reach.dockSns,
        ...states,
      ],
    );
    const shown = new Map((await showLive(own, rows)).map((row) => [row.id, row]));
    const view = (row: MissionRow) => viewOf(shown.get(row.id) ?? { ...row, live: null });
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), view, sort);
  }

  /** All that happened, oldest first. What retention has deleted of it is one entry that says so. */
  async timeline(reach: Reach, id: string): Promise<Kept<TimelineView> | undefined> {
    const own = this.database.of(reach);
    if ((await rowOf(own, reach, id)) === undefined) return undefined;
    const rows = await own.query<TimelineRow & { readonly at: Date }>(
      `SELECT at, kind, what, from_state, to_state, revision, detail FROM mission.timeline
        WHERE mission_id = $1 ORDER BY mission.timeline.id LIMIT $2`,
      [id, TIMELINE_LIMIT],
    );
    const calls = await own.query<SentCall>(
      'SELECT tid, method, send_outcome, send_reason, sent_at FROM mission.dock_call WHERE mission_id = $1 ORDER BY claimed_at LIMIT $2',
      [id, COMMANDS_LIMIT],
    );
    const entries = rows.flatMap(({ at, ...row }) => entriesOf(id, row).map((entry) => ({ ...entry, at })));
    const items = withSentCalls(entries, calls).slice(0, TIMELINE_LIMIT).map(timelineView);
    const prunedAt = await prunedAtOf(own, id);
    return { items: prunedAt === null ? items : [prunedNote(prunedAt), ...items], prunedAt };
  }

  /** Every report of the flight, in the order in which they came in; those of days that were dropped are missing. */
  async track(reach: Reach, id: string) {
    const own = this.database.of(reach);
    if ((await rowOf(own, reach, id)) === undefined) return undefined;
    // Before the reports: a day that is dropped meanwhile was kept when it was asked for.
    const keptFrom = await trackKeptFrom(own);
    const rows = await own.query<TrackRow>(
      // One statement: what has gathered goes into the track at any time.
      `SELECT attempt, received_at, status, percent, current_step, waypoint_index, media_count, reports
         FROM (SELECT attempt, received_at, status, percent, current_step, waypoint_index, media_count, reports, id
                 FROM mission.flight_track WHERE mission_id = $1
               UNION ALL
               SELECT attempt, received_at, '', NULL, NULL, NULL, NULL,
                      array_to_string((string_to_array(lines, E'\\n'))[:gathered], E'\\n'), NULL
                 FROM mission.flight_live WHERE mission_id = $1 AND gathered > 0) AS t
        ORDER BY received_at, id NULLS LAST LIMIT $2`,
      [id, TRACK_LIMIT],
    );
    return { items: pointsOf(rows, TRACK_LIMIT).map(trackPointView), keptFrom };
  }

  /** The last result of each stage, rule by rule. */
  async preflight(reach: Reach, id: string): Promise<(StoredPreflight & Pruned) | undefined> {
    const own = this.database.of(reach);
    if ((await rowOf(own, reach, id)) === undefined) return undefined;
    return { ...(await findPreflights(own, id)), prunedAt: await prunedAtOf(own, id) };
  }

  async breakPoints(reach: Reach, id: string) {
    const own = this.database.of(reach);
    if ((await rowOf(own, reach, id)) === undefined) return undefined;
    const rows = await findBreakPoints(own, id);
    return { items: rows.map(breakPointView), prunedAt: await prunedAtOf(own, id) };
  }

  /** Every command that was sent for a mission, what became of it, and the dock's answer. */
  async commands(reach: Reach, id: string) {
    const own = this.database.of(reach);
    if ((await rowOf(own, reach, id)) === undefined) return undefined;
    const rows = await own.query<CommandRow>(
      `SELECT tid, method, attempt, claimed_at, not_after, requested_by, reason, send_outcome, send_reason, sent_at,
              reply_result, reply_at
         FROM mission.dock_call WHERE mission_id = $1 ORDER BY claimed_at, tid LIMIT $2`,
      [id, COMMANDS_LIMIT],
    );
    return { items: rows.map(commandView), prunedAt: await prunedAtOf(own, id) };
  }
}

/** The first day of the track that was not dropped. */
async function trackKeptFrom(own: OrganisationRows): Promise<string | null> {
  const [day] = await own.query<{ first: Date | null }>(
    `SELECT min(to_date(right(c.relname, 8), 'YYYYMMDD'))::timestamptz AS first
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'mission.flight_track'::regclass AND c.relname ~ '^flight_track_[0-9]{8}$'`,
  );
  return iso(day?.first ?? null);
}

/** Asked for after the rows: what retention has deleted before they were read is said. */
async function prunedAtOf(own: OrganisationRows, id: string): Promise<string | null> {
  const [mission] = await own.query<{ detail_pruned_at: Date | null }>(
    'SELECT detail_pruned_at FROM mission.mission WHERE id = $1',
    [id],
  );
  return iso(mission?.detail_pruned_at ?? null);
}

async function rowOf(own: OrganisationRows, reach: Reach, id: string): Promise<MissionRow | undefined> {
  const [row] = await own.query<MissionRow>('SELECT * FROM mission.mission WHERE organisation_id = $1 AND id = $2', [
    ...[reach.organisationId, id],
  ]);
  return row !== undefined && reachesDock(reach, row.dock_sn) ? row : undefined;
}

/** Stands where the deleted entries were: also a file of one entry on each line has to say that they are missing. */
const prunedNote = (prunedAt: string): TimelineView => ({
  at: prunedAt,
  kind: 'note',
  what: DETAIL_PRUNED,
  from: null,
  to: null,
  version: null,
  detail: { deleted: ['timeline', 'commands', 'preflight'], because: 'retention' },
});

const timelineView = (row: TimelineRow & { readonly at: Date }): TimelineView => ({
  at: row.at.toISOString(),
  kind: row.kind,
  what: row.what,
  from: row.from_state,
  to: row.to_state,
  version: row.revision,
  detail: row.detail,
});

const trackPointView = (point: TrackPoint) => ({
  at: new Date(point.receivedAtMs).toISOString(),
  attempt: point.attempt,
  /** The dock's own word. */
  status: point.status,
  percent: point.percent,
  currentStep: point.current_step,
  waypointIndex: point.waypoint_index,
  mediaCount: point.media_count,
});

interface CommandRow {
  readonly tid: string;
  readonly method: string;
  readonly attempt: number;
  readonly claimed_at: Date;
  readonly not_after: Date;
  readonly requested_by: string | null;
  readonly reason: string | null;
  readonly send_outcome: string | null;
  readonly send_reason: string | null;
  readonly sent_at: Date | null;
  readonly reply_result: number | null;
  readonly reply_at: Date | null;
}

const commandView = (row: CommandRow) => ({
  id: row.tid,
  /** The vendor's name of it. */
  method: row.method,
  attempt: row.attempt,
  /** Who asked for it, and why; null where no person did. */
  requestedBy: row.requested_by,
  reason: row.reason,
  decidedAt: row.claimed_at.toISOString(),
  /** It is not written at or after this. */
  notAfter: row.not_after.toISOString(),
  /** `refused`: proven not to be written. `written`: the broker has it. `unknown`: only the dock can tell. Null: not yet known. */
  outcome: row.send_outcome,
  outcomeReason: row.send_reason,
  sentAt: row.sent_at?.toISOString() ?? null,
  reply:
    row.reply_result === null || row.reply_at === null
      ? null
      : { result: row.reply_result, error: dockErrorOf(row.reply_result), at: row.reply_at.toISOString() },
});

const breakPointView = ({ id, at, reason, point }: BreakPointRow) => ({
  id,
  at: at.toISOString(),
  /** The dock's number for why it stopped. */
  breakReason: reason,
  meaning: reason === null ? null : breakReasonError(reason),
  /** Whether a new mission can begin there. */
  resumable: isResumable(point),
  waypointIndex: point.index ?? null,
  waylineId: point.wayline_id ?? null,
  /** Share of the segment that was flown, 0 to 1. */
  segmentShare: point.progress ?? null,
  latitude: point.latitude ?? null,
  longitude: point.longitude ?? null,
  /** Above the ellipsoid. */
  heightMeters: point.height ?? null,
});

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
const dateOf = (atMs: number | undefined): Date | null => (atMs === undefined ? null : new Date(atMs));
