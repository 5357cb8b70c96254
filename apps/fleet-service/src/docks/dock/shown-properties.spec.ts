import { type Device, SHOWN, shownProperties, unitsOf } from './shown-properties.js';

const shown = (device: Device, told: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const properties = Object.fromEntries(Object.entries(told).map(([name, value]) => [name, { value, agoMs: 7 }]));
  return Object.fromEntries(
    Object.entries(shownProperties(device, properties)).map(([name, { value, agoMs }]) => {
      expect(agoMs).toBe(7);
      return [name, value];
    }),
  );
};

it.each(['dock', 'aircraft'] as const)(
  'shows null for the unknown of every enumeration and battery of a %s',
  (device) => {
    for (const [name, { unknown }] of Object.entries(SHOWN[device])) {
      if (unknown === undefined) continue;
      const mark = unknown === 'battery' ? 32_767 : 65_535;
      expect(shown(device, { [name]: mark })).toEqual({ [name]: null });
      expect(shown(device, { [name]: String(mark) })).toEqual({ [name]: null });
    }
  },
);

it('shows null inside the list of batteries, and leaves what is known beside it', () => {
  const batteries = [{ index: 0, capacity_percent: 32_767, temperature: 22 }];
  expect(shown('dock', { drone_battery_maintenance_info: { heat_state: 0, batteries } })).toEqual({
    drone_battery_maintenance_info: {
      heat_state: 0,
      batteries: [{ index: 0, capacity_percent: null, temperature: 22 }],
    },
  });
});

it('shows 32767 and 65535 as they are where they are values', () => {
  const told = {
    storage: { total: 65_535, used: 32_767 },
    job_number: 65_535,
    working_voltage: 32_767,
    acc_time: 65_535,
  };
  expect(shown('dock', told)).toEqual(told);
  expect(shown('dock', { mode_code: 32_767, backup_battery: { voltage: 65_535 } })).toEqual({
    mode_code: 32_767,
    backup_battery: { voltage: 65_535 },
  });
});

it.each([
  [34, 3.4],
  ['34', 3.4],
  [0, 0],
  [7, 0.7],
  [null, null],
  ['calm', 'calm'],
])('shows the wind %j that an aircraft tells in tenths as %j m/s', (told, meant) => {
  expect(shown('aircraft', { wind_speed: told })).toEqual({ wind_speed: meant });
});

it('shows the wind that a dock tells as it is, in m/s', () => {
  expect(shown('dock', { wind_speed: 3.4 })).toEqual({ wind_speed: 3.4 });
});

it('leaves properties that nobody described, whatever their name', () => {
  const told = { tilt_angle: 65_535, constructor: 65_535, toString: 32_767 };
  expect(shown('dock', told)).toEqual(told);
});

it('names the unit of wind in the document, the same for both', () => {
  expect(unitsOf('dock')).toContain('`wind_speed` m/s');
  expect(unitsOf('aircraft')).toContain('`wind_speed` m/s');
});
