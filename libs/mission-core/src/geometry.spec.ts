import { groundDistanceMeters, routeDistances } from './geometry.js';

const at = (latitude: number, longitude: number) => ({ latitude, longitude });
const LAUSANNE = at(46.5197, 6.6323);

// One degree of a great circle is 111,195 m on a sphere of the mean radius.
it.each([
  ['one degree to the north', at(46, 6), at(47, 6), 111_195],
  ['one degree along the equator', at(0, 6), at(0, 7), 111_195],
  ['one degree to the east at 60 degrees north', at(60, 6), at(60, 7), 55_597],
  ['across the 180th meridian', at(0, 179.5), at(0, -179.5), 111_195],
  ['from pole to pole', at(90, 0), at(-90, 0), 20_015_115],
  ['from one side of the earth to the other', at(0, 0), at(0, 180), 20_015_115],
  ['from Lausanne to Zurich', LAUSANNE, at(47.3769, 8.5417), 173_464],
  ['from Paris to London', at(48.8566, 2.3522), at(51.5074, -0.1278), 343_556],
])('measures the distance %s', (_what, from, to, meters) => {
  expect(Math.abs(groundDistanceMeters(from, to) / meters - 1)).toBeLessThan(0.001);
  expect(groundDistanceMeters(to, from)).toBeCloseTo(groundDistanceMeters(from, to), 6);
});

it('measures nothing from a place to itself', () => {
  expect(groundDistanceMeters(LAUSANNE, LAUSANNE)).toBe(0);
});

describe('of a route, the distances from the dock', () => {
  it('are those of the first, the farthest and the last waypoint', () => {
    const north = (meters: number) => at(46.5197 + meters / 111_195, 6.6323);
    const distances = routeDistances(LAUSANNE, [north(100), north(4_000), north(-5_000), north(300)]);
    expect(distances?.firstMeters).toBeCloseTo(100, 1);
    expect(distances?.farthestMeters).toBeCloseTo(5_000, 1);
    expect(distances?.lastMeters).toBeCloseTo(300, 1);
  });

  it('are the same three for one waypoint, and unknown for none', () => {
    const distances = routeDistances(LAUSANNE, [at(46.5297, 6.6323)]);
    expect(distances?.firstMeters).toBe(distances?.farthestMeters);
    expect(distances?.lastMeters).toBe(distances?.farthestMeters);
    expect(routeDistances(LAUSANNE, [])).toBeNull();
  });
});
