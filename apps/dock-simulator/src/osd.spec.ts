import { dockOsdPart, type DockView, OSD_PARTS } from './osd.js';

const aView = (overrides: [string, unknown][] = []): DockView => ({
  model: 'dock2',
  aircraft: 'M3TD',
  aircraftSn: 'A',
  position: { latitude: 47, longitude: 8, heightMeters: 400 },
  flight: undefined,
  batteryPercent: 94,
  uptimeSeconds: 1,
  flightsFlown: 0,
  mediaWaiting: 0,
  weather: { windMetersPerSecond: 2, temperature: 20, humidity: 50 },
  properties: {},
  emergencyStopPressed: false,
  opensForTask: false,
  overrides: new Map(overrides),
});

const parts = (view: DockView): object[] =>
  Array.from({ length: OSD_PARTS }, (_, position) => dockOsdPart(view, position));

describe('the telemetry of a dock', () => {
  it('says each property in one part only', () => {
    const names = parts(aView()).flatMap((part) => Object.keys(part));
    expect(new Set(names).size).toBe(names.length);
  });

  it('says what it was told to say, in the part where that belongs', () => {
    const [work, surroundings, place] = parts(aView([['rainfall', 3]]));
    expect(surroundings).toMatchObject({ rainfall: 3, wind_speed: 2 });
    expect([work, place].some((part) => part !== undefined && 'rainfall' in part)).toBe(false);
  });

  it('says a property that no part knows with the first', () => {
    expect(parts(aView([['tilt_angle', 4]]))[0]).toMatchObject({ tilt_angle: 4, mode_code: 0 });
  });

  it('shows a pressed emergency stop', () => {
    expect(dockOsdPart({ ...aView(), emergencyStopPressed: true }, 1)).toMatchObject({ emergency_stop_state: 1 });
  });
});
