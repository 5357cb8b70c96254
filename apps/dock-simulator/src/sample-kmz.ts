import { InvalidError } from '@aerie/kernel';
import { ZipFile } from 'yazl';
import { offset } from './geo.js';
import { aircraftModels, type AircraftModel } from './models.js';

export interface SampleKmzOptions {
  /** The route lies around this place; use the dock's position. */
  readonly originLatitude: number;
  readonly originLongitude: number;
  /** 2 to 1000; default 4. */
  readonly waypoints?: number;
  /** Default `M3TD`, the aircraft of a Dock 2. */
  readonly aircraft?: AircraftModel;
  /** Metres above take-off; default 60. */
  readonly heightMeters?: number;
  /** Metres per second; default 8. */
  readonly speedMetersPerSecond?: number;
}

interface SamplePoint {
  readonly index: number;
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * A small flyable route of our own making: a zigzag north of the origin with a photo at each waypoint. The same
 * options give the same bytes everywhere: fixed time stamps, entries stored and not compressed (deflate differs
 * between builds of zlib).
 */
export async function makeSampleKmz(options: SampleKmzOptions): Promise<Buffer> {
  const { originLatitude, originLongitude, waypoints = 4 } = options;
  if (!Number.isInteger(waypoints) || waypoints < 2 || waypoints > 1_000) {
    throw new InvalidError('bad_waypoint_count', 'a sample route has 2 to 1000 waypoints');
  }
  const origin = { latitude: originLatitude, longitude: originLongitude };
  const points = Array.from({ length: waypoints }, (_, index): SamplePoint => {
    const place = offset(origin, 60 + 40 * index, index % 2 === 0 ? -30 : 30);
    return { index, latitude: round(place.latitude), longitude: round(place.longitude) };
  });

  const zip = new ZipFile();
  // DOS time stamps are local; a local date without the extended field gives the same bytes in every time zone.
  const entry = { mtime: new Date(2025, 0, 1), mode: 0o100644, compress: false, forceDosTimestamp: true };
  zip.addBuffer(Buffer.from(templateKml(options, points)), 'wpmz/template.kml', entry);
  zip.addBuffer(Buffer.from(waylinesWpml(options, points)), 'wpmz/waylines.wpml', entry);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function round(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7;
}

function documentOf(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:wpml="http://www.dji.com/wpmz/1.0.6">
<Document>
${body}
</Document>
</kml>
`;
}

function missionConfig({ aircraft = 'M3TD', heightMeters = 60 }: SampleKmzOptions): string {
  const { type, subType, camera } = aircraftModels[aircraft];
  return `<wpml:missionConfig>
  <wpml:flyToWaylineMode>safely</wpml:flyToWaylineMode>
  <wpml:finishAction>goHome</wpml:finishAction>
  <wpml:exitOnRCLost>goContinue</wpml:exitOnRCLost>
  <wpml:executeRCLostAction>goBack</wpml:executeRCLostAction>
  <wpml:takeOffSecurityHeight>${Math.max(heightMeters, 20)}</wpml:takeOffSecurityHeight>
  <wpml:globalTransitionalSpeed>10</wpml:globalTransitionalSpeed>
  <wpml:globalRTHHeight>${Math.max(heightMeters, 20)}</wpml:globalRTHHeight>
  <wpml:droneInfo>
    <wpml:droneEnumValue>${type}</wpml:droneEnumValue>
    <wpml:droneSubEnumValue>${subType}</wpml:droneSubEnumValue>
  </wpml:droneInfo>
  <wpml:payloadInfo>
    <wpml:payloadEnumValue>${camera}</wpml:payloadEnumValue>
    <wpml:payloadSubEnumValue>0</wpml:payloadSubEnumValue>
    <wpml:payloadPositionIndex>0</wpml:payloadPositionIndex>
  </wpml:payloadInfo>
</wpml:missionConfig>`;
}

const headingParam = (tag: string): string => `<wpml:${tag}>
    <wpml:waypointHeadingMode>followWayline</wpml:waypointHeadingMode>
    <wpml:waypointHeadingAngle>0</wpml:waypointHeadingAngle>
    <wpml:waypointPoiPoint>0.000000,0.000000,0.000000</wpml:waypointPoiPoint>
    <wpml:waypointHeadingPathMode>followBadArc</wpml:waypointHeadingPathMode>
  </wpml:${tag}>`;

function photoAction(index: number): string {
  return `<wpml:actionGroup>
    <wpml:actionGroupId>${index}</wpml:actionGroupId>
    <wpml:actionGroupStartIndex>${index}</wpml:actionGroupStartIndex>
    <wpml:actionGroupEndIndex>${index}</wpml:actionGroupEndIndex>
    <wpml:actionGroupMode>sequence</wpml:actionGroupMode>
    <wpml:actionTrigger>
      <wpml:actionTriggerType>reachPoint</wpml:actionTriggerType>
    </wpml:actionTrigger>
    <wpml:action>
      <wpml:actionId>0</wpml:actionId>
      <wpml:actionActuatorFunc>takePhoto</wpml:actionActuatorFunc>
      <wpml:actionActuatorFuncParam>
        <wpml:fileSuffix>point${index}</wpml:fileSuffix>
        <wpml:payloadPositionIndex>0</wpml:payloadPositionIndex>
        <wpml:payloadLensIndex>wide</wpml:payloadLensIndex>
        <wpml:useGlobalPayloadLensIndex>0</wpml:useGlobalPayloadLensIndex>
      </wpml:actionActuatorFuncParam>
    </wpml:action>
  </wpml:actionGroup>`;
}

function waylinesWpml(options: SampleKmzOptions, points: readonly SamplePoint[]): string {
  const { heightMeters = 60, speedMetersPerSecond = 8 } = options;
  const placemarks = points.map(
    ({ index, latitude, longitude }) => `<Placemark>
  <Point>
    <coordinates>${longitude},${latitude}</coordinates>
  </Point>
  <wpml:index>${index}</wpml:index>
  <wpml:executeHeight>${heightMeters}</wpml:executeHeight>
  <wpml:waypointSpeed>${speedMetersPerSecond}</wpml:waypointSpeed>
  ${headingParam('waypointHeadingParam')}
  <wpml:waypointTurnParam>
    <wpml:waypointTurnMode>toPointAndStopWithDiscontinuityCurvature</wpml:waypointTurnMode>
    <wpml:waypointTurnDampingDist>0</wpml:waypointTurnDampingDist>
  </wpml:waypointTurnParam>
  <wpml:useStraightLine>1</wpml:useStraightLine>
  ${photoAction(index)}
  <wpml:isRisky>0</wpml:isRisky>
</Placemark>`,
  );
  return documentOf(`${missionConfig(options)}
<Folder>
<wpml:templateId>0</wpml:templateId>
<wpml:executeHeightMode>relativeToStartPoint</wpml:executeHeightMode>
<wpml:waylineId>0</wpml:waylineId>
<wpml:autoFlightSpeed>${speedMetersPerSecond}</wpml:autoFlightSpeed>
${placemarks.join('\n')}
</Folder>`);
}

function templateKml(options: SampleKmzOptions, points: readonly SamplePoint[]): string {
  const { heightMeters = 60, speedMetersPerSecond = 8 } = options;
  const placemarks = points.map(
    ({ index, latitude, longitude }) => `<Placemark>
  <Point>
    <coordinates>${longitude},${latitude}</coordinates>
  </Point>
  <wpml:index>${index}</wpml:index>
  <wpml:useGlobalHeight>1</wpml:useGlobalHeight>
  <wpml:useGlobalSpeed>1</wpml:useGlobalSpeed>
  <wpml:useGlobalHeadingParam>1</wpml:useGlobalHeadingParam>
  <wpml:useGlobalTurnParam>1</wpml:useGlobalTurnParam>
  <wpml:gimbalPitchAngle>-90</wpml:gimbalPitchAngle>
  ${photoAction(index)}
  <wpml:isRisky>0</wpml:isRisky>
</Placemark>`,
  );
  return documentOf(`<wpml:author>aerie</wpml:author>
<wpml:createTime>1735689600000</wpml:createTime>
<wpml:updateTime>1735689600000</wpml:updateTime>
${missionConfig(options)}
<Folder>
<wpml:templateType>waypoint</wpml:templateType>
<wpml:templateId>0</wpml:templateId>
<wpml:waylineCoordinateSysParam>
  <wpml:coordinateMode>WGS84</wpml:coordinateMode>
  <wpml:heightMode>relativeToStartPoint</wpml:heightMode>
  <wpml:positioningType>GPS</wpml:positioningType>
</wpml:waylineCoordinateSysParam>
<wpml:autoFlightSpeed>${speedMetersPerSecond}</wpml:autoFlightSpeed>
<wpml:globalHeight>${heightMeters}</wpml:globalHeight>
<wpml:gimbalPitchMode>usePointSetting</wpml:gimbalPitchMode>
${headingParam('globalWaypointHeadingParam')}
<wpml:globalWaypointTurnMode>toPointAndStopWithDiscontinuityCurvature</wpml:globalWaypointTurnMode>
<wpml:globalUseStraightLine>1</wpml:globalUseStraightLine>
${placemarks.join('\n')}
<wpml:payloadParam>
  <wpml:payloadPositionIndex>0</wpml:payloadPositionIndex>
  <wpml:imageFormat>wide</wpml:imageFormat>
</wpml:payloadParam>
</Folder>`);
}
