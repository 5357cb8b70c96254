import { ActionChecks } from './actions.js';
import { WAYLINES } from './entry-name.js';
import { type Group, GroupReader, type Range, readNumber } from './groups.js';
import { LIMITS } from './limits.js';
import { airDistanceMeters } from './measure.js';
import { SPEED, readMissionConfig, warnOfConfig } from './mission-config.js';
import type { Place, Problems } from './problems.js';
import { HEIGHT_MODES, type MissionConfig, type Route, type Waypoint } from './wayline.js';

export const ID: Range = { min: 0, max: 65_535, whole: true };
const INDEX: Range = { min: 0, max: 65_534, whole: true };

/** Above the take-off point or the ground: what a command may ask for, up or down a slope. */
const RELATIVE_HEIGHT: Range = { min: -1_500, max: 1_500, unit: 'm' };
/** Above the ellipsoid: from the Dead Sea to where no aircraft of a dock climbs. */
const ELLIPSOID_HEIGHT: Range = { min: -1_000, max: 10_000, unit: 'm' };
const ANY_HEIGHT: Range = { min: -1_500, max: 10_000, unit: 'm' };

/** No aircraft of a dock flies for so long. */
const LONGEST_FLIGHT_SECONDS = 86_400;
const DURATION = /^\d{1,9}(\.\d{1,20})?$/;

const TURN_MODES = [
  'coordinateTurn',
  'toPointAndStopWithDiscontinuityCurvature',
  'toPointAndStopWithContinuityCurvature',
  'toPointAndPassWithContinuityCurvature',
];

interface ReadWaypoint {
  readonly index: number;
  readonly longitude: number;
  readonly latitude: number;
  readonly heightMeters: number;
  readonly ownSpeed: number | undefined;
  readonly turnMode: string | undefined;
  readonly dampingMeters: number;
  readonly hasHeading: boolean;
  readonly line: number;
}

/** Reads `wpmz/waylines.wpml`, the file that flies, as its elements come. */
export class WaylinesFile {
  readonly handler: GroupReader;
  readonly routes: Route[] = [];
  missionConfig: MissionConfig | undefined;

  private readonly actions: ActionChecks;
  private readonly payloads: Group[] = [];
  private readonly waylineIds = new Set<number>();
  private documentPlace: Place = { file: WAYLINES, line: 1, element: 'Document' };
  private sawConfig = false;
  private folders = 0;
  private placemarks = 0;
  private waypoints: ReadWaypoint[] = [];
  private placemarksOfFolder = 0;

  constructor(private readonly problems: Problems) {
    this.actions = new ActionChecks(problems);
    this.handler = new GroupReader(
      WAYLINES,
      problems,
      (group) => this.open(group),
      (group) => this.close(group),
    );
  }

  /** To be called when the file has come to its end. */
  finish(): void {
    if (!this.sawConfig) {
      this.problems.add({ ...this.documentPlace, element: 'wpml:missionConfig' }, 'is missing in <Document>');
    }
    if (this.folders === 0) {
      this.problems.add({ ...this.documentPlace, element: 'Folder' }, 'is missing: the file has no route');
    }
  }

  private open(group: Group): void {
    if (group.kind === 'document') this.documentPlace = group.place;
    if (group.kind === 'folder') {
      if (++this.folders > LIMITS.routes) {
        this.problems.stopAll(group.place, `the file has more than ${LIMITS.routes} routes`);
      }
      this.waypoints = [];
      this.placemarksOfFolder = 0;
      this.actions.startRoute();
    }
    if (group.kind === 'placemark') {
      this.placemarksOfFolder++;
      if (++this.placemarks > LIMITS.waypoints) {
        this.problems.stopAll(group.place, `the file has more than ${LIMITS.waypoints} waypoints`);
      }
    }
  }

  private close(group: Group): void {
    switch (group.kind) {
      case 'missionConfig':
        this.sawConfig = true;
        this.missionConfig = readMissionConfig(group, this.payloads, this.problems);
        if (this.missionConfig !== undefined) warnOfConfig(group, this.missionConfig, this.problems);
        return;
      case 'payloadInfo':
        this.payloads.push(group);
        return;
      case 'action':
        return this.actions.addAction(group);
      case 'actionGroup':
        return this.actions.addGroup(group);
      case 'placemark': {
        const waypoint = this.readWaypoint(group);
        if (waypoint !== undefined) this.waypoints.push(waypoint);
        return;
      }
      case 'folder': {
        const route = this.readRoute(group);
        if (route !== undefined) this.routes.push(route);
        return;
      }
      case 'document':
        return;
    }
  }

