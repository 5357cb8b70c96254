import {
  type Cause,
  type CauseCode,
  DEFAULT_TIMING,
  type LogFile,
  type LogUpload,
  type Selection,
  type StopReason,
  type Timing,
  type UploadState,
} from '@aerie/log-core';
import type { DockModel } from '@aerie/bus-contract';

export type Origin = 'person' | 'mission' | 'campaign';

/** A row of log.upload. */
export interface UploadRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly dock_sn: string;
  readonly aircraft_sn: string | null;
  readonly model: DockModel;
  readonly protocol_generation: string;
  readonly origin: Origin;
  readonly mission_id: string | null;
  readonly attached_to: string | null;
  readonly campaign_id: string | null;
  readonly selection: Selection;
  readonly state: UploadState;
  readonly revision: number;
  readonly files: readonly LogFile[];
  readonly list_count: number;
  readonly attempt: number;
  readonly failures: number;
  readonly held_count: number;
  readonly dock_may_export: boolean;
  readonly stops_count_from: Date | null;
  readonly is_refused: boolean;
  readonly dock_until: Date | null;
  readonly yield_at: Date | null;
  readonly stop_for: StopReason | null;
  readonly stop_count: number;
  readonly attempt_ends_by: Date | null;
  readonly since: Date;
  readonly heard_at: Date | null;
  readonly deadline: Date;
  readonly next_action_at: Date | null;
  readonly cause_code: CauseCode | null;
  readonly cause_dock_result: number | null;
  readonly timing: Partial<Timing>;
  readonly yields: boolean;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The columns of an upload, by name: a prepared statement must return the same ones after a migration. */
export const UPLOAD_COLUMNS = Object.keys({
  id: true,
  organisation_id: true,
  dock_sn: true,
  aircraft_sn: true,
  model: true,
  protocol_generation: true,
  origin: true,
  mission_id: true,
  attached_to: true,
  campaign_id: true,
  selection: true,
  state: true,
  revision: true,
  files: true,
  list_count: true,
  attempt: true,
  failures: true,
  held_count: true,
  dock_may_export: true,
  stops_count_from: true,
  is_refused: true,
  dock_until: true,
  yield_at: true,
  stop_for: true,
  stop_count: true,
  attempt_ends_by: true,
  since: true,
  heard_at: true,
  deadline: true,
  next_action_at: true,
  cause_code: true,
  cause_dock_result: true,
  timing: true,
  yields: true,
  created_by: true,
  created_at: true,
  updated_at: true,
} satisfies Record<keyof UploadRow, true>).join(', ');

/** An upload under lock, with its present attempt. */
export interface LockedUpload extends UploadRow {
  readonly attempt_id: string | null;
  readonly prefix: string | null;
  readonly keys_end_at: Date | null;
  /** The database's clock at the lock. */
  readonly now: Date;
}

export const timingOf = ({ timing }: Pick<UploadRow, 'timing'>): Timing => ({ ...DEFAULT_TIMING, ...timing });

export function causeOf({ cause_code, cause_dock_result }: UploadRow): Cause | null {
  if (cause_code === null) return null;
  return { code: cause_code, ...(cause_dock_result === null ? {} : { dockResult: cause_dock_result }) };
}

/** The row as the pure core knows it. */
export function uploadOf(row: UploadRow & { readonly keys_end_at: Date | null }): LogUpload {
  return {
    state: row.state,
    revision: row.revision,
    selection: row.selection,
    files: row.files,
    listCount: row.list_count,
    attempt: row.attempt,
    failures: row.failures,
    heldCount: row.held_count,
    dockMayExport: row.dock_may_export,
    stopsCountFromMs: msOf(row.stops_count_from),
    isRefused: row.is_refused,
    dockUntilMs: msOf(row.dock_until),
    yieldAtMs: msOf(row.yield_at),
    stopFor: row.stop_for,
    stopCount: row.stop_count,
    keysEndAtMs: msOf(row.keys_end_at),
    attemptEndsByMs: msOf(row.attempt_ends_by),
    sinceMs: row.since.getTime(),
    heardAtMs: msOf(row.heard_at),
    deadlineMs: row.deadline.getTime(),
    nextActionAtMs: msOf(row.next_action_at),
    cause: causeOf(row),
  };
}

/** The columns that a decision changes. */
export function columnsOf(upload: LogUpload) {
  return {
    state: upload.state,
    revision: upload.revision,
    files: upload.files,
    list_count: upload.listCount,
    attempt: upload.attempt,
    failures: upload.failures,
    held_count: upload.heldCount,
    dock_may_export: upload.dockMayExport,
    stops_count_from: dateOf(upload.stopsCountFromMs),
    is_refused: upload.isRefused,
    dock_until: dateOf(upload.dockUntilMs),
    yield_at: dateOf(upload.yieldAtMs),
    stop_for: upload.stopFor,
    stop_count: upload.stopCount,
    attempt_ends_by: dateOf(upload.attemptEndsByMs),
    since: new Date(upload.sinceMs),
    heard_at: dateOf(upload.heardAtMs),
    deadline: new Date(upload.deadlineMs),
    next_action_at: dateOf(upload.nextActionAtMs),
    cause_code: upload.cause?.code ?? null,
    cause_dock_result: upload.cause?.dockResult ?? null,
  };
}

const msOf = (at: Date | null): number | null => at?.getTime() ?? null;
/** Fractions of a millisecond come from a rate; an instant has none. */
const dateOf = (atMs: number | null): Date | null => (atMs === null ? null : new Date(Math.ceil(atMs)));
