// New missions, and all that is written beside them, in two statements that are sent together. Their docks are locked.
import {
  OUTBOX_COLUMNS,
  OUTBOX_RETURNING,
  type OutboxFact,
  type OutboxRow,
  type Tx,
  bearFacts,
  outboxValues,
} from '@aerie/persistence';
import type { PreflightResult, Span } from '@aerie/mission-core';
import { SCHEMA } from '../../database.js';
import { type LockedMission, type MissionRow, dateOf } from './mission.row.js';
import { readMissions } from './flight-critical.js';
import { preflightColumns } from './preflights.js';
import type { TimelineEntry } from './timeline.js';
import { rowsOf as timelineRowsOf } from './timeline-rows.js';

/** What a new row says; all else is as the table has it by default. */
export type NewMissionRow = Omit<
  MissionRow,
  | 'started_at'
  | 'paused_ms'
  | 'heard_at'
  | 'flown_at'
  | 'resting_since'
  | 'cause_code'
  | 'cause_dock_result'
  | 'prepared_fingerprint'
  | 'progress'
  | 'resolution'
  | 'contradicted_at'
  | 'created_at'
  | 'updated_at'
> & { readonly planned_duration_ms: number };

export interface NewRows {
  readonly mission: NewMissionRow;
  /** When it takes its dock; null: it takes none yet. */
  readonly span: Span | null;
  readonly preflight: { readonly result: PreflightResult; readonly at: Date } | null;
  readonly entry: TimelineEntry;
  readonly fact: OutboxFact;
}

/** Writes them, and returns them as any other code reads them. */
export async function insertMissions(tx: Tx, rows: readonly NewRows[]): Promise<readonly LockedMission[]> {
  if (rows.length === 0) return [];
  const [, , written] = await Promise.all([
    tx.run(INSERT_MISSIONS, [JSON.stringify(rows.map(({ mission }) => mission))]),
    bearFacts(tx, SCHEMA, (isClaimed) =>
      tx.query<OutboxRow>(INSERT_BESIDE, [
        JSON.stringify(rows.flatMap(reservationOf)),
        JSON.stringify(rows.flatMap(preflightOf)),
        JSON.stringify(timelineRowsOf(rows.map(({ entry }) => entry))),
        JSON.stringify(rows.map(({ fact }) => fact)),
        isClaimed,
      ]),
    ),
    readMissions(
      tx,
      rows.map(({ mission }) => mission.id),
    ),
  ]);
  return written;
}

const reservationOf = ({ mission, span }: NewRows) =>
  span === null
    ? []
    : [
        {
          dock_sn: mission.dock_sn,
          from_at: dateOf(span.fromMs),
          until_at: dateOf(span.untilMs),
          holder_id: mission.id,
        },
      ];

const preflightOf = ({ mission, preflight }: NewRows) =>
  preflight === null ? [] : [preflightColumns({ missionId: mission.id, stage: 'plan', ...preflight })];

const COLUMN_TYPES = {
  id: 'uuid',
  organisation_id: 'uuid',
  dock_sn: 'text',
  wayline_id: 'uuid',
  name: 'text',
  kind: 'text',
  delivery: 'text',
  state: 'text',
  revision: 'integer',
  edition: 'integer',
  execute_at: 'timestamptz',
  prepare_at: 'timestamptz',
  deadline: 'timestamptz',
  ready_from: 'timestamptz',
  ready_until: 'timestamptz',
  prepare_count: 'integer',
  attempt: 'integer',
  undo_count: 'integer',
  since: 'timestamptz',
  next_action_at: 'timestamptz',
  planned_duration_ms: 'integer',
  timing: 'jsonb',
  battery_above_percent: 'integer',
  storage_needed_megabytes: 'integer',
  simulate: 'jsonb',
  flight_area_check: 'boolean',
  break_point: 'jsonb',
  resumed_from: 'uuid',
  auto_resume_count: 'integer',
  approval: 'jsonb',
  verdicts: 'jsonb',
  rth_altitude_meters: 'integer',
  exit_on_rc_lost: 'text',
  positioning: 'text',
  created_by: 'text',
} as const satisfies Record<keyof NewMissionRow, string>;

const NAMES = Object.keys(COLUMN_TYPES).join(', ');
const TYPED = Object.entries(COLUMN_TYPES)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

const INSERT_MISSIONS = `
  INSERT INTO ${SCHEMA}.mission (${NAMES}) SELECT ${NAMES} FROM jsonb_to_recordset($1::jsonb) AS m (${TYPED})`;

/**
 * After the missions: the policies of these tables look for the organisation of a mission, and do not see what their own
 * statement writes. The ids of a timeline are in the order of its missions.
 */
const INSERT_BESIDE = `
  WITH reservations AS (
    INSERT INTO ${SCHEMA}.dock_reservation (dock_sn, during, holder_kind, holder_id)
    SELECT dock_sn, tstzrange(from_at, until_at), 'mission', holder_id
      FROM jsonb_to_recordset($1::jsonb) AS r (dock_sn text, from_at timestamptz, until_at timestamptz, holder_id uuid)),
  preflights AS (
    INSERT INTO ${SCHEMA}.preflight (mission_id, stage, at, verdict, rules, packed)
    SELECT mission_id, stage, at, verdict, '[]', decode(packed, 'base64')
      FROM jsonb_to_recordset($2::jsonb) AS p (mission_id uuid, stage text, at timestamptz, verdict text, packed text)),
  entries AS (
    INSERT INTO ${SCHEMA}.timeline (mission_id, kind, what, from_state, to_state, revision, detail)
    SELECT mission_id, kind, what, from_state, to_state, revision, detail
      FROM jsonb_to_recordset($3::jsonb) AS t (mission_id uuid, kind text, what text, from_state text, to_state text,
             revision integer, detail jsonb))
  INSERT INTO ${SCHEMA}.outbox (${OUTBOX_COLUMNS})
  SELECT ${outboxValues('$5::boolean')} FROM jsonb_to_recordset($4::jsonb) AS f (subject text, payload jsonb)
  RETURNING ${OUTBOX_RETURNING}`;