  private readWaypoint(group: Group): ReadWaypoint | undefined {
    const position = readCoordinates(group, this.problems);
    const index = group.requiredNumber('index', INDEX);
    const heightMeters = group.requiredNumber('executeHeight', ANY_HEIGHT);
    const speed = group.number('waypointSpeed', SPEED);
    const turnMode = group.text('waypointTurnParam/waypointTurnMode');
    if (turnMode === undefined || !TURN_MODES.includes(turnMode)) {
      const message = turnMode === undefined ? 'is missing in <Placemark>' : 'is not known';
      this.problems.warn(group.placeOf('waypointTurnParam/waypointTurnMode'), message);
    }
    const dampingMeters = group.number('waypointTurnParam/waypointTurnDampingDist', { min: 0, max: 10_000, unit: 'm' });
    if (position === undefined || index === undefined || heightMeters === undefined) return undefined;
    return {
      index,
      ...position,
      heightMeters,
      ownSpeed: group.text('useGlobalSpeed') === '1' ? undefined : speed,
      turnMode,
      dampingMeters: dampingMeters ?? 0,
      hasHeading:
        group.text('useGlobalHeadingParam') === '1' ||
        group.text('waypointHeadingParam/waypointHeadingMode') !== undefined,
      line: group.place.line,
    };
  }

  private readRoute(folder: Group): Route | undefined {
    const { problems } = this;
    const waylineId = folder.requiredNumber('waylineId', ID);
    const templateId = folder.requiredNumber('templateId', ID);
    const executeHeightMode = folder.requiredWord('executeHeightMode', HEIGHT_MODES);
    const autoFlightSpeed = folder.requiredNumber('autoFlightSpeed', SPEED);
    const fileSeconds = readDuration(folder, problems);
    if (waylineId !== undefined && this.waylineIds.has(waylineId)) {
      problems.add(folder.placeOf('waylineId'), `${waylineId} is the id of another route of this file, too`);
    }
    if (waylineId !== undefined) this.waylineIds.add(waylineId);
    if (this.placemarksOfFolder < 2) {
      problems.add(folder.place, `has ${this.placemarksOfFolder} waypoints; a route needs two`);
    }
    const whole = this.waypoints.length === this.placemarksOfFolder;
    // Where a waypoint could not be read, its gap is no second problem.
    if (whole) this.checkIndices(folder);
    this.actions.finishRoute(this.placemarksOfFolder);
    if (waylineId === undefined || templateId === undefined || executeHeightMode === undefined) return undefined;
    if (autoFlightSpeed === undefined) return undefined;
    this.checkHeights(executeHeightMode);
    if (!whole || this.waypoints.length < 2) return undefined;
    const ordered = [...this.waypoints].sort((a, b) => a.index - b.index);
    this.warnOfTurns(ordered);
    this.warnOfStandstill(ordered);
    this.warnOfHeadings(ordered);
    const waypoints = ordered.map(({ index, longitude, latitude, heightMeters, ownSpeed, turnMode }): Waypoint => ({
      index,
      longitude,
      latitude,
      heightMeters,
      speedMetersPerSecond: ownSpeed ?? autoFlightSpeed,
      ...(turnMode === undefined ? {} : { turnMode }),
    }));
    const measured = measure(waypoints, this.actions.hoverSeconds);
    return {
      waylineId,
      templateId,
      executeHeightMode,
      autoFlightSpeedMetersPerSecond: autoFlightSpeed,
      waypoints,
      actionCount: this.actions.count,
      ...measured,
      // The program that made the file knows how the aircraft accelerates and turns; it may also write 0.
      durationSeconds: Math.max(measured.durationSeconds, fileSeconds),
    };
  }

  /** `current_waypoint_index` and a breakpoint count these, so they must be 0, 1, 2 … without a gap. */
  private checkIndices(folder: Group): void {
    const count = this.waypoints.length;
    const seen = new Set<number>();
    for (const { index, line } of this.waypoints) {
      const place: Place = { ...folder.place, line, element: 'wpml:index' };
      if (seen.has(index)) this.problems.add(place, `${index} occurs twice in this route`);
      else if (index >= count) {
        this.problems.add(place, `is ${index}, but ${count} waypoints must be numbered 0 to ${count - 1}`);
      }
      seen.add(index);
    }
  }

  private checkHeights(mode: Route['executeHeightMode']): void {
    const { min, max, unit } = mode === 'WGS84' ? ELLIPSOID_HEIGHT : RELATIVE_HEIGHT;
    for (const { heightMeters, line } of this.waypoints) {
      if (heightMeters >= min && heightMeters <= max) continue;
      const place: Place = { file: WAYLINES, line, element: 'wpml:executeHeight' };
      this.problems.add(place, `${heightMeters} is outside ${min} to ${max} ${unit} in height mode ${mode}`);
    }
  }

