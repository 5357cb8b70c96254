import { factSubject } from '@aerie/bus-contract';
import { type Tx, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../database.js';

export type MoveReason = 'named' | 'released' | 'registeredAsDock' | 'dockRetired';

export interface AircraftMove {
  readonly organisationId: string;
  readonly aircraftSn: string;
  readonly fromDockSn: string | null;
  readonly toDockSn: string | null;
  readonly reason: MoveReason;
}

/** Rows kept for one dock: two docks that name one aircraft in turn must not fill the table. */
export const MAX_MOVES = 100;

/** Records that an aircraft changed its dock, and tells other services, in the transaction that moves it. */
export async function recordMove(tx: Tx, move: AircraftMove): Promise<void> {
  const { organisationId, aircraftSn, fromDockSn, toDockSn, reason } = move;
  await tx.run(
    `INSERT INTO fleet.aircraft_move (organisation_id, aircraft_sn, from_dock_sn, to_dock_sn, reason)
     VALUES ($1, $2, $3, $4, $5)`,
    [organisationId, aircraftSn, fromDockSn, toDockSn, reason],
  );
  for (const dockSn of [fromDockSn, toDockSn]) {
    if (dockSn === null) continue;
    await tx.run(
      `DELETE FROM fleet.aircraft_move WHERE (from_dock_sn = $1 OR to_dock_sn = $1) AND id < (
         SELECT min(id) FROM (
           SELECT id FROM fleet.aircraft_move WHERE from_dock_sn = $1 OR to_dock_sn = $1
            ORDER BY id DESC LIMIT $2) kept)`,
      [dockSn, MAX_MOVES],
    );
  }
  await writeOutbox(tx, SCHEMA, [
    {
      subject: factSubject('fleet', organisationId, 'aircraftMoved'),
      payload: { aircraftSn, fromDockSn, toDockSn, reason },
    },
  ]);
}

/** A registration is the word of the owner; what a dock claims about the same serial number yields to it. */
export async function yieldClaim(tx: Tx, sn: string): Promise<string | null> {
  const claim = await tx.one<{ organisation_id: string; dock_sn: string }>(
    'DELETE FROM fleet.aircraft WHERE sn = $1 RETURNING organisation_id, dock_sn',
    [sn],
  );
  if (claim === undefined) return null;
  const { organisation_id: organisationId, dock_sn: fromDockSn } = claim;
  await recordMove(tx, { organisationId, aircraftSn: sn, fromDockSn, toDockSn: null, reason: 'registeredAsDock' });
  return fromDockSn;
}
