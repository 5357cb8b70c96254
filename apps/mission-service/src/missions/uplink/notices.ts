import type { Tx } from '@aerie/persistence';

/**
 * What a dock tells beside the progress of a flight, and none of it names a state: the way home, a return that was
 * broken off, a preparation that takes too long. It is kept with the mission that flies, and told to others as a fact,
 * since a person may have to act. [Cloud API, return_home_info, device_exit_homing_notify, flight_setup_exception_notify]
 */
export const NOTICES: ReadonlySet<string> = new Set([
  'return_home_info',
  'device_exit_homing_notify',
  'flight_setup_exception_notify',
]);

/** Alarms among them. The way home is planned anew every few seconds and is none. */
export const isAlarm = (method: string): boolean => method !== 'return_home_info';

export interface FlyingMission {
  readonly id: string;
  readonly organisation_id: string;
}

/** The missions that fly on the given docks, by dock. Reads only: a notice moves nothing. */
export async function findFlying(tx: Tx, dockSns: readonly string[]): Promise<ReadonlyMap<string, FlyingMission>> {
  if (dockSns.length === 0) return new Map();
  const rows = await tx.query<FlyingMission & { dock_sn: string }>(
    `SELECT id, organisation_id, dock_sn FROM mission.mission
      WHERE dock_sn = ANY($1::text[]) AND state IN ('starting', 'executing', 'paused')`,
    [dockSns],
  );
  return new Map(rows.map((row) => [row.dock_sn, row]));
}
