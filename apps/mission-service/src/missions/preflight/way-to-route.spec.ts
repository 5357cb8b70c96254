import type { DockStateView } from '@aerie/bus-contract';
import { positionOf, wayToRoute } from './way-to-route.js';

const DOCK = { latitude: 46.5, longitude: 6.6 };
const north = (meters: number) => ({ ...DOCK, latitude: DOCK.latitude + meters / 111_195 });
/** 300 s along a route that begins in 1,000 m and ends in 2,000 m. */
const SHAPE = { waypoints: [north(1_000), north(3_000), north(2_000)], durationMs: 300_000, transitionalSpeed: 10 };

describe('the duration of a flight', () => {
  it('has the way to the first waypoint and the way back from the last one', () => {
    const way = wayToRoute(SHAPE, DOCK);
    expect(way?.durationMs).toBeGreaterThan(599_900);
    expect(way?.durationMs).toBeLessThan(600_100);
    expect(Math.round(way?.distances.farthestMeters ?? 0)).toBe(3_000);
  });

  it('is longer with an unknown speed', () => {
    expect(Math.round((wayToRoute({ ...SHAPE, transitionalSpeed: null }, DOCK)?.durationMs ?? 0) / 1_000)).toBe(700);
  });

  it('counts at most 15 km each way: a longer way is never flown, and must not reserve the dock for days', () => {
    const way = wayToRoute(SHAPE, { latitude: 6.6, longitude: 96.5 });
    expect(way?.durationMs).toBe(300_000 + 3_000_000);
    expect(way?.distances.farthestMeters).toBeGreaterThan(9_000_000);
  });

  it('is unknown while the position of the dock is unknown, or the route cannot be read', () => {
    expect(wayToRoute(SHAPE, null)).toBeNull();
    expect(wayToRoute(undefined, DOCK)).toBeNull();
    expect(wayToRoute({ ...SHAPE, waypoints: [] }, DOCK)).toBeNull();
  });
});

describe('the position of a dock', () => {
  const kept = (latitude: number) =>
    ({ latitude, longitude: 6, source: 'operator', setAt: new Date(0).toISOString() }) as const;
  const view = (parts: Partial<DockStateView>): DockStateView => ({
    ...{ sn: 'D', seenAgoMs: 0, backAgoMs: 0, clockSkewMs: 0, properties: {} },
    ...parts,
  });
  const said = { latitude: { value: 3, agoMs: 1e9 }, longitude: { value: 6, agoMs: 1e9 } };

  it('is the one that fleet-service keeps', () => {
    expect(positionOf(view({ position: kept(1), properties: said }), kept(2))?.latitude).toBe(1);
    expect(positionOf(view({ properties: said }), kept(2))?.latitude).toBe(2);
  });

  it('is what the dock said last while none is kept', () => {
    expect(positionOf(view({ position: null, properties: said }))?.latitude).toBe(3);
    expect(positionOf(view({ properties: said }), null)?.latitude).toBe(3);
  });

  it('is unknown while nobody said it', () => {
    expect(positionOf(undefined)).toBeNull();
    expect(positionOf(view({}), null)).toBeNull();
    expect(positionOf(view({ properties: { latitude: { value: 3, agoMs: 0 } } }))).toBeNull();
  });
});
