import { type Span, occupiedSpan } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import { clearTheWay } from '../planning/clear-the-way.js';
import { findHolders, reserveDock } from '../store/dock-reservations.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import { timingOf } from '../store/timing-column.js';

/**
 * A conditional mission holds no dock before it can start, so it takes its dock at the claim. False: somebody else has
 * it, now or before this flight would be over.
 */
export async function reserveLate(tx: Tx, locked: LockedMission): Promise<boolean> {
  const span = lateSpan(locked);
  if (span === null) return true;
  if ((await clearTheWay(tx, claimantOf(locked), span)).length > 0) return false;
  // An export that gives way was told now; until it has ended the dock would refuse.
  if ((await findHolders(tx, locked.dock_sn, span, locked.id)).length > 0) return false;
  await reserveDock(tx, locked.id, locked.dock_sn, span);
  return true;
}

/** Nobody knew when a conditional mission would need its dock: an export that gives way is told only now. */
export async function callForDock(tx: Tx, locked: LockedMission): Promise<void> {
  const span = lateSpan(locked);
  if (span !== null) await clearTheWay(tx, claimantOf(locked), span);
}

const claimantOf = ({ id, organisation_id, dock_sn }: LockedMission) => ({
  id,
  organisationId: organisation_id,
  dockSn: dock_sn,
});

/** Null: it has reserved its dock long ago. */
function lateSpan(locked: LockedMission): Span | null {
  if (locked.kind !== 'conditional') return null;
  const nowMs = locked.now.getTime();
  const timing = timingOf(locked);
  // It is claimed now. A claim that comes to nothing moves the reservation when it is tried again.
  const deadlineMs = nowMs + timing.startWindowMs;
  return occupiedSpan({ ...missionOf(locked), kind: 'immediate', deadlineMs }, nowMs, timing);
}
