import { InvalidError } from '@aerie/kernel';
import type { DockProfile, Generation } from '../dock-profile.js';
import { encodeService } from '../encode.js';
import { aPrepare, dataOf, FLIGHT_ID, MD5, reasonFor, RECEIVED_AT_MS } from '../fixtures/messages.js';
import type { FlighttaskPrepare } from './flighttask-prepare.js';

const encoded = (overrides: Partial<FlighttaskPrepare>, profile: DockProfile = { model: 'dock3' }) =>
  encodeService('flighttask_prepare', aPrepare(overrides), profile);
const without = (...members: (keyof FlighttaskPrepare)[]): FlighttaskPrepare =>
  Object.fromEntries(
    Object.entries(aPrepare()).filter(([key]) => !(members as string[]).includes(key)),
  ) as unknown as FlighttaskPrepare;
const fieldsOf = (act: () => unknown): readonly string[] => {
  try {
    act();
  } catch (error) {
    if (error instanceof InvalidError) return error.fields.map(({ field }) => field);
  }
  return [];
};

describe('reading flighttask_prepare', () => {
  it('keeps a leftover wayline type (M6)', () => {
    expect(dataOf('services', 'flighttask_prepare', { ...aPrepare(), wayline_type: 1 })).toMatchObject({
      wayline_type: 1,
    });
  });

  it('reads a text as execute time (M7)', () => {
    const data = dataOf('services', 'flighttask_prepare', { ...aPrepare(), execute_time: '1234567890123' });
    expect(data['execute_time']).toBe(1234567890123);
  });

  it('reads a height outside of the table, since a newer dock may allow it (M8)', () => {
    expect(dataOf('services', 'flighttask_prepare', aPrepare({ rth_altitude: 1600 }))['rth_altitude']).toBe(1600);
  });

  it.each([
    [true, 1],
    [false, 0],
    ['1', 1],
    [0, 0],
  ])('reads the advance check %j as %i (M13)', (given, read) => {
    const data = dataOf('services', 'flighttask_prepare', { ...aPrepare(), flight_safety_advance_check: given });
    expect(data['flight_safety_advance_check']).toBe(read);
  });

  it('keeps every member of the newest page and those nobody documents', () => {
    const data = { ...aPrepare(), something_new: { a: null } };
    expect(dataOf('services', 'flighttask_prepare', data)).toEqual(data);
  });

  it.each([
    ['data.flight_id: expected a string', { task_type: 0, file: { url: 'http://a', fingerprint: 'x' } }],
    ['data.flight_id: expected at least 1 characters', { ...aPrepare(), flight_id: '' }],
    ['data.task_type: expected a number', { flight_id: 'a', file: { url: 'http://a', fingerprint: 'x' } }],
    ['data.file: expected an object', { flight_id: 'a', task_type: 0 }],
    ['data.file.url: expected a string', { flight_id: 'a', task_type: 0, file: { fingerprint: 'x' } }],
    [
      'data.ready_conditions.end_time: expected a number',
      { ...aPrepare(), ready_conditions: { battery_capacity: 1, begin_time: 1 } },
    ],
  ])('refuses with the reason "%s"', (reason, data) => {
    expect(reasonFor('services', 'flighttask_prepare', data)).toBe(reason);
  });
});

