// Who has a dock, and when. The dock's row is locked before any of these writes: missions and exports of logs take turns.
import type { Span } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';

export interface Holder {
  readonly holder_kind: 'mission' | 'log_upload';
  readonly holder_id: string;
  readonly from_at: Date;
  readonly until_at: Date;
  /** An export that makes way for a mission, or has been told to. */
  readonly gives_way: boolean;
  /** Null for what is no mission. */
  readonly name: string | null;
  readonly state: string | null;
}

/** Who holds the dock at any time of a span, except the given holder. At most ten, soonest first. */
export function findHolders(
  tx: { query: Tx['query'] },
  dockSn: string,
  span: Span,
  except: string | null,
): Promise<Holder[]> {
  return tx.query<Holder>(
    `SELECT r.holder_kind, r.holder_id, lower(r.during) AS from_at, upper(r.during) AS until_at,
            r.yields OR r.withdrawn_at IS NOT NULL AS gives_way, m.name, m.state
       FROM mission.dock_reservation r
       LEFT JOIN mission.mission m ON r.holder_kind = 'mission' AND m.id = r.holder_id
      WHERE r.dock_sn = $1 AND r.during && tstzrange($2, $3) AND ($4::uuid IS NULL OR r.holder_id <> $4)
      ORDER BY lower(r.during) LIMIT 10`,
    [dockSn, new Date(span.fromMs), new Date(span.untilMs), except],
  );
}

export interface WantedSpan {
  /** Of the mission that wants it. */
  readonly id: string;
  readonly dockSn: string;
  readonly span: Span;
}

/** Who holds docks in the spans that missions want, by mission; none for those that nobody is in the way of. */
export async function findHoldersOf(
  tx: Tx,
  wanted: readonly WantedSpan[],
): Promise<ReadonlyMap<string, readonly Holder[]>> {
  if (wanted.length === 0) return new Map();
  const rows = await tx.query<Holder & { wanted_by: string }>(
    `SELECT w.id AS wanted_by, h.holder_kind, h.holder_id, h.from_at, h.until_at, h.gives_way, h.name, h.state
       FROM jsonb_to_recordset($1::jsonb) AS w (id uuid, dock_sn text, from_at timestamptz,
            until_at timestamptz)
      CROSS JOIN LATERAL (
        SELECT r.holder_kind, r.holder_id, lower(r.during) AS from_at, upper(r.during) AS until_at,
               r.yields OR r.withdrawn_at IS NOT NULL AS gives_way, m.name, m.state
          FROM mission.dock_reservation r
          LEFT JOIN mission.mission m ON r.holder_kind = 'mission' AND m.id = r.holder_id
         WHERE r.dock_sn = w.dock_sn AND r.during && tstzrange(w.from_at, w.until_at) AND r.holder_id <> w.id
         ORDER BY lower(r.during) LIMIT 10) AS h`,
    [
      JSON.stringify(
        wanted.map(({ id, dockSn, span }) => ({
          ...{ id, dock_sn: dockSn, from_at: new Date(span.fromMs), until_at: new Date(span.untilMs) },
        })),
      ),
    ],
  );
  const holders = new Map<string, Holder[]>();
  for (const { wanted_by, ...holder } of rows) {
    const others = holders.get(wanted_by);
    if (others === undefined) holders.set(wanted_by, [holder]);
    else others.push(holder);
  }
  return holders;
}

/** Far more than a dock can be reserved for in weeks; beyond it nobody says when it is free. */
const MOST_TAKEN = 2_000;

/**
 * When the dock is taken by others from an instant on, soonest first: by all that gives no way. Null when there are too
 * many to say.
 */
export async function findTaken(
  tx: { query: Tx['query'] },
  dockSn: string,
  fromMs: number,
  except: string | null,
): Promise<readonly Span[] | null> {
  const rows = await tx.query<{ from_at: Date; until_at: Date }>(
    `SELECT lower(r.during) AS from_at, upper(r.during) AS until_at
       FROM mission.dock_reservation r
      WHERE r.dock_sn = $1 AND r.during && tstzrange($2, NULL) AND NOT (r.yields OR r.withdrawn_at IS NOT NULL)
        AND ($3::uuid IS NULL OR r.holder_id <> $3)
      ORDER BY lower(r.during) LIMIT ${MOST_TAKEN + 1}`,
    [dockSn, new Date(fromMs), except],
  );
  if (rows.length > MOST_TAKEN) return null;
  return rows.map(({ from_at, until_at }) => ({ fromMs: from_at.getTime(), untilMs: until_at.getTime() }));
}

