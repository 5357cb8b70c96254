import { SaxesParser } from 'saxes';
import { fromBufferPromise } from 'yauzl';
import { resultCodes } from './result-codes.js';

/** One waypoint of the executable route. */
export interface Waypoint {
  readonly waylineId: number;
  readonly index: number;
  readonly latitude: number;
  readonly longitude: number;
  /** In the meaning of the route's `heightMode`. */
  readonly heightMeters: number;
  readonly speedMetersPerSecond: number;
  readonly photos: number;
  readonly hoverSeconds: number;
}

export interface Route {
  readonly takeOffSecurityHeightMeters: number;
  readonly transitSpeedMetersPerSecond: number;
  readonly heightMode: string;
  /** All waylines of the file, in file order. */
  readonly waypoints: readonly Waypoint[];
}

/** A file that a dock cannot fly, with the code it answers. */
export class RouteError extends Error {
  constructor(
    readonly code: number,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RouteError';
  }
}

const WAYLINES_ENTRY = 'wpmz/waylines.wpml';
const ENTRIES_MAX = 2_000;
/** A route of 65,535 points with actions stays below this. */
const WAYLINES_BYTES_MAX = 64 * 1024 * 1024;

/** Reads the flyable part of a KMZ, as a dock does before it says yes to a task. */
export async function readRoute(kmz: Buffer): Promise<Route> {
  return parseWaylines(await readWaylinesEntry(kmz));
}

async function readWaylinesEntry(kmz: Buffer): Promise<string> {
  try {
    const zip = await fromBufferPromise(kmz, { lazyEntries: true });
    let seen = 0;
    for await (const entry of zip.eachEntry()) {
      seen += 1;
      if (seen > ENTRIES_MAX) throw new RouteError(resultCodes.kmzUnsupported, 'too many entries');
      if (entry.fileName !== WAYLINES_ENTRY) continue;
      if (entry.uncompressedSize > WAYLINES_BYTES_MAX) {
        throw new RouteError(resultCodes.kmzUnsupported, `${WAYLINES_ENTRY} is too large`);
      }
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    }
  } catch (error) {
    if (error instanceof RouteError) throw error;
    throw new RouteError(resultCodes.kmzUnsupported, 'not a readable KMZ', error);
  }
  throw new RouteError(resultCodes.kmzUnsupported, `no ${WAYLINES_ENTRY} in the KMZ`);
}

interface OpenFolder {
  waylineId: number;
  speed: number;
  heightMode: string;
  points: OpenPoint[];
}

interface OpenPoint {
  index: number;
  coordinates: string;
  height: number;
  speed: number | undefined;
  photos: number;
  hoverSeconds: number;
}

/** Prefixes are dropped: files name the WPML namespace in several versions, and consumer apps use another host. */
export function parseWaylines(xml: string): Route {
  const parser = new SaxesParser();
  const path: string[] = [];
  const folders: OpenFolder[] = [];
  let text = '';
  let securityHeight = 20;
  let transitSpeed = 10;

  parser.on('doctype', () => {
    throw new RouteError(resultCodes.kmzProcessingFailed, 'a route file holds no document type');
  });
  parser.on('error', (error) => {
    throw new RouteError(resultCodes.kmzProcessingFailed, 'the route is no XML', error);
  });
  parser.on('opentag', (tag) => {
    const name = localName(tag.name);
    path.push(name);
    text = '';
    if (name === 'Folder') folders.push({ waylineId: folders.length, speed: 5, heightMode: '', points: [] });
    if (name === 'Placemark') {
      folders
        .at(-1)
        ?.points.push({ index: NaN, coordinates: '', height: NaN, speed: undefined, photos: 0, hoverSeconds: 0 });
    }
  });
  parser.on('text', (piece) => {
    text += piece;
  });
  parser.on('closetag', () => {
    const name = path.pop() ?? '';
    const value = text.trim();
    text = '';
    const folder = folders.at(-1);
    if (!folder) {
      if (name === 'takeOffSecurityHeight') securityHeight = Number(value);
      if (name === 'globalTransitionalSpeed') transitSpeed = Number(value);
      return;
    }
    const point = folder.points.at(-1);
    if (point && path.includes('Placemark')) readPointElement(point, name, value);
    else readFolderElement(folder, name, value);
  });

  parser.write(xml).close();
  const waypoints = folders.flatMap(waypointsOf);
  if (folders.length === 0) throw new RouteError(resultCodes.kmzProcessingFailed, 'the route has no wayline');
  if (!(securityHeight > 0 && transitSpeed > 0)) {
    throw new RouteError(resultCodes.kmzProcessingFailed, 'the mission configuration holds no usable height or speed');
  }
  return {
    takeOffSecurityHeightMeters: securityHeight,
    transitSpeedMetersPerSecond: transitSpeed,
    heightMode: folders[0]?.heightMode ?? '',
    waypoints,
  };
}

function readFolderElement(folder: OpenFolder, name: string, value: string): void {
  if (name === 'waylineId') folder.waylineId = Number(value);
  if (name === 'autoFlightSpeed') folder.speed = Number(value);
  if (name === 'executeHeightMode') folder.heightMode = value;
}

function readPointElement(point: OpenPoint, name: string, value: string): void {
  if (name === 'index') point.index = Number(value);
  if (name === 'coordinates') point.coordinates = value;
  if (name === 'executeHeight') point.height = Number(value);
  if (name === 'waypointSpeed') point.speed = Number(value);
  if (name === 'actionActuatorFunc' && ['takePhoto', 'orientedShoot', 'panoShot'].includes(value)) point.photos += 1;
  if (name === 'hoverTime') point.hoverSeconds += Number(value) || 0;
}

function waypointsOf(folder: OpenFolder): Waypoint[] {
  if (folder.points.length < 2) {
    throw new RouteError(resultCodes.kmzProcessingFailed, `wayline ${folder.waylineId} has fewer than two waypoints`);
  }
  return folder.points.map((point, position) => {
    const [longitude = NaN, latitude = NaN] = point.coordinates.split(',').map((part) => Number(part.trim()));
    const speed = point.speed ?? folder.speed;
    const sound =
      point.index === position &&
      Math.abs(latitude) <= 90 &&
      Math.abs(longitude) <= 180 &&
      Number.isFinite(point.height) &&
      speed > 0;
    if (!sound) {
      throw new RouteError(
        resultCodes.kmzProcessingFailed,
        `waypoint ${position} of wayline ${folder.waylineId} has no usable index, coordinates, height or speed`,
      );
    }
    return {
      waylineId: folder.waylineId,
      index: point.index,
      latitude,
      longitude,
      heightMeters: point.height,
      speedMetersPerSecond: speed,
      photos: point.photos,
      hoverSeconds: point.hoverSeconds,
    };
  });
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
