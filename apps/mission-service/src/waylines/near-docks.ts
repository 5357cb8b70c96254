import { findDocksQuestion } from '@aerie/bus-contract';
import { type NatsConnection, ask } from '@aerie/messaging';
import { type Coordinates, groundDistanceMeters, routeDistances } from '@aerie/mission-core';
import type { Logger } from '@aerie/observability';
import { type Reach, reachesDock } from '@aerie/persistence';
import type { PolicyStore } from '../missions/store/policy.store.js';
import type { Route, Warning } from './kmz/index.js';

/** Docks of one question. */
const PAGE = 500;
const MAX_PAGES = 20;
/** Docks near the first waypoint whose whole distance is measured: a route may have 50,000 waypoints. */
const MAX_MEASURED = 20;
/** An upload does not wait longer for a warning. */
const PATIENCE_MS = 3_000;

/** Warns of routes that no dock of whoever uploads them can fly, because all of them are too far away. */
export class NearDocks {
  constructor(
    private readonly connection: NatsConnection,
    private readonly policies: PolicyStore,
    private readonly logger: Logger,
  ) {}

  /** None while no position is known, or fleet-service does not answer: an upload does not depend on it. */
  async warningsOf(reach: Reach, routes: readonly Route[]): Promise<readonly Warning[]> {
    const { organisationId } = reach;
    const waypoints = routes.flatMap((route) => route.waypoints);
    try {
      const { preflight } = await this.policies.of(organisationId);
      const { maximumMeters } = preflight.distance;
      const nearest = await this.nearestBeyond(reach, waypoints, maximumMeters);
      return nearest === null ? [] : [warningOf(nearest, maximumMeters)];
    } catch (error) {
      this.logger.info({ err: error, organisationId }, 'failed to compare a route with the docks, no warning is given');
      return [];
    }
  }

  /** The dock whose distance to the first waypoint is the smallest; null when a dock is near, or nobody knows. */
  private async nearestBeyond(
    reach: Reach,
    waypoints: readonly Coordinates[],
    maximumMeters: number,
  ): Promise<Nearest | null> {
    const [first] = waypoints;
    if (first === undefined) return null;
    const untilMs = Date.now() + PATIENCE_MS;
    let nearest: Nearest | null = null;
    let measured = 0;
    let after: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      if (Date.now() > untilMs) return null;
      const part = { organisationId: reach.organisationId, limit: PAGE, ...(after === undefined ? {} : { after }) };
      const { docks } = await ask(this.connection, findDocksQuestion, part);
      for (const { sn, position } of docks) {
        if (position == null || !reachesDock(reach, sn)) continue;
        const meters = groundDistanceMeters(position, first);
        if (nearest === null || meters < nearest.meters) nearest = { sn, meters };
        if (meters > maximumMeters) continue;
        const farthest = routeDistances(position, waypoints)?.farthestMeters ?? 0;
        if (farthest <= maximumMeters || ++measured >= MAX_MEASURED) return null;
      }
      if (docks.length < PAGE) return nearest;
      after = docks.at(-1)?.sn;
    }
    // Too many docks to look at all of them.
    return null;
  }
}

interface Nearest {
  readonly sn: string;
  readonly meters: number;
}

const warningOf = ({ sn, meters }: Nearest, maximumMeters: number): Warning => ({
  file: 'wpmz/waylines.wpml',
  element: 'coordinates',
  line: 1,
  message:
    `no dock with a known position has all waypoints within ${maximumMeters} m, so that preflight refuses the route; ` +
    `the first waypoint is nearest to dock ${sn}, ${Math.round(meters)} m away`,
});
