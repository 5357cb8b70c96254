import type { Coordinates } from '@aerie/mission-core';
import { LRUCache } from 'lru-cache';
import type { DataSource } from 'typeorm';

/** What is needed to tell how far a route is from a dock. */
export interface RouteShape {
  /** Of all routes of the file, in flying order. */
  readonly waypoints: readonly Coordinates[];
}

/** Waypoints that are remembered, about 50 bytes each. The largest file has 50,000. */
const MAX_WAYPOINTS = 200_000;

interface ShapeRow {
  readonly id: string;
  /** One for each route; longitude and latitude of each waypoint, then its height. */
  readonly lines: readonly (readonly [longitude: number, latitude: number, height: number][])[];
}

/** The waypoints of stored waylines. These never change, so those of the last ones are remembered. */
export class RouteShapes {
  private readonly shapes = new LRUCache<string, RouteShape>({
    maxSize: MAX_WAYPOINTS,
    sizeCalculation: ({ waypoints }) => waypoints.length + 1,
  });

  constructor(private readonly dataSource: DataSource) {}

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
    const rows = await this.dataSource.query<ShapeRow[]>(
      `SELECT id, jsonb_path_query_array(route, '$.features[*].geometry ? (@.type == "LineString").coordinates') AS lines
         FROM mission.wayline WHERE id = ANY($1::uuid[])`,
      [[...unread]],
    );
    for (const { id, lines } of rows) {
      const shape = { waypoints: lines.flat().map(([longitude, latitude]) => ({ longitude, latitude })) };
      this.shapes.set(id, shape);
      found.set(id, shape);
    }
    return found;
  }
}
