import { InvalidError } from '@aerie/kernel';
import { encodeReply, encodeService } from '../encode.js';
import { aMessage, accepted, dataOf, FLIGHT_ID, MD5, reasonFor } from '../fixtures/messages.js';
import type { ServiceMethod } from '../wire-data.js';

const BARE_COMMANDS = ['flighttask_pause', 'flighttask_recovery', 'return_home', 'return_home_cancel'] as const;
const ALL: readonly ServiceMethod[] = [
  'flighttask_create',
  'flighttask_prepare',
  'flighttask_execute',
  'flighttask_undo',
  ...BARE_COMMANDS,
  'flighttask_stop',
  'return_specific_home',
  'flight_setup_abort',
];

describe('flighttask_undo', () => {
  it.each([
    ['the singular name', { flight_id: ['a', 'b'] }],
    ['the plural name', { flight_ids: ['a', 'b'] }],
    ['both', { flight_id: ['c'], flight_ids: ['a', 'b'] }],
  ])('reads its list under %s (M9)', (_name, data) => {
    expect(dataOf('services', 'flighttask_undo', data)).toEqual({ flight_ids: ['a', 'b'] });
  });

  it('reads a lone id as a list of one (M9)', () => {
    expect(dataOf('services', 'flighttask_undo', { flight_id: 'a' })).toEqual({ flight_ids: ['a'] });
  });

  it('is written with the plural name (M9)', () => {
    expect(encodeService('flighttask_undo', { flight_ids: ['a'] }, { model: 'dock1' })).toEqual({ flight_ids: ['a'] });
  });

  it('is written with both names for a dock older than 1.3.2 (M9)', () => {
    expect(encodeService('flighttask_undo', { flight_ids: ['a'] }, { model: 'dock1', generation: '1.3.0' })).toEqual({
      flight_ids: ['a'],
      flight_id: ['a'],
    });
  });

  it('is not written without a flight', () => {
    expect(() => encodeService('flighttask_undo', { flight_ids: [] }, { model: 'dock1' })).toThrow(InvalidError);
  });
});

describe('flighttask_create', () => {
  it('is written with the fingerprint of a prepare as its sign (M11)', () => {
    const data = { flight_id: FLIGHT_ID, type: 'wayline', file: { url: 'http://a/b', sign: MD5 } };
    const prepare = { flight_id: FLIGHT_ID, file: { url: 'http://a/b', fingerprint: MD5 } } as unknown as typeof data;
    expect(encodeService('flighttask_create', prepare, { model: 'dock1', generation: '1.1' })).toEqual(data);
  });
});

describe('flighttask_execute', () => {
  const node = { sdr_id: 1, sn: 'AIRCRAFT' };
  const dock = {
    dock_type: 'takeoff',
    index: 1,
    sn: 'DOCK',
    latitude: 22.5,
    longitude: 113.9,
    height: 12.5,
    heading: -30,
    home_position_is_valid: 1,
    rtcm_info: { mount_point: 'm', port: '8002', host: 'h', rtcm_device_type: 1, source_type: 0 },
    alternate_land_point: { longitude: 113.9, latitude: 22.5, height: 10, safe_land_height: 30, is_configured: 1 },
  };
  const leapfrog = {
    flight_id: FLIGHT_ID,
    multi_dock_task: {
      wireless_link_topo: {
        secret_code: Array.from({ length: 28 }, (_, index) => index),
        center_node: node,
        leaf_nodes: [
          { ...node, control_source_index: 1 },
          { ...node, control_source_index: 2 },
        ],
      },
      dock_infos: [dock, { ...dock, dock_type: 'landing', index: 2 }],
    },
  };

  it('is written with its flight alone for Dock 1', () => {
    expect(encodeService('flighttask_execute', leapfrog, { model: 'dock1' })).toEqual({ flight_id: FLIGHT_ID });
  });

  it.each(['dock2', 'dock3'] as const)(
    'is written with both docks for %s, as they reported themselves (M25)',
    (model) => {
      expect(encodeService('flighttask_execute', leapfrog, { model })).toEqual(leapfrog);
    },
  );

  it('is read with the port of the correction service as text (M25)', () => {
    const [first, second] = leapfrog.multi_dock_task.dock_infos;
    const sent = {
      ...leapfrog,
      multi_dock_task: {
        ...leapfrog.multi_dock_task,
        dock_infos: [{ ...first, rtcm_info: { ...dock.rtcm_info, port: 8002 } }, second],
      },
    };
    expect(dataOf('services', 'flighttask_execute', sent)).toEqual(leapfrog);
  });

  it('is read with an alternate landing point that has no height (M25)', () => {
    const { height: _height, ...point } = dock.alternate_land_point;
    const sent = {
      ...leapfrog,
      multi_dock_task: { ...leapfrog.multi_dock_task, dock_infos: [{ ...dock, alternate_land_point: point }] },
    };
    expect(dataOf('services', 'flighttask_execute', sent)).toEqual(sent);
  });

  it('is refused without a flight', () => {
    expect(reasonFor('services', 'flighttask_execute', {})).toBe('data.flight_id: expected a string');
  });
});