/** Reserves the dock for a mission, or moves its reservation. Nobody else holds the span. */
export async function reserveDock(tx: Tx, missionId: string, dockSn: string, span: Span): Promise<void> {
  await tx.run(
    `INSERT INTO mission.dock_reservation (dock_sn, during, holder_kind, holder_id)
     VALUES ($1, tstzrange($3, $4), 'mission', $2)
     ON CONFLICT (holder_kind, holder_id) DO UPDATE SET during = excluded.during`,
    [dockSn, missionId, new Date(span.fromMs), new Date(span.untilMs)],
  );
}

export async function releaseDocks(tx: Tx, missionIds: readonly string[]): Promise<void> {
  if (missionIds.length === 0) return;
  await tx.run(`DELETE FROM mission.dock_reservation WHERE holder_kind = 'mission' AND holder_id = ANY($1::uuid[])`, [
    missionIds,
  ]);
}

/**
 * Takes the dock back from exports. Their reservations stand in the way of no plan any more; a claim waits until each
 * holder has given the dock back, or its time is over. Returns who has to be told: those that know of no earlier need.
 */
export async function withdrawDock(
  tx: Tx,
  dockSn: string,
  uploadIds: readonly string[],
  neededAt: Date,
): Promise<readonly string[]> {
  if (uploadIds.length === 0) return [];
  const told = await tx.query<{ holder_id: string }>(
    `UPDATE mission.dock_reservation SET withdrawn_at = coalesce(withdrawn_at, clock_timestamp()), needed_at = $3
      WHERE dock_sn = $1 AND holder_kind = 'log_upload' AND holder_id = ANY($2::uuid[])
        AND (needed_at IS NULL OR needed_at > $3)
      RETURNING holder_id`,
    [dockSn, uploadIds, neededAt],
  );
  return told.map(({ holder_id }) => holder_id);
}

export interface OwnHold {
  readonly withdrawn_at: Date | null;
}

export function findOwnHold(tx: Tx, dockSn: string, uploadId: string): Promise<OwnHold | undefined> {
  return tx.one<OwnHold>(
    `SELECT withdrawn_at FROM mission.dock_reservation
      WHERE dock_sn = $1 AND holder_kind = 'log_upload' AND holder_id = $2`,
    [dockSn, uploadId],
  );
}

export interface Hold {
  readonly dockSn: string;
  readonly uploadId: string;
  readonly span: Span;
  readonly yields: boolean;
  readonly generation: number;
}

/** Reserves the dock for an export of logs, or moves its reservation. False: the export has another dock. */
export async function holdDock(tx: Tx, hold: Hold): Promise<boolean> {
  const { dockSn, uploadId, span, yields, generation } = hold;
  const touched = await tx.run(
    `INSERT INTO mission.dock_reservation AS r (dock_sn, during, holder_kind, holder_id, yields, generation)
     VALUES ($1, tstzrange($3, $4), 'log_upload', $2, $5, $6)
     ON CONFLICT (holder_kind, holder_id) DO UPDATE SET during = excluded.during, yields = excluded.yields,
            generation = greatest(r.generation, excluded.generation)
       WHERE r.dock_sn = excluded.dock_sn`,
    [dockSn, uploadId, new Date(span.fromMs), new Date(span.untilMs), yields, generation],
  );
  return touched === 1;
}

/** Gives the dock back, whether it was withdrawn or not. False: it was not held, or was taken anew since. */
export async function giveBack(tx: Tx, dockSn: string, uploadId: string, generation: number): Promise<boolean> {
  const touched = await tx.run(
    `DELETE FROM mission.dock_reservation
      WHERE dock_sn = $1 AND holder_kind = 'log_upload' AND holder_id = $2 AND generation <= $3`,
    [dockSn, uploadId, generation],
  );
  return touched > 0;
}

export interface BusyMission {
  readonly id: string;
  readonly flies: boolean;
}

/**
 * The mission that the dock is busy with, whatever is reserved: it flies, is being told of its flight, or is conditional
 * and may start any moment.
 */
export function findBusyMission(tx: Tx, dockSn: string): Promise<BusyMission | undefined> {
  return tx.one<BusyMission>(
    `SELECT id, state IN ('starting', 'executing', 'paused') AS flies FROM mission.mission
      WHERE dock_sn = $1 AND state IN ('starting', 'executing', 'paused', 'preparing', 'prepared')
        AND (state <> 'prepared' OR kind = 'conditional')
      ORDER BY flies DESC LIMIT 1`,
    [dockSn],
  );
}
