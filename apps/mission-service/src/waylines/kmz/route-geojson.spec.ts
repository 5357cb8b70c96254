import { aKmz } from './kmz.fixture.js';
import { readKmz } from './read-kmz.js';
import { routeGeoJson } from './route-geojson.js';

describe('routeGeoJson', () => {
  it('draws a line per route, longitude first, and a point per waypoint', async () => {
    const { type, features } = routeGeoJson(await readKmz(await aKmz()));
    expect(type).toBe('FeatureCollection');
    expect(features.map(({ geometry }) => geometry.type)).toEqual(['LineString', 'Point', 'Point', 'Point']);
    expect(features[0]).toMatchObject({
      geometry: {
        coordinates: [
          [8.5, 47.3, 80],
          [8.5, 47.301, 80],
          [8.5, 47.302, 80],
        ],
      },
      properties: { kind: 'route', waylineId: 0, heightMode: 'relativeToStartPoint', distanceMeters: 222 },
    });
    expect(features[2]).toMatchObject({ properties: { kind: 'waypoint', index: 1, heightMeters: 80 } });
  });
});
