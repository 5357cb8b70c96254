// Docks that fleet-service cuts off at the broker: starts on them are held back.
import type { Tx } from '@aerie/persistence';
import { namedFlightToldAt } from './flight-live.js';
import { type UnresolvedMission, unresolvedOn } from './flight-critical.js';

export interface DockForCutOff {
  readonly organisation_id: string;
  readonly cut_off_id: string | null;
  /** The cut-off of that number holds starts back now. */
  readonly cut_off_holds: boolean;
  /** It was ended before its time. */
  readonly cut_off_ended: boolean;
  /** The mission that flies, or that the dock is being told of. */
  readonly flight: string | null;
  readonly unresolved: UnresolvedMission | null;
  /** When a flight of the dock last ended as it should, by the dock's own word: then the aircraft is inside. */
  readonly came_home_at: Date | null;
  readonly dock_flight_id: string | null;
  readonly dock_flight_at: Date | null;
  readonly now: Date;
}

/** What stands in the way of a cut-off. The dock is locked already: a claim that waits for the lock sees what is written. */
export function lockForCutOff(tx: Tx, dockSn: string): Promise<DockForCutOff | undefined> {
  return tx.one<DockForCutOff>(
    `SELECT d.organisation_id, d.cut_off_id,
            d.cut_off_until IS NOT NULL AND d.cut_off_until > clock_timestamp() AS cut_off_holds,
            d.cut_off_id IS NOT NULL AND d.cut_off_until IS NULL AS cut_off_ended, d.flight_id AS dock_flight_id,
            greatest(d.flight_at, ${namedFlightToldAt('d')}) AS dock_flight_at,
            (SELECT m.id FROM mission.mission m
              WHERE m.dock_sn = d.sn AND m.state IN ('starting', 'executing', 'paused')
              LIMIT 1) AS flight,
            (SELECT max(m.since) FROM mission.mission m WHERE m.dock_sn = d.sn AND m.state = 'succeeded') AS came_home_at,
            ${unresolvedOn('d.sn')} AS unresolved, clock_timestamp() AS now
       FROM mission.dock d WHERE d.sn = $1`,
    [dockSn],
  );
}

export interface CutOffHold {
  readonly dockSn: string;
  readonly cutOffId: number;
  /** Null: until it is ended. */
  readonly untilMs: number | null;
}

export async function holdForCutOff(tx: Tx, { dockSn, cutOffId, untilMs }: CutOffHold): Promise<void> {
  await tx.run(
    `UPDATE mission.dock SET cut_off_id = $2, cut_off_until = coalesce(to_timestamp($3::float8 / 1000.0), 'infinity')
      WHERE sn = $1`,
    [dockSn, cutOffId, untilMs],
  );
}

/** The number stays: what was asked before it ended, and comes late, is refused. */
export async function endCutOff(tx: Tx, dockSn: string, cutOffId: number): Promise<boolean> {
  const ended = await tx.run(
    'UPDATE mission.dock SET cut_off_until = NULL WHERE sn = $1 AND cut_off_id = $2 AND cut_off_until IS NOT NULL',
    [dockSn, cutOffId],
  );
  return ended > 0;
}
