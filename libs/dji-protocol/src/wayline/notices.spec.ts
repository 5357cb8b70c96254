import { InvalidError } from '@aerie/kernel';
import { encodeReply, encodeService } from '../encode.js';
import { accepted, aMessage, dataOf, FLIGHT_ID, reasonFor, RECEIVED_AT_MS } from '../fixtures/messages.js';

describe('device_exit_homing_notify', () => {
  it('reads the printed reason, which is a text (M23, E18)', () => {
    const data = dataOf('events', 'device_exit_homing_notify', { sn: 'DOCK', action: 1, reason: '0' });
    expect(data).toEqual({ sn: 'DOCK', action: 1, reason: 0 });
  });

  it('reads a notice without serial number, since some tables have no row for it (M23)', () => {
    expect(dataOf('events', 'device_exit_homing_notify', { action: 0, reason: 4 })).toEqual({ action: 0, reason: 4 });
  });

  it('reads a notice without a reason, because the alarm matters more', () => {
    expect(dataOf('events', 'device_exit_homing_notify', { action: 1 })).toEqual({ action: 1 });
  });

  it('reads a reason that nobody documents yet', () => {
    expect(dataOf('events', 'device_exit_homing_notify', { action: 1, reason: 11 })['reason']).toBe(11);
  });

  it('reads the example of the page, with a colon in its timestamp (M23, E1)', () => {
    const message = accepted(
      aMessage('events', {
        method: 'device_exit_homing_notify',
        timestamp: undefined,
        'timestamp:': RECEIVED_AT_MS - 1,
        need_reply: 1,
        data: { sn: 'DOCK', action: 1, reason: '0' },
      }),
    );
    expect(message).toMatchObject({ needReply: true, timestampMs: RECEIVED_AT_MS - 1, owner: 'mission' });
  });

  it('is refused when it does not say what happened', () => {
    expect(reasonFor('events', 'device_exit_homing_notify', { reason: 1 })).toBe('data.action: expected a number');
  });

  it('is answered with a result', () => {
    expect(encodeReply('events_reply', 'device_exit_homing_notify', { result: 0 })).toEqual({ result: 0 });
  });
});

describe('return_home_info', () => {
  const point = { latitude: 22.5, longitude: 113.9, height: 120.5 };

  it('reads the path home of one dock', () => {
    const data = { flight_id: FLIGHT_ID, planned_path_points: [point], last_point_type: 0 };
    expect(dataOf('events', 'return_home_info', data)).toEqual(data);
  });

  it('reads both homes of a leapfrog flight', () => {
    const home = { sn: 'DOCK', plan_status: 3, estimated_battery_consumption: 30, home_distance: 298.33 };
    const data = { flight_id: FLIGHT_ID, home_dock_sn: 'DOCK', multi_dock_home_info: [home, { ...home, sn: 'OTHER' }] };
    expect(dataOf('events', 'return_home_info', data)).toEqual(data);
  });

  it('reads a message that holds the flight alone, and reports no path rather than an empty one', () => {
    expect(dataOf('events', 'return_home_info', { flight_id: FLIGHT_ID })).toEqual({ flight_id: FLIGHT_ID });
  });

  it('reads last point type 65535 as none (M17)', () => {
    expect(dataOf('events', 'return_home_info', { last_point_type: 65535 })).toEqual({ last_point_type: null });
  });

  it('drops an empty flight id, which would hide the bid', () => {
    expect(dataOf('events', 'return_home_info', { flight_id: '', planned_path_points: [] })).toEqual({
      planned_path_points: [],
    });
  });

  it('is refused with a point that lies nowhere', () => {
    expect(reasonFor('events', 'return_home_info', { planned_path_points: [{ latitude: 1 }] })).toBe(
      'data.planned_path_points.0.longitude: expected a number',
    );
  });
});

describe('flight_setup_exception_notify', () => {
  const data = { sn: 'DOCK', timeout_time: 6, timestamp: RECEIVED_AT_MS, flight_type: 1 };

  it('reads the members of the table', () => {
    expect(dataOf('events', 'flight_setup_exception_notify', data)).toEqual(data);
  });

  it('reads the flight that only the example has (M24)', () => {
    const sent = { ...data, flight_id: FLIGHT_ID };
    expect(dataOf('events', 'flight_setup_exception_notify', sent)).toEqual(sent);
  });

  it('reads an inner timestamp with a fraction, since it is typed double (M24)', () => {
    const sent = { ...data, timestamp: RECEIVED_AT_MS + 0.5 };
    expect(dataOf('events', 'flight_setup_exception_notify', sent)).toEqual(sent);
  });

  it('reads a notice without any data, because its method alone says that the dock waits', () => {
    expect(dataOf('events', 'flight_setup_exception_notify', null)).toEqual({});
  });
});

describe('flight_setup_abort', () => {
  it('is written as an empty object for Dock 1', () => {
    expect(encodeService('flight_setup_abort', {}, { model: 'dock1' })).toEqual({});
  });

  it('does not exist before 1.11', () => {
    expect(() => encodeService('flight_setup_abort', {}, { model: 'dock1', generation: '1.8' })).toThrow(InvalidError);
  });

  it.each([326108, 326109])('reads the refusal %i', (result) => {
    expect(dataOf('services_reply', 'flight_setup_abort', { result })).toEqual({ result });
  });
});