  /** Docks find these out in the air and break the flight off. */
  /** One warning a route: a program that repeats waypoints repeats many. */
  private warnOfStandstill(waypoints: readonly ReadWaypoint[]): void {
    const repeated = waypoints.filter((waypoint, at) => {
      const before = waypoints[at - 1];
      return before !== undefined && airDistanceMeters(before, waypoint) < SAME_PLACE_METERS;
    });
    const [first] = repeated;
    if (first === undefined) return;
    const place: Place = { file: WAYLINES, line: first.line, element: 'Point' };
    const others = repeated.length === 1 ? '' : `, and so do ${repeated.length - 1} more of this route`;
    this.problems.warn(
      place,
      `waypoint ${first.index} lies where the one before it lies${others}; docks may refuse a way of no length`,
    );
  }

  private warnOfHeadings(waypoints: readonly ReadWaypoint[]): void {
    const without = waypoints.filter(({ hasHeading }) => !hasHeading);
    const [first] = without;
    if (first === undefined) return;
    const place: Place = { file: WAYLINES, line: first.line, element: 'wpml:waypointHeadingMode' };
    this.problems.warn(
      place,
      `is missing at ${without.length} of ${waypoints.length} waypoints; the aircraft chooses where its nose points`,
    );
  }

  private warnOfTurns(waypoints: readonly ReadWaypoint[]): void {
    waypoints.forEach((waypoint, at) => {
      const place: Place = { file: WAYLINES, line: waypoint.line, element: 'wpml:waypointTurnParam' };
      const isEnd = at === 0 || at === waypoints.length - 1;
      if (isEnd && waypoint.turnMode === 'coordinateTurn') {
        this.problems.warn(place, 'a coordinated turn is not possible at the first or last waypoint');
      }
      const next = waypoints[at + 1];
      if (next === undefined) return;
      const damping = waypoint.dampingMeters + next.dampingMeters;
      if (damping > 0 && airDistanceMeters(waypoint, next) <= damping) {
        this.problems.warn(place, `the way to the next waypoint is shorter than the two turns (${damping} m)`);
      }
      if (waypoint.longitude === 0 && waypoint.latitude === 0) this.problems.warn(place, 'lies at 0, 0');
    });
  }
}

/** Two waypoints nearer to each other than this are one place: files round positions to some centimetres. */
const SAME_PLACE_METERS = 0.1;

/** `longitude,latitude`, with white space around and perhaps a third number. */
function readCoordinates(group: Group, problems: Problems): { longitude: number; latitude: number } | undefined {
  const text = group.required('Point/coordinates');
  if (text === undefined) return undefined;
  const place = group.placeOf('Point/coordinates');
  const parts = text.split(',').map((part) => part.trim());
  const [lon, lat, ...more] = parts;
  if (lon === undefined || lat === undefined || more.length > 1) {
    problems.add(place, 'must be `longitude,latitude`');
    return undefined;
  }
  const anything = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };
  const longitude = readNumber(lon, anything, place, problems);
  const latitude = readNumber(lat, anything, place, problems);
  if (longitude === undefined || latitude === undefined) return undefined;
  if (Math.abs(latitude) > 90 && Math.abs(latitude) <= 180 && Math.abs(longitude) <= 90) {
    problems.add(place, `latitude ${lat} is outside -90 to 90; the two look swapped, write longitude,latitude`);
    return undefined;
  }
  if (Math.abs(latitude) > 90) problems.add(place, `latitude ${lat} is outside -90 to 90`);
  else if (Math.abs(longitude) > 180) problems.add(place, `longitude ${lon} is outside -180 to 180`);
  else return { longitude, latitude };
  return undefined;
}

/** What the file itself says of its duration, seconds; 0 where it says nothing that can be used. */
function readDuration(folder: Group, problems: Problems): number {
  const text = folder.text('duration');
  if (text === undefined) return 0;
  const seconds = DURATION.test(text) ? Number(text) : NaN;
  if (seconds <= LONGEST_FLIGHT_SECONDS) return seconds;
  problems.warn(folder.placeOf('duration'), `is no duration from 0 to ${LONGEST_FLIGHT_SECONDS} s and is not used`);
  return 0;
}

function measure(waypoints: readonly Waypoint[], hoverSeconds: number) {
  let distanceMeters = 0;
  let durationSeconds = hoverSeconds;
  let lowestMeters = Infinity;
  let highestMeters = -Infinity;
  waypoints.forEach((waypoint, at) => {
    lowestMeters = Math.min(lowestMeters, waypoint.heightMeters);
    highestMeters = Math.max(highestMeters, waypoint.heightMeters);
    const next = waypoints[at + 1];
    if (next === undefined) return;
    const way = airDistanceMeters(waypoint, next);
    distanceMeters += way;
    durationSeconds += way / waypoint.speedMetersPerSecond;
  });
  return { lowestMeters, highestMeters, distanceMeters, durationSeconds };
}
