import { InvalidError } from '@aerie/kernel';
import { type DockHandle, startDock } from './handle.js';
import type { DockOptions } from './settings.js';

export interface FleetOptions extends Omit<DockOptions, 'sn'> {
  readonly count: number;
  /** Serial numbers are this and a number of four digits or more, from 1 on. Default `SIM`. */
  readonly snPrefix?: string;
  /** What one dock has of its own, such as its credentials. */
  readonly each?: (sn: string, number: number) => Partial<DockOptions>;
  /** Docks that connect and register at the same time. Default 50. */
  readonly batch?: number;
  /** How long one dock may take until it is online. Default 30000. */
  readonly onlineWithinMs?: number;
  /** Called with the number of docks that are online, after each. */
  readonly onOnline?: (online: number) => void;
}

const COUNT_MAX = 10_000;
/** Nobody looks back further in a fleet, and it may have thousands of docks. */
const JOURNAL_ENTRIES_MAX = 200;

export function fleetSn(snPrefix: string, number: number): string {
  return `${snPrefix}${String(number).padStart(4, '0')}`;
}

/**
 * Starts many docks, so many at a time, and resolves when all are online. When one does not get there, all are stopped
 * and the promise is rejected.
 */
export async function startFleet(options: FleetOptions): Promise<DockHandle[]> {
  const { count, snPrefix = 'SIM', each, batch = 50, onlineWithinMs = 30_000, onOnline, ...common } = options;
  if (!Number.isInteger(count) || count < 1 || count > COUNT_MAX) throw badFleet('count', `is 1 to ${COUNT_MAX}`);
  if (!Number.isInteger(batch) || batch < 1) throw badFleet('batch', 'is a whole number above 0');
  const docks: DockHandle[] = [];
  let next = 1;
  let online = 0;
  const lane = async (): Promise<void> => {
    while (next <= count) {
      const number = next++;
      const sn = fleetSn(snPrefix, number);
      const dock = await startDock({ journalEntriesMax: JOURNAL_ENTRIES_MAX, ...common, sn, ...each?.(sn, number) });
      docks[number - 1] = dock;
      await dock.waitFor('online', onlineWithinMs);
      online += 1;
      onOnline?.(online);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(batch, count) }, lane));
  } catch (error) {
    // The lanes that are still at it start no more.
    next = count + 1;
    await Promise.all(docks.map((dock) => dock.stop()));
    throw error;
  }
  return docks;
}

function badFleet(field: string, message: string): InvalidError {
  return new InvalidError('bad_fleet_option', `${field} ${message}`, { fields: [{ field, message }] });
}
