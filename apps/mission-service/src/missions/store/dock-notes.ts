import { isOutcome } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import type { LockedMission } from './mission.row.js';

/** How exactly it is kept when a dock was heard. */
const NOTED_EVERY_MS = 5_000;

/**
 * When the dock was heard, and of which flight it spoke, to within a few seconds: a dock tells every two seconds, and
 * each write would cost more than what it tells.
 */
export async function noteDock(
  tx: Tx,
  locked: LockedMission,
  receivedAtMs: number,
  goesOn: boolean | null,
): Promise<void> {
  const isNews = (at: Date | null): boolean => at === null || receivedAtMs - at.getTime() > NOTED_EVERY_MS;
  const flightId = goesOn === true && !isOutcome(locked.state) ? locked.id : null;
  const names = flightId !== null && (locked.dock_flight_id !== flightId || isNews(locked.dock_flight_at));
  const ends = goesOn === false && locked.dock_flight_id === locked.id;
  if (!names && !ends && !isNews(locked.dock_heard_at)) return;
  await tx.run(
    `UPDATE mission.dock
        SET heard_at = greatest(heard_at, to_timestamp($2 / 1000.0)),
            flight_id = CASE WHEN $4 THEN $3 WHEN $5 THEN NULL ELSE flight_id END,
            flight_at = CASE WHEN $4 OR $5 THEN to_timestamp($2 / 1000.0) ELSE flight_at END
      WHERE sn = $1`,
    [locked.dock_sn, receivedAtMs, flightId, names, ends],
  );
}

/** A flight that is none of ours: that the dock flies it, or that it has ended. */
export async function noteForeignFlight(
  tx: Tx,
  dockSn: string,
  { id, goesOn }: { readonly id: string; readonly goesOn: boolean },
  receivedAtMs: number,
): Promise<void> {
  await tx.run(
    goesOn
      ? 'UPDATE mission.dock SET flight_id = $2, flight_at = to_timestamp($3 / 1000.0) WHERE sn = $1'
      : 'UPDATE mission.dock SET flight_id = NULL, flight_at = to_timestamp($3 / 1000.0) WHERE sn = $1 AND flight_id = $2',
    [dockSn, id, receivedAtMs],
  );
}
