import { pageSchema } from '@aerie/http-api';
import { z } from 'zod';

/** What callers get of waylines. */

export const waylineSchema = z
  .strictObject({
    id: z.uuid().describe('For `waylineId` of a mission.'),
    name: z.string().describe('For people.'),
    sha256: z.string().describe('SHA-256 of the file, hexadecimal; the same bytes are stored once.'),
    md5: z.string().describe('MD5 of the file, hexadecimal; docks compare it.'),
    sizeBytes: z.int().describe('Size of the file, bytes.'),
    aircraftModelKey: z
      .string()
      .describe('Aircraft that the route was made for: domain, type and subtype, e.g. 0-91-1.'),
    exitOnRcLost: z
      .enum(['continue', 'executeLostAction'])
      .describe('What the aircraft does when it loses its link; a mission must agree.'),
    plannedDurationSeconds: z
      .number()
      .describe(
        'Along all routes, seconds: with hovering and without acceleration, or what the file says where that is more.',
      ),
    summary: z
      .strictObject({
        routeCount: z.int().describe('Routes in the file.'),
        waypointCount: z.int().describe('Waypoints of all routes.'),
        distanceMeters: z
          .number()
          .describe('Along all routes and from each to the next, metres; without the way from the dock and back.'),
        transitionalSpeedMetersPerSecond: z
          .number()
          .optional()
          .describe(
            'To the route, from one to the next, and back, m/s. Absent for files that an older release stored.',
          ),
        plannedDurationSeconds: z.number().describe('For the same way, seconds.'),
      })
      .describe('How much there is to fly.'),
    warnings: z
      .array(
        z.strictObject({
          file: z.string().describe('File inside the KMZ.'),
          element: z.string().describe('Element as it is written there.'),
          line: z.int().describe('Line, from 1.'),
          message: z.string().describe('What is odd about it.'),
        }),
      )
      .describe(
        'What to look at before flying; the file was accepted all the same. The answer to an upload also warns when no dock is near.',
      ),
    createdAt: z.iso.datetime().describe('When it was stored. RFC 3339, UTC.'),
    archivedAt: z.iso
      .datetime()
      .nullable()
      .describe('Since when it can no longer be planned; missions that were planned fly. RFC 3339, UTC. Null: it can.'),
  })
  .describe('A stored route file. Its bytes and its route never change.');

export const waylinePageSchema = pageSchema(waylineSchema, 'Newest first.');

const position = z.array(z.number()).length(3).describe('Longitude and latitude in degrees, height in metres.');

const line = z.strictObject({
  type: z.literal('LineString').describe('A route.'),
  coordinates: z.array(position).describe('Its waypoints in flying order.'),
});
const point = z.strictObject({
  type: z.literal('Point').describe('A waypoint.'),
  coordinates: position,
});

const routeProperties = z.strictObject({
  kind: z.literal('route').describe('A whole route.'),
  waylineId: z.int().describe('Its number inside the file.'),
  heightMode: z
    .enum(['WGS84', 'relativeToStartPoint', 'realTimeFollowSurface'])
    .describe('What heights are measured from; WGS84 is the ellipsoid.'),
  distanceMeters: z.int().describe('Metres.'),
  durationSeconds: z.int().describe('Seconds.'),
});
const waypointProperties = z.strictObject({
  kind: z.literal('waypoint').describe('One waypoint.'),
  waylineId: z.int().describe('Number of its route inside the file.'),
  index: z.int().describe('Its number on the route, from 0.'),
  heightMeters: z.number().describe("Metres, measured from what the route's heightMode says."),
  speedMetersPerSecond: z.number().describe('On the way to the next one, metres per second.'),
});

export const routeGeoJsonSchema = z
  .strictObject({
    type: z.literal('FeatureCollection').describe('As GeoJSON wants it.'),
    features: z
      .array(
        z.strictObject({
          type: z.literal('Feature').describe('As GeoJSON wants it.'),
          geometry: z.discriminatedUnion('type', [line, point]).describe('Where it is.'),
          properties: z.discriminatedUnion('kind', [routeProperties, waypointProperties]).describe('What it is.'),
        }),
      )
      .describe('A line for each route, followed by a point for each of its waypoints.'),
  })
  .describe('What flies, as GeoJSON. [RFC 7946]');
