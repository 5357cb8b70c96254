import { factSubject } from '@aerie/bus-contract';
import { type Tx, writeOutbox } from '@aerie/persistence';
import { closeAlarms } from '../alarms/keep-alarms.js';
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
  if (fromDockSn !== null) await closeAlarms(tx, { dockSn: fromDockSn, deviceSn: aircraftSn });
  await tellMove(tx, move);
}

async function tellMove(tx: Tx, { organisationId, ...payload }: AircraftMove): Promise<void> {
  await writeOutbox(tx, SCHEMA, [{ subject: factSubject('fleet', organisationId, 'aircraftMoved'), payload }]);
}

/**
 * A registration is the word of the owner; what a dock claims about the same serial number yields to it, also where that is
 * a dock of another organisation: so a function of the database's owner does it.
 */
export async function yieldClaim(tx: Tx, sn: string): Promise<string | null> {
  const reason = 'registeredAsDock';
  const claim = await tx.one<{ organisation_id: string; dock_sn: string }>(
    'SELECT organisation_id, dock_sn FROM fleet.yield_claim($1, $2)',
    [sn, MAX_MOVES],
  );
  if (claim === undefined) return null;
  const { organisation_id: organisationId, dock_sn: fromDockSn } = claim;
  await tellMove(tx, { organisationId, aircraftSn: sn, fromDockSn, toDockSn: null, reason });
  return fromDockSn;
}
