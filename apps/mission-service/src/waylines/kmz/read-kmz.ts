import { InvalidError } from '@aerie/kernel';
import { TEMPLATE, WAYLINES, looksLikeArchive } from './entry-name.js';
import { LIMITS } from './limits.js';
import { airDistanceMeters } from './measure.js';
import { Problems, StopReading } from './problems.js';
import { TemplateFile } from './template-file.js';
import type { MissionConfig, Route, Wayline, WaylineSummary } from './wayline.js';
import { WaylinesFile } from './waylines-file.js';
import { XmlReader, finished } from './xml-reader.js';
import { type ZipEntry, inflate, listEntries } from './zip.js';

/**
 * Reads a route file and checks it, over nothing but its bytes. Accepted or refused, never changed: a dock compares the
 * fingerprint of these very bytes. docs/waylines.md says what is refused and why.
 *
 * @throws InvalidError `invalid_kmz`, whose fields name file, line and element of up to 20 problems; nothing else.
 */
export async function readKmz(bytes: Buffer): Promise<Wayline> {
  const problems = new Problems();
  try {
    const wayline = await read(bytes, problems);
    if (wayline !== undefined && problems.none) return wayline;
  } catch (error) {
    if (!(error instanceof StopReading)) throw error;
  }
  throw problems.toError();
}

/** Finds out in no time what is no route file at all. */
export function refuseAtOnce(bytes: Buffer): void {
  if (bytes.length <= LIMITS.fileBytes) return;
  const message = `has ${bytes.length} bytes; a route file may have ${LIMITS.fileBytes}`;
  throw new InvalidError('invalid_kmz', 'the file is no usable route: one problem', {
    fields: [{ field: 'file', message }],
  });
}

async function read(bytes: Buffer, problems: Problems): Promise<Wayline | undefined> {
  const entries = await listEntries(bytes, problems);
  for (const name of [TEMPLATE, WAYLINES]) {
    if (!entries.some((entry) => entry.name === name)) problems.add(name, 'is missing in the archive');
  }
  if (!problems.none) return undefined;

  const inflateBudget = { bytesLeft: LIMITS.inflatedBytes };
  const xmlBudget = { elementsLeft: LIMITS.xmlElements };
  const waylines = new WaylinesFile(problems);
  const template = new TemplateFile(problems);
  for (const entry of entries) {
    const file = entry.name === WAYLINES ? waylines : entry.name === TEMPLATE ? template : undefined;
    const pieces = inflate(entry, inflateBudget, problems);
    if (file === undefined) {
      await readResource(entry, pieces, problems);
      continue;
    }
    const reader = new XmlReader(entry.name, file.handler, xmlBudget, problems);
    // What follows a broken place means nothing, but the checksum of the entry still counts.
    let readable = true;
    for await (const piece of pieces) readable = readable && finished(() => reader.write(piece));
    if (readable && finished(() => reader.end())) file.finish();
  }
  const { missionConfig, routes } = waylines;
  if (missionConfig === undefined || !problems.none) return undefined;
  template.compareWith(missionConfig);
  template.compareRoutes(routes);
  return {
    missionConfig,
    routes,
    ...(template.templateType === undefined ? {} : { templateType: template.templateType }),
    warnings: problems.warnings,
    summary: summarise(routes, missionConfig),
  };
}

async function readResource(entry: ZipEntry, pieces: AsyncIterable<Buffer>, problems: Problems): Promise<void> {
  let first = true;
  for await (const piece of pieces) {
    if (first && looksLikeArchive(piece)) problems.stopAll(entry.name, 'is an archive inside the archive');
    first = false;
  }
}

function summarise(routes: readonly Route[], config: MissionConfig): WaylineSummary {
  let distanceMeters = 0;
  let plannedDurationSeconds = 0;
  routes.forEach((route, at) => {
    distanceMeters += route.distanceMeters;
    plannedDurationSeconds += route.durationSeconds;
    const end = route.waypoints.at(-1);
    const nextStart = routes[at + 1]?.waypoints[0];
    if (end === undefined || nextStart === undefined) return;
    const way = airDistanceMeters(end, nextStart);
    distanceMeters += way;
    plannedDurationSeconds += way / config.globalTransitionalSpeedMetersPerSecond;
  });
  const waypointCount = routes.reduce((count, { waypoints }) => count + waypoints.length, 0);
  const transitionalSpeedMetersPerSecond = config.globalTransitionalSpeedMetersPerSecond;
  const routeCount = routes.length;
  return { routeCount, waypointCount, distanceMeters, transitionalSpeedMetersPerSecond, plannedDurationSeconds };
}
