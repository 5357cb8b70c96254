import { isOutcome } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import type { LockedMission } from './mission.row.js';

/** How exactly it is kept when a dock was heard. */
const NOTED_EVERY_MS = 10_000;

type DockColumns = Pick<LockedMission, 'dock_heard_at' | 'dock_flight_id' | 'dock_flight_at'>;

/**
 * When docks were heard, and of which flight they spoke, to within a few seconds: a dock tells every two seconds, and
 * each write would cost more than what it tells. The docks are locked.
 */
export class DockNotes {
  private readonly docks = new Map<string, DockColumns>();
  private readonly changed = new Set<string>();

  /**
   * `goesOn`: whether the message says that the flight of this mission goes on; null when it says nothing of that.
   * `isKept`: it is a report that is kept beside the mission. Then the row of the dock need not say it again, and while a
   * transaction is held open each version of that row would stay.
   */
  note(locked: LockedMission, ingressAtMs: number, goesOn: boolean | null, isKept = false): void {
    const before = this.of(locked);
    // A time from the future would let a dock that has left pass for heard, and a start needs a dock that was heard.
    const receivedAtMs = Math.min(ingressAtMs, locked.now.getTime());
    const isNews = (at: Date | null): boolean => at === null || receivedAtMs - at.getTime() > NOTED_EVERY_MS;
    const flies = goesOn === true && !isOutcome(locked.state);
    const names = flies && (before.dock_flight_id !== locked.id || isNews(before.dock_flight_at));
    const ends = goesOn === false && before.dock_flight_id === locked.id;
    if (!names && !ends && !isNews(before.dock_heard_at)) return;
    const at = new Date(receivedAtMs);
    if (!isKept || before.dock_flight_id !== locked.id) this.changed.add(locked.dock_sn);
    this.docks.set(locked.dock_sn, {
      dock_heard_at: before.dock_heard_at !== null && before.dock_heard_at > at ? before.dock_heard_at : at,
      dock_flight_id: names ? locked.id : ends ? null : before.dock_flight_id,
      dock_flight_at: names || ends ? at : before.dock_flight_at,
    });
  }

  /** What is known of the dock of a mission after all notes until now. */
  of({ dock_sn, dock_heard_at, dock_flight_id, dock_flight_at }: LockedMission): DockColumns {
    return this.docks.get(dock_sn) ?? { dock_heard_at, dock_flight_id, dock_flight_at };
  }

  async flush(tx: Tx): Promise<void> {
    if (this.changed.size === 0) return;
    const rows = [...this.changed].map((sn) => {
      const { dock_heard_at, dock_flight_id, dock_flight_at } = this.docks.get(sn) ?? {};
      return { sn, heard_at: dock_heard_at, flight_id: dock_flight_id, flight_at: dock_flight_at };
    });
    this.changed.clear();
    await tx.run(
      `UPDATE mission.dock AS d
          SET heard_at = greatest(d.heard_at, n.heard_at), flight_id = n.flight_id, flight_at = n.flight_at
         FROM jsonb_to_recordset($1::jsonb) AS n (sn text, heard_at timestamptz, flight_id text, flight_at timestamptz)
        WHERE d.sn = n.sn`,
      [JSON.stringify(rows)],
    );
  }
}

export interface ForeignFlight {
  readonly dockSn: string;
  readonly id: string;
  readonly goesOn: boolean;
  readonly receivedAtMs: number;
}

/**
 * Flights that are none of ours: that a dock flies one, or that it has ended. Of one dock the last word counts. One from the
 * future would keep the dock busy for as long as it lies ahead.
 */
export async function noteForeignFlights(tx: Tx, flights: readonly ForeignFlight[]): Promise<void> {
  if (flights.length === 0) return;
  const last = new Map(flights.map((flight) => [flight.dockSn, flight]));
  await tx.run(
    `UPDATE mission.dock AS d
        SET flight_id = CASE WHEN f.goes_on THEN f.id END, flight_at = least(f.at, clock_timestamp())
       FROM (SELECT k.sn, t.id, t.goes_on, t.at
               FROM jsonb_to_recordset($1::jsonb) AS t (sn text, id text, goes_on boolean, at timestamptz)
               JOIN mission.dock k ON k.sn = t.sn
              WHERE t.goes_on OR k.flight_id = t.id ORDER BY k.sn FOR NO KEY UPDATE OF k) AS f
      WHERE d.sn = f.sn`,
    [
      JSON.stringify(
        [...last.values()].map(({ dockSn, id, goesOn, receivedAtMs }) => ({
          sn: dockSn,
          id,
          goes_on: goesOn,
          at: new Date(receivedAtMs),
        })),
      ),
    ],
  );
}