describe.each(BARE_COMMANDS)('%s', (method) => {
  it.each([{}, '', null, undefined])('reads %j as no data (M22)', (data) => {
    expect(dataOf('services', method, data)).toEqual({});
  });

  it('reads the list of one empty id that docks accept (M22)', () => {
    expect(accepted(aMessage('services', { method, data: { flight_ids: [''] } })).known).toBe(true);
  });

  it('is written as an empty object (M22)', () => {
    expect(encodeService(method, {}, { model: 'dock2' })).toEqual({});
  });

  it('does not exist before 1.4', () => {
    expect(() => encodeService(method, {}, { model: 'dock1', generation: '1.3.2' })).toThrow(InvalidError);
  });
});

describe.each(ALL)('the reply to %s', (method) => {
  it.each([
    [0, 0],
    ['0', 0],
    ['319001', 319001],
    [314004, 314004],
  ])('reads the result %j (M10, E18)', (result, read) => {
    expect(dataOf('services_reply', method, { result })).toEqual({ result: read });
  });

  it.each([{}, null, ''])('reads %j as a success, since a table says there are no data (E11)', (data) => {
    expect(dataOf('services_reply', method, data)).toEqual({ result: 0 });
  });

  it('is refused with a result that is no number', () => {
    expect(reasonFor('services_reply', method, { result: 'plan id' })).toBe('data.result: expected a number');
  });

  it('keeps what nobody documents (E17)', () => {
    const data = { result: 0, output: { extra: 1 }, more: 2 };
    expect(dataOf('services_reply', method, data)).toEqual(data);
  });
});

describe('the reply to return_home', () => {
  it('carries a status under output', () => {
    const data = { result: 0, output: { status: 'in_progress' } };
    expect(dataOf('services_reply', 'return_home', data)).toEqual(data);
  });

  it('reads a status that stands at the root (E12)', () => {
    expect(dataOf('services_reply', 'return_home', { result: 0, status: 'sent' })).toEqual({
      result: 0,
      output: { status: 'sent' },
    });
  });

  it('is no success where its status says that it failed (E11)', () => {
    expect(reasonFor('services_reply', 'return_home', { output: { status: 'failed' } })).toBe(
      'data.result: expected a number',
    );
  });
});

describe('flighttask_ready', () => {
  it.each([{ flight_ids: ['a', 'b'] }, { flight_id: ['a', 'b'] }])('reads the flights of %j', (data) => {
    expect(dataOf('events', 'flighttask_ready', data)).toEqual({ flight_ids: ['a', 'b'] });
  });

  it('is refused without its list', () => {
    expect(reasonFor('events', 'flighttask_ready', {})).toBe('data.flight_ids: expected an array');
  });
});

describe('flighttask_resource_get', () => {
  const file = { url: 'https://a/b.kmz?Signature=1', fingerprint: MD5 };

  it('reads the flight it asks for', () => {
    expect(dataOf('requests', 'flighttask_resource_get', { flight_id: FLIGHT_ID })).toEqual({ flight_id: FLIGHT_ID });
  });

  it('is answered with a link and a fingerprint, signed anew each time by the caller (M27)', () => {
    const reply = { result: 0, output: { file } };
    expect(encodeReply('requests_reply', 'flighttask_resource_get', reply)).toEqual(reply);
  });

  it('is answered without output when the flight is unknown', () => {
    expect(encodeReply('requests_reply', 'flighttask_resource_get', { result: 319003 })).toEqual({ result: 319003 });
  });

  it('is not answered with a success that has no file', () => {
    expect(() => encodeReply('requests_reply', 'flighttask_resource_get', { result: 0 })).toThrow(InvalidError);
  });

  it('reads an answer that forgets the output level (E12)', () => {
    expect(dataOf('requests_reply', 'flighttask_resource_get', { result: 0, file })).toEqual({
      result: 0,
      output: { file },
    });
  });
});
