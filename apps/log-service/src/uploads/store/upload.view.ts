import { type Cause, type LogFile, type Selection, isOutcome } from '@aerie/log-core';
import { dockErrorOf } from '../dock/dock-errors.js';
import { type UploadRow, causeOf } from './upload.row.js';

export type UploadView = ReturnType<typeof viewOf>;

/** An upload as the API shows it. Instants are RFC 3339 in UTC; null where there is nothing to say. */
export function viewOf(row: UploadRow) {
  return {
    id: row.id,
    dockSn: row.dock_sn,
    origin: row.origin,
    missionId: row.attached_to,
    campaignId: row.campaign_id,
    ...selectionView(row.selection),
    state: row.state,
    version: row.revision,
    archives: row.files.map(archiveView),
    attempt: row.attempt,
    failures: row.failures,
    cause: causeView(causeOf(row)),
    final: isOutcome(row.state),
    yieldsToMissions: row.yields,
    deadline: row.deadline.toISOString(),
    nextActionAt: row.next_action_at?.toISOString() ?? null,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** As the caller asked for it. */
export function selectionView(selection: Selection) {
  const none = { files: null, window: null, latest: null };
  switch (selection.kind) {
    case 'files':
      return { ...none, files: selection.files };
    case 'latest':
      return { ...none, latest: { count: selection.count, modules: selection.modules } };
    case 'window': {
      const [from, until] = [selection.fromMs, selection.untilMs].map((ms) => new Date(ms).toISOString());
      return { ...none, window: { from: from ?? '', until: until ?? '', modules: selection.modules } };
    }
  }
}

const archiveView = ({ module, bootIndexes, expectedBytes, state, problem, told }: LogFile) => ({
  module,
  bootIndexes,
  expectedBytes,
  state,
  problem: causeView(problem),
  percent: told?.percent ?? null,
  reportedBytes: told?.sizeBytes ?? null,
});

/** Why, with what the vendor's list says of the number, and what to do about an aircraft that is off. */
export function causeView(cause: Cause | null) {
  if (cause === null) return null;
  return {
    code: cause.code,
    dockResult: cause.dockResult ?? null,
    dockError: cause.dockResult === undefined ? null : dockErrorOf(cause.dockResult),
    advice: ADVICE[cause.code] ?? null,
  };
}

const ADVICE: Partial<Record<Cause['code'], string>> = {
  // [Cloud API, remote logs] Logs of an aircraft can be read only while it runs; in its dock `drone_open` starts it.
  aircraft_off: 'The aircraft is off. Start it with the debug command drone_open, then ask again.',
  dock_offline: 'The dock is away. It is asked as soon as it is back.',
  mission_due: 'A mission comes first. The upload goes on when the dock is free.',
  yielded_to_mission: 'A mission needed the dock. The upload begins anew when the dock is free.',
  keys_expired: 'The keys ended before the upload did: the uplink of the dock is slower than assumed.',
};
