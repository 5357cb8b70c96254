import { Flight } from './flight.js';
import type { FlightReport } from './flight-report.js';
import { durationMs, type FlightPlan } from './flight-plan.js';
import type { Route, Waypoint } from './route.js';
import { type DockModel } from './models.js';
import { defaultNumbering, stepTableFor } from './steps.js';

const home = { latitude: 47, longitude: 8, heightMeters: 400 };

const waypoint = (index: number): Waypoint => ({
  waylineId: 0,
  index,
  latitude: 47 + 0.001 * (index + 1),
  longitude: 8,
  heightMeters: 60,
  speedMetersPerSecond: 8,
  photos: 1,
  hoverSeconds: 0,
});

const route: Route = {
  takeOffSecurityHeightMeters: 60,
  transitSpeedMetersPerSecond: 10,
  heightMode: 'relativeToStartPoint',
  waypoints: [0, 1, 2, 3].map(waypoint),
};

function aFlight(changes: Partial<FlightPlan> = {}, model: DockModel = 'dock2'): Flight {
  const flight = new Flight({
    flightId: 'flight',
    trackId: 'track',
    home,
    route,
    steps: stepTableFor(model, defaultNumbering(model)),
    returnHeightMeters: 80,
    batteryPercent: 90,
    ...changes,
  });
  flight.clearForTakeOff();
  return flight;
}

/** Every change until the end, or until one that fits. */
function run(flight: Flight, until: (report: FlightReport) => boolean = () => false): FlightReport[] {
  const reports = [flight.report()];
  // A flight of four waypoints has far fewer changes; more would be a loop.
  for (let change = 0; change < 500 && !flight.ended; change += 1) {
    flight.advance(600_000);
    const report = flight.report();
    reports.push(report);
    if (until(report)) return reports;
  }
  return reports;
}

const distinct = <T>(values: T[]): T[] => values.filter((value, position) => value !== values[position - 1]);
const last = (reports: FlightReport[]): FlightReport => reports[reports.length - 1] as FlightReport;
const onRoute = (report: FlightReport): boolean => report.phase === 'route' && report.waypointIndex === 2;

describe('a flight', () => {
  it('goes through its phases in order and ends well', () => {
    const reports = run(aFlight());
    expect(distinct(reports.map(({ status }) => status))).toEqual(['sent', 'in_progress', 'ok']);
    expect(distinct(reports.map(({ phase }) => phase))).toEqual([
      'preparing',
      'takingOff',
      'transit',
      'route',
      'returning',
      'landing',
      'recovering',
      'ended',
    ]);
    expect(last(reports)).toMatchObject({ result: 0, percent: 100, mediaCount: 4, trackId: '', breakPoint: undefined });
  });

  it('knows where it took each photo', () => {
    const flight = aFlight();
    run(flight);
    expect(flight.photos.map(({ latitude }) => latitude)).toEqual(route.waypoints.map(({ latitude }) => latitude));
    expect(flight.photos.every(({ elevationMeters }) => elevationMeters === 60)).toBe(true);
  });

  it.each([
    ['dock1', 23, 33],
    ['dock2', 25, 35],
    ['dock3', 27, 36],
  ] as const)('of a %s flies at step %i and ends at step %i', (model, executing, terminal) => {
    const reports = run(aFlight({}, model));
    const flying = reports.filter(({ phase }) => phase === 'route');
    expect(distinct(flying.map(({ step }) => step))).toEqual([executing]);
    expect(last(reports).step).toBe(terminal);
  });

  it('sticks at 90 percent from take-off to landing', () => {
    const airborne = run(aFlight()).filter((report) => report.airborne);
    expect(distinct(airborne.map(({ percent }) => percent))).toEqual([90]);
  });

  it('reports each waypoint in order', () => {
    const indexes = run(aFlight()).map(({ waypointIndex }) => waypointIndex);
    expect(distinct(indexes)).toEqual([0, 1, 2, 3]);
  });

  it('drains its battery only downwards and shows the mode that fits', () => {
    const reports = run(aFlight());
    const levels = reports.map(({ batteryPercent }) => batteryPercent);
    expect(levels).toEqual([...levels].sort((a, b) => b - a));
    expect(distinct(reports.map(({ aircraftMode }) => aircraftMode))).toEqual([14, 0, 4, 5, 9, 10, 0, 14]);
  });

  it('does not take off before it is cleared', () => {
    const flight = new Flight({
      flightId: 'timed',
      trackId: '',
      home,
      route,
      steps: stepTableFor('dock2', 'g3'),
      returnHeightMeters: 80,
      batteryPercent: 90,
    });
    for (let call = 0; call < 100; call += 1) flight.advance(600_000);
    expect(flight.phase).toBe('preparing');
    flight.clearForTakeOff();
    expect(flight.advance(1)).toMatchObject({ changed: true });
    expect(flight.phase).toBe('takingOff');
  });

  it('moves by the time it was given, however that is cut', () => {
    const whole = aFlight();
    const pieces = aFlight();
    const spend = (flight: Flight, ms: number): void => {
      for (let leftMs = ms; leftMs > 0;) leftMs = flight.advance(leftMs).leftMs;
    };
    spend(whole, 120_000);
    for (let piece = 0; piece < 1_200; piece += 1) spend(pieces, 100);
    expect(pieces.report().place.latitude).toBeCloseTo(whole.report().place.latitude, 6);
    expect(pieces.report().phase).toBe(whole.report().phase);
  });
});