describe('writing flighttask_prepare', () => {
  it('gives Dock 3 every member', () => {
    expect(encoded({})).toEqual(aPrepare());
  });

  it('gives Dock 2 no simulated altitude (M14)', () => {
    expect(encoded({}, { model: 'dock2' })).toEqual(
      aPrepare({ simulate_mission: { is_enable: 0, latitude: 22.5, longitude: 113.9 } }),
    );
  });

  it.each(['rth_mode', 'wayline_precision_type', 'flight_safety_advance_check'])('gives Dock 1 no %s', (member) => {
    expect(encoded({}, { model: 'dock1' })).not.toHaveProperty(member);
  });

  it.each<[string, Generation, Generation]>([
    ['exit_wayline_when_rc_lost', '1.4', '1.3.2'],
    ['break_point', '1.4', '1.3.2'],
    ['ready_conditions', '1.3.2', '1.3.0'],
    ['executable_conditions', '1.3.2', '1.3.0'],
    ['rth_mode', '1.7', '1.6'],
    ['simulate_mission', '1.7', '1.6'],
    ['wayline_precision_type', '1.8', '1.7'],
    ['flight_safety_advance_check', '1.11', '1.8'],
  ])('sends %s from %s on and not at %s', (member, since, before) => {
    expect(encoded({}, { model: 'dock2', generation: since })).toHaveProperty(member);
    expect(encoded({}, { model: 'dock2', generation: before })).not.toHaveProperty(member);
  });

  it.each<Generation>(['1.3.0', '1.4', '1.7'])('sends wayline type 0 to a dock that speaks %s (M6)', (generation) => {
    expect(encoded({ wayline_type: 1 }, { model: 'dock1', generation })['wayline_type']).toBe(0);
  });

  it('sends no wayline type to a newer dock (M6)', () => {
    expect(encoded({ wayline_type: 0 })).not.toHaveProperty('wayline_type');
  });

  it('sends lost action 0 where nothing else is given (M12)', () => {
    expect(encodeService('flighttask_prepare', without('out_of_control_action'), { model: 'dock1' })).toMatchObject({
      out_of_control_action: 0,
    });
  });

  it('sends the preset return mode and RTK where nothing else is given', () => {
    const data = without('rth_mode', 'wayline_precision_type');
    expect(encodeService('flighttask_prepare', data, { model: 'dock2' })).toMatchObject({
      rth_mode: 1,
      wayline_precision_type: 1,
    });
  });

  it.each([20, 500, 1500])('takes %i m as height of return (M8)', (rth_altitude) => {
    expect(encoded({ rth_altitude })['rth_altitude']).toBe(rth_altitude);
  });

  it.each([
    ['rth_altitude', { rth_altitude: 19 }],
    ['rth_altitude', { rth_altitude: 1501 }],
    ['rth_altitude', { rth_altitude: 80.5 }],
    ['task_type', { task_type: 3 }],
    ['execute_time', { execute_time: 1_760_000_000 }],
    ['flight_id', { flight_id: 'a.b' }],
    ['flight_id', { flight_id: '' }],
    ['file.url', { file: { url: 'ftp://a', fingerprint: MD5 } }],
    ['file.fingerprint', { file: { url: 'https://a', fingerprint: 'xxxx' } }],
    ['out_of_control_action', { out_of_control_action: 3 }],
    ['rth_mode', { rth_mode: 2 }],
    ['flight_safety_advance_check', { flight_safety_advance_check: 2 }],
    [
      'ready_conditions.end_time',
      { ready_conditions: { battery_capacity: 1, begin_time: RECEIVED_AT_MS, end_time: RECEIVED_AT_MS } },
    ],
    [
      'ready_conditions.battery_capacity',
      { ready_conditions: { battery_capacity: 101, begin_time: RECEIVED_AT_MS, end_time: RECEIVED_AT_MS + 1 } },
    ],
    ['break_point.wayline_id', { break_point: { index: 0, state: 0, progress: 0, wayline_id: null } }],
    ['break_point.progress', { break_point: { index: 0, state: 0, progress: 1.1, wayline_id: 0 } }],
    ['simulate_mission.latitude', { simulate_mission: { is_enable: 1, latitude: 91, longitude: 0 } }],
    ['simulate_mission.altitude', { simulate_mission: { is_enable: 1, latitude: 9, longitude: 0, altitude: 10_000 } }],
  ] as const)('refuses and names %s', (field, overrides) => {
    expect(fieldsOf(() => encoded(overrides))).toEqual([field]);
  });

  it.each(['execute_time', 'rth_altitude', 'exit_wayline_when_rc_lost', 'file', 'flight_id', 'task_type'] as const)(
    'refuses a mission without %s',
    (member) => {
      expect(fieldsOf(() => encodeService('flighttask_prepare', without(member), { model: 'dock2' }))).toContain(
        member,
      );
    },
  );

  it('asks a conditional task for its conditions', () => {
    const data = { ...without('ready_conditions'), task_type: 2 };
    expect(fieldsOf(() => encodeService('flighttask_prepare', data, { model: 'dock2' }))).toEqual(['ready_conditions']);
  });

  it('asks a conditional task for no execute time', () => {
    const data = { ...without('execute_time'), task_type: 2 };
    expect(encodeService('flighttask_prepare', data, { model: 'dock2' })).not.toHaveProperty('execute_time');
  });

  it('refuses a conditional task for a dock that does not know them', () => {
    expect(fieldsOf(() => encoded({ task_type: 2 }, { model: 'dock1', generation: '1.3.0' }))).toEqual(['task_type']);
  });

  it('does not check a value that it leaves out', () => {
    expect(() => encoded({ rth_mode: 7 }, { model: 'dock1' })).not.toThrow();
  });

  it('copies the four members of a reported breakpoint and leaves its reason', () => {
    const reported = { index: 2, state: 0, progress: 0.5, wayline_id: 0, break_reason: 1281, height: 90 };
    expect(encoded({ break_point: reported })['break_point']).toEqual({
      index: 2,
      state: 0,
      progress: 0.5,
      wayline_id: 0,
    });
  });

  it.each<Generation>(['1.1', '1.2'])('is not possible for a dock of %s, which is given a creation', (generation) => {
    const profile: DockProfile = { model: 'dock1', generation };
    expect(fieldsOf(() => encoded({}, profile))).toEqual(['method']);
    expect(
      encodeService(
        'flighttask_create',
        { flight_id: FLIGHT_ID, type: 'wayline', file: { url: 'http://a/b', sign: MD5 } },
        profile,
      ),
    ).toEqual({
      flight_id: FLIGHT_ID,
      type: 'wayline',
      file: { url: 'http://a/b', sign: MD5 },
    });
  });
});
