import type { Coordinates } from '@aerie/mission-core';
import { LRUCache } from 'lru-cache';
import type { Tx } from '@aerie/persistence';

/** What is needed to tell how far a route is from a dock, and how long it takes from there and back. */
export interface RouteShape {
  /** Of all routes of the file, in flying order. */
  readonly waypoints: readonly Coordinates[];
  /** Along the route, without the way from the dock and back. */
  readonly durationMs: number;
  /** Null: an older release stored the file and did not keep it. */
  readonly transitionalSpeed: number | null;
}

/** Waypoints that are remembered, about 50 bytes each. The largest file has 50,000. */
const MAX_WAYPOINTS = 200_000;

interface ShapeRow {
  readonly id: string;
  /** One for each route; longitude and latitude of each waypoint, then its height. */
  readonly planned_duration_ms: number;
  readonly transitional_speed: number | null;
  readonly lines: readonly (readonly [longitude: number, latitude: number, height: number][])[];
}

/** The waypoints of stored waylines. These never change, so those of the last ones are remembered. */
export class RouteShapes {
  constructor(
    private readonly reader: Pick<Tx, 'query'>,
    private readonly shapes = new LRUCache<string, RouteShape>({
      maxSize: MAX_WAYPOINTS,
      sizeCalculation: ({ waypoints }) => waypoints.length + 1,
    }),
  ) {}

  /** The same for whom somebody else reads, with one memory for all. */
  through(reader: Pick<Tx, 'query'>): RouteShapes {
    return new RouteShapes(reader, this.shapes);
  }

  /** Rejects while the database does not answer. */
  async of(waylineIds: readonly string[]): Promise<ReadonlyMap<string, RouteShape>> {
    const found = new Map<string, RouteShape>();
    const unread = new Set<string>();
    for (const id of waylineIds) {
      const shape = this.shapes.get(id);
      if (shape === undefined) unread.add(id);
      else found.set(id, shape);
    }
    if (unread.size === 0) return found;
    const rows = await this.reader.query<ShapeRow>(
      `SELECT id, planned_duration_ms, (summary->>'transitionalSpeedMetersPerSecond')::float8 AS transitional_speed,
              jsonb_path_query_array(route, '$.features[*].geometry ? (@.type == "LineString").coordinates') AS lines
         FROM mission.wayline WHERE id = ANY($1::uuid[])`,
      [[...unread]],
    );
    for (const { id, lines, planned_duration_ms, transitional_speed } of rows) {
      const shape: RouteShape = {
        waypoints: lines.flat().map(([longitude, latitude]) => ({ longitude, latitude })),
        durationMs: planned_duration_ms,
        transitionalSpeed: transitional_speed,
      };
      this.shapes.set(id, shape);
      found.set(id, shape);
    }
    return found;
  }
}