describe('an interrupted flight', () => {
  it('stays where it was paused and goes on from there', () => {
    const flight = aFlight();
    run(flight, onRoute);
    expect(flight.pause()).toBe(0);
    const before = flight.report();
    flight.advance(20_000);
    expect(flight.report()).toMatchObject({ status: 'paused', place: before.place, missionState: 2 });
    expect(before.breakPoint).toMatchObject({ reason: 1281, waylineId: 0 });
    expect(flight.resume()).toBe(0);
    expect(last(run(flight))).toMatchObject({ status: 'ok', mediaCount: 4 });
  });

  it('comes home on demand and fails as returned by the user after landing', () => {
    const flight = aFlight();
    run(flight, onRoute);
    expect(flight.returnHome()).toBe(0);
    const reports = run(flight);
    expect(distinct(reports.map(({ status }) => status))).toEqual(['paused', 'failed']);
    expect(last(reports)).toMatchObject({ result: 322283, breakPoint: { reason: 1283 }, percent: 95 });
    expect(reports.map(({ phase }) => phase)).toContain('landing');
  });

  it('hovers when the return is canceled, and comes home when the battery asks for it', () => {
    const flight = aFlight();
    run(flight, onRoute);
    flight.returnHome();
    run(flight, ({ phase }) => phase === 'returning');
    expect(flight.cancelReturn()).toBe(0);
    expect(flight.phase).toBe('hovering');
    expect(last(run(flight))).toMatchObject({ status: 'failed', result: 321773 });
  });

  it('turns home when the battery is low', () => {
    const reports = run(aFlight({ batteryPercent: 21 }));
    expect(last(reports)).toMatchObject({ status: 'failed', result: 321773 });
    expect(reports.map(({ phase }) => phase)).toContain('landing');
  });

  it('resumes at the break point of an earlier flight', () => {
    const reports = run(aFlight({ resumeAt: { waylineId: 0, index: 1, progress: 0.5 } }));
    const indexes = reports.filter(({ phase }) => phase === 'route').map(({ waypointIndex }) => waypointIndex);
    expect(distinct(indexes)).toEqual([2, 3]);
    expect(last(reports)).toMatchObject({ status: 'ok', mediaCount: 2 });
  });

  it('breaks off on the way with a code of the air', () => {
    const reports = run(aFlight({ failsWith: 321517 }));
    expect(last(reports)).toMatchObject({ status: 'failed', result: 321517, breakPoint: { reason: 517 } });
    expect(reports.map(({ phase }) => phase)).toContain('landing');
  });

  it('stays on the ground with a code of the ground', () => {
    const reports = run(aFlight({ failsWith: 316009 }));
    expect(last(reports)).toMatchObject({ status: 'failed', result: 316009, percent: 15, waylineId: undefined });
    expect(reports.some(({ airborne }) => airborne)).toBe(false);
  });

  it('comes home before it ends as canceled when it is stopped in the air', () => {
    const flight = aFlight();
    run(flight, onRoute);
    expect(flight.stop()).toBe(0);
    const reports = run(flight);
    expect(distinct(reports.map(({ status }) => status))).toEqual(['in_progress', 'canceled']);
    expect(reports.map(({ phase }) => phase)).toContain('landing');
    expect(last(reports)).toMatchObject({ result: 0, breakPoint: { reason: 1281 } });
  });

  it('ends as canceled at once when it is stopped on the ground', () => {
    const flight = aFlight();
    run(flight, ({ phase }) => phase === 'preparing');
    expect(flight.stop()).toBe(0);
    expect(flight.ended).toBe(true);
    expect(flight.report()).toMatchObject({ status: 'canceled', percent: 15, breakPoint: undefined });
  });

  it('turns home anew when it is stopped while it hovers after a canceled return', () => {
    const flight = aFlight();
    run(flight, onRoute);
    flight.returnHome();
    run(flight, ({ phase }) => phase === 'returning');
    flight.cancelReturn();
    expect(flight.stop()).toBe(0);
    expect(last(run(flight))).toMatchObject({ status: 'canceled', phase: 'ended' });
  });

  it('is paused while a pilot lands it by hand, and fails as taken over', () => {
    const flight = aFlight();
    run(flight, onRoute);
    expect(flight.takeOver()).toBe(true);
    expect([flight.pause(), flight.resume(), flight.returnHome(), flight.stop(), flight.takeOver()]).toEqual([
      319046,
      319042,
      319030,
      319030,
      false,
    ]);
    const reports = run(flight);
    expect(distinct(reports.map(({ status }) => status))).toEqual(['paused', 'failed']);
    expect(reports.find(({ phase }) => phase === 'landing')?.aircraftMode).toBe(3);
    expect(reports.map(({ phase }) => phase)).not.toContain('returning');
    expect(last(reports)).toMatchObject({ result: 322282, breakPoint: { reason: 1282 } });
  });

  it('comes home and fails when the emergency stop is pressed in flight, however often that is noticed', () => {
    const flight = aFlight();
    run(flight, onRoute);
    flight.stopForEmergency();
    run(flight, ({ phase }) => phase === 'returning');
    const place = flight.report().place;
    flight.stopForEmergency();
    expect(flight.report().place).toEqual(place);
    expect(last(run(flight))).toMatchObject({ status: 'failed', result: 316026 });
  });

  it('never takes off when the emergency stop is pressed on the ground', () => {
    const flight = aFlight();
    run(flight, ({ phase }) => phase === 'preparing');
    flight.stopForEmergency();
    const reports = run(flight);
    expect(last(reports)).toMatchObject({ status: 'failed', result: 316026 });
    expect(reports.some(({ airborne }) => airborne)).toBe(false);
  });

  it('waits for RTK under the step of the home point, and then flies', () => {
    const flight = aFlight({ slowRtkMs: 240_000 }, 'dock1');
    const reports = run(flight, () => flight.waitsForRtk);
    expect(last(reports)).toMatchObject({ phase: 'preparing', step: 21 });
    expect(last(run(flight))).toMatchObject({ status: 'ok', result: 0 });
  });

  it('can be given up while it waits for RTK', () => {
    const flight = aFlight({ slowRtkMs: 240_000 }, 'dock1');
    run(flight, () => flight.waitsForRtk);
    expect(flight.abortSetup()).toBe(0);
    expect(last(run(flight))).toMatchObject({ status: 'canceled', percent: 15 });
  });

  it('takes as long as its plan says', () => {
    const plan = { batteryPercent: 95, returnHeightMeters: 60 };
    const flight = aFlight(plan);
    const wholeMs = durationMs({
      ...{ flightId: 'flight', trackId: 'track', home, route, steps: stepTableFor('dock2', 'g3') },
      ...plan,
    });
    for (let leftMs = wholeMs - 1_000; leftMs > 0;) leftMs = flight.advance(leftMs).leftMs;
    expect(flight.ended).toBe(false);
    for (let leftMs = 2_000; leftMs > 0;) leftMs = flight.advance(leftMs).leftMs;
    expect(flight.ended).toBe(true);
  });

  it('comes home alone when the dock is lost in flight', () => {
    const flight = aFlight();
    run(flight, onRoute);
    flight.loseDock();
    expect(last(run(flight))).toMatchObject({ status: 'failed', result: 314200, breakPoint: { reason: 775 } });
  });

  it('stays as it ended', () => {
    const flight = aFlight();
    const end = last(run(flight));
    expect([flight.pause(), flight.resume(), flight.returnHome(), flight.cancelReturn()]).toEqual([
      319046, 319044, 316024, 319043,
    ]);
    flight.loseDock();
    flight.advance(1_000);
    expect(flight.report()).toEqual(end);
  });
});
