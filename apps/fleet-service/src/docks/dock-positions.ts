import { type Coordinates, type DockPosition, coordinatesOf } from '@aerie/bus-contract';
import type { Logger } from '@aerie/observability';
import { type Databases, type Reach, rowsOfAll } from '@aerie/persistence';
import { LRUCache } from 'lru-cache';

/** A dock that seems to have moved by less has not: positions differ by some metres from message to message. */
const MOVED_METERS = 20;
const METERS_PER_DEGREE = 111_320;
/** One dock is written at most this often, however much it moves. */
const WRITE_EVERY_MS = 10_000;
/** Then the stored position is compared again: an operator may have entered one while the dock was silent. */
const COMPARE_EVERY_MS = 10 * 60_000;
const FLUSH_MS = 1_000;
const MAX_DOCKS = 50_000;
/** Docks in one statement. */
const BATCH = 1_000;
/** A claim does not wait longer for positions. */
const PATIENCE_MS = 300;

interface Noted extends Coordinates {
  readonly atMs: number;
}

/**
 * The last known position of each dock, kept in PostgreSQL. What a dock says of itself replaces what an operator entered.
 * It is written only when it is new or has moved, never with each message.
 */
export class DockPositions {
  private readonly noted = new LRUCache<string, Noted>({ max: MAX_DOCKS });
  private pending = new Map<string, Coordinates>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly databases: Databases,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.flush(), FLUSH_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    this.flush();
    await this.writing;
  }

  /** Takes the position out of a dock's telemetry, if it holds one. Never waits. */
  note(sn: string, properties: Readonly<Record<string, unknown>>, nowMs = Date.now()): void {
    const position = coordinatesOf(properties['latitude'], properties['longitude']);
    if (position === null) return;
    const before = this.noted.get(sn);
    const ageMs = before === undefined ? Infinity : nowMs - before.atMs;
    if (before !== undefined && ageMs < (hasMoved(before, position) ? WRITE_EVERY_MS : COMPARE_EVERY_MS)) return;
    if (this.pending.size >= MAX_DOCKS) return;
    this.noted.set(sn, { ...position, atMs: nowMs });
    this.pending.set(sn, position);
  }

  /** Keeps what an operator says. False: the organisation has no such dock. */
  async enter(reach: Reach, sn: string, { latitude, longitude }: Coordinates): Promise<boolean> {
    const rows = await this.databases.api.of(reach).query(
      `WITH entered AS (
         UPDATE fleet.dock SET latitude = $3, longitude = $4, position_source = 'operator',
                position_set_at = clock_timestamp(), updated_at = clock_timestamp()
          WHERE organisation_id = $1 AND sn = $2 AND provisioned_at IS NOT NULL AND retired_at IS NULL RETURNING sn)
       SELECT sn FROM entered`,
      [reach.organisationId, sn, latitude, longitude],
    );
    return rows.length > 0;
  }

  /** The known positions of these docks; none where PostgreSQL does not answer soon. */
  async of(sns: readonly string[]): Promise<ReadonlyMap<string, DockPosition>> {
    let patience: NodeJS.Timeout | undefined;
    const tooSlow = new Promise<PositionRow[]>((resolve) => (patience = setTimeout(() => resolve([]), PATIENCE_MS)));
    const read = rowsOfAll(this.databases.engine).queryByKeys<PositionRow>(
      `SELECT sn, latitude, longitude, position_source, position_set_at FROM fleet.dock
        WHERE sn = ANY($1::text[]) AND latitude IS NOT NULL`,
      [sns],
    );
    const rows = await Promise.race([read, tooSlow]).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'failed to read dock positions, answering without them');
      return [];
    });
    clearTimeout(patience);
    const positions = new Map<string, DockPosition>();
    for (const row of rows) {
      const position = positionOf(row);
      if (position !== null) positions.set(row.sn, position);
    }
    return positions;
  }

  private flush(): void {
    if (this.pending.size === 0 || this.writing !== undefined) return;
    const batch = this.pending;
    this.pending = new Map();
    this.writing = this.write([...batch]).finally(() => (this.writing = undefined));
  }

  private async write(noted: readonly (readonly [string, Coordinates])[]): Promise<void> {
    for (let start = 0; start < noted.length; start += BATCH) {
      const batch = noted.slice(start, start + BATCH);
      try {
        await this.databases.engine.query(WRITE, [
          JSON.stringify(batch.map(([sn, position]) => ({ sn, ...position }))),
        ]);
      } catch (error) {
        for (const [sn] of batch) this.noted.delete(sn);
        this.logger.warn({ err: error }, 'failed to keep dock positions; the next telemetry brings them again');
      }
    }
  }
}

/** Rows are locked in one order, so that two replicas cannot wait for each other. */
const WRITE = `
  WITH moved AS (
    SELECT d.sn, n.latitude, n.longitude
      FROM jsonb_to_recordset($1::jsonb) AS n (sn text, latitude double precision, longitude double precision)
      JOIN fleet.dock d ON d.sn = n.sn
     WHERE d.position_source IS DISTINCT FROM 'dock'
        OR power((d.latitude - n.latitude) * ${METERS_PER_DEGREE}, 2)
         + power((d.longitude - n.longitude) * ${METERS_PER_DEGREE} * cos(radians(n.latitude)), 2) > ${MOVED_METERS ** 2}
     ORDER BY d.sn FOR NO KEY UPDATE OF d)
  UPDATE fleet.dock AS d
     SET latitude = m.latitude, longitude = m.longitude, position_source = 'dock', position_set_at = clock_timestamp()
    FROM moved AS m WHERE d.sn = m.sn`;

function hasMoved(from: Coordinates, to: Coordinates): boolean {
  const north = (to.latitude - from.latitude) * METERS_PER_DEGREE;
  const east = (to.longitude - from.longitude) * METERS_PER_DEGREE * Math.cos((to.latitude * Math.PI) / 180);
  return Math.hypot(north, east) > MOVED_METERS;
}

export interface PositionColumns {
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly position_source: DockPosition['source'] | null;
  readonly position_set_at: Date | null;
}

interface PositionRow extends PositionColumns {
  readonly sn: string;
}

/** Null while nobody knows where the dock is. */
export function positionOf(row: PositionColumns): DockPosition | null {
  const { latitude, longitude, position_source: source, position_set_at: setAt } = row;
  if (latitude === null || longitude === null || source === null || setAt === null) return null;
  return { latitude, longitude, source, setAt: setAt.toISOString() };
}
