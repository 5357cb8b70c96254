import { TEMPLATE } from './entry-name.js';
import { type Group, GroupReader } from './groups.js';
import { LIMITS } from './limits.js';
import { readMissionConfig } from './mission-config.js';
import type { Place, Problems } from './problems.js';
import type { MissionConfig, Route } from './wayline.js';
import { groundDistanceMeters } from '@aerie/mission-core';

/** A template of waypoints, as far as its points can be read. */
interface DrawnRoute {
  readonly place: Place;
  readonly templateId: string | undefined;
  /** Null for one that cannot be read. */
  readonly points: readonly (Point | null)[];
}

interface Point {
  readonly longitude: number;
  readonly latitude: number;
}

/** Programs write a position with another number of digits in each file. */
const SAME_POINT_METERS = 1;

/** Reads `wpmz/template.kml`, from which a person edits the route. It does not fly, so little of it can be wrong. */
export class TemplateFile {
  readonly handler: GroupReader;
  templateType: string | undefined;
  private missionConfig: MissionConfig | undefined;
  private configPlace: Place = { file: TEMPLATE, line: 1, element: 'wpml:missionConfig' };
  private sawConfig = false;
  private sawFolder = false;
  private placemarks = 0;
  private points: (Point | null)[] = [];
  private readonly drawn: DrawnRoute[] = [];
  private readonly payloads: Group[] = [];

  constructor(private readonly problems: Problems) {
    this.handler = new GroupReader(
      TEMPLATE,
      problems,
      (group) => this.open(group),
      (group) => this.close(group),
    );
  }

  finish(): void {
    if (!this.sawConfig) this.problems.add(this.configPlace, 'is missing in <Document>');
    if (!this.sawFolder) this.problems.add({ file: TEMPLATE, line: 1, element: 'Folder' }, 'is missing in <Document>');
  }

  /** The aircraft flies the other file; an operator who edited only this one would be surprised. */
  compareWith(flown: MissionConfig): void {
    const { missionConfig, problems, configPlace } = this;
    if (missionConfig === undefined) return;
    if (missionConfig.droneModelKey !== flown.droneModelKey) {
      const message = `is for aircraft ${missionConfig.droneModelKey}, but waylines.wpml for ${flown.droneModelKey}`;
      problems.warn({ ...configPlace, element: 'wpml:droneInfo' }, message);
    }
    if (missionConfig.finishAction !== flown.finishAction) {
      const message = `is ${missionConfig.finishAction}, but waylines.wpml has ${flown.finishAction}, which is flown`;
      problems.warn({ ...configPlace, element: 'wpml:finishAction' }, message);
    }
  }

  /** Of mapping templates a program computes the waypoints; those of a waypoint template are flown as they were drawn. */
  compareRoutes(routes: readonly Route[]): void {
    for (const { place, templateId, points } of this.drawn) {
      const flown = routes.filter((route) => String(route.templateId) === templateId);
      const [route] = flown;
      if (route === undefined || flown.length > 1) continue;
      const { waypoints } = route;
      if (waypoints.length !== points.length) {
        const message = `has ${points.length} waypoints, but waylines.wpml ${waypoints.length}, which are flown`;
        this.problems.warn(place, message);
        continue;
      }
      const moved = waypoints.filter((waypoint, at) => {
        const point = points[at];
        return point == null || groundDistanceMeters(point, waypoint) > SAME_POINT_METERS;
      });
      const [first] = moved;
      if (first === undefined) continue;
      const count = `${moved.length} of ${waypoints.length}`;
      this.problems.warn(
        place,
        `has other positions than waylines.wpml, which is flown: ${count} waypoints, the first is ${first.index}`,
      );
    }
  }

  private open(group: Group): void {
    if (group.kind === 'folder') this.points = [];
    if (group.kind === 'missionConfig') this.configPlace = group.place;
    if (group.kind === 'placemark' && ++this.placemarks > LIMITS.waypoints) {
      this.problems.stopAll(group.place, `the file has more than ${LIMITS.waypoints} waypoints`);
    }
  }

  private close(group: Group): void {
    if (group.kind === 'payloadInfo') this.payloads.push(group);
    if (group.kind === 'placemark') this.points.push(pointOf(group));
    if (group.kind === 'missionConfig') {
      this.sawConfig = true;
      this.missionConfig = readMissionConfig(group, this.payloads, this.problems);
    }
    if (group.kind !== 'folder') return;
    this.sawFolder = true;
    const type = group.text('templateType');
    // It only says how the route was drawn; FlightHub 2 has types of its own.
    if (type === undefined) this.problems.warn(group.placeOf('templateType'), 'is missing in <Folder>');
    this.templateType ??= type;
    if (type !== 'waypoint' || this.points.length === 0) return;
    this.drawn.push({ place: group.place, templateId: group.text('templateId'), points: this.points });
  }
}

function pointOf(group: Group): Point | null {
  const [longitude = NaN, latitude = NaN] = (group.text('Point/coordinates') ?? '').split(',').map(Number);
  return Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90 ? { longitude, latitude } : null;
}
