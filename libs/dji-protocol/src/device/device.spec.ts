import { InvalidError } from '@aerie/kernel';
import { encodeReply } from '../encode.js';
import { dataOf, reasonFor } from '../fixtures/messages.js';

describe('update_topo', () => {
  const aircraft = { sn: 'AIRCRAFT1', domain: '0', type: 91, sub_type: 0, index: 'A', thing_version: '1.1.2' };

  it('reads a dock with its aircraft', () => {
    const data = {
      domain: '3',
      type: 2,
      sub_type: 0,
      device_secret: 's',
      nonce: 'n',
      thing_version: '1.1.2',
      sub_devices: [aircraft],
    };
    expect(dataOf('status', 'update_topo', data)).toEqual(data);
  });

  it('reads an empty list as an aircraft that went offline', () => {
    expect(dataOf('status', 'update_topo', { domain: '3', sub_devices: [] })['sub_devices']).toEqual([]);
  });

  it.each([undefined, null])('reads the list %j as empty', (sub_devices) => {
    expect(dataOf('status', 'update_topo', { domain: '3', sub_devices })['sub_devices']).toEqual([]);
  });

  it.each([
    [{ version: 1 }, { thing_version: '1' }],
    [{ version: '1.1' }, { thing_version: '1.1' }],
    [{ thing_version: '2', version: '1' }, { thing_version: '2' }],
  ])('reads the version of %j (D5)', (given, read) => {
    expect(dataOf('status', 'update_topo', { ...given, sub_devices: [] })).toEqual({ ...read, sub_devices: [] });
  });

  it('reads the version of an aircraft in the same way (D5)', () => {
    const { thing_version, ...rest } = aircraft;
    const data = dataOf('status', 'update_topo', { sub_devices: [{ ...rest, version: thing_version }] });
    expect(data['sub_devices']).toEqual([aircraft]);
  });

  it('reads a domain that is a number (D5, E18)', () => {
    expect(dataOf('status', 'update_topo', { domain: 3, sub_devices: [] })['domain']).toBe('3');
  });

  it('reads the numbering of older examples and no domain at all (D5)', () => {
    expect(dataOf('status', 'update_topo', { type: 98, sub_type: 0, sub_devices: [] })).toMatchObject({ type: 98 });
  });

  it('is refused with an aircraft that has no serial number', () => {
    expect(reasonFor('status', 'update_topo', { sub_devices: [{}] })).toBe('data.sub_devices.0.sn: expected a string');
  });

  it('is answered with a result', () => {
    expect(encodeReply('status_reply', 'update_topo', { result: 0 })).toEqual({ result: 0 });
  });
});

describe('config', () => {
  const reply = {
    ntp_server_host: 'ntp.example.test',
    ntp_server_port: 123,
    app_id: '1',
    app_key: 'k',
    app_license: 'l',
  };

  it('reads what is asked for', () => {
    const data = { config_type: 'json', config_scope: 'product' };
    expect(dataOf('requests', 'config', data)).toEqual(data);
  });

  it('is answered flat, without a result (D6)', () => {
    expect(encodeReply('requests_reply', 'config', reply)).toEqual(reply);
  });

  it('is answered with texts, the port alone being a number (D6)', () => {
    const wrong = { ...reply, app_id: 1 as unknown as string };
    expect(() => encodeReply('requests_reply', 'config', wrong)).toThrow(InvalidError);
  });

  it('reads an answer with a number as app id (D6)', () => {
    expect(dataOf('requests_reply', 'config', { ...reply, app_id: 1, ntp_server_port: '123' })).toEqual(reply);
  });
});

describe('airport_bind_status', () => {
  const status = {
    sn: 'A',
    is_device_bind_organization: true,
    organization_id: 'o',
    organization_name: 'n',
    device_callsign: 'c',
  };
  const reply = { result: 0, output: { bind_status: [status] } };

  it('reads one device as well as two', () => {
    expect(dataOf('requests', 'airport_bind_status', { devices: [{ sn: 'A' }] })).toEqual({ devices: [{ sn: 'A' }] });
  });

  it('is answered under output', () => {
    expect(encodeReply('requests_reply', 'airport_bind_status', reply)).toEqual(reply);
  });

  it('reads an answer that forgets the output level (E12)', () => {
    expect(dataOf('requests_reply', 'airport_bind_status', { result: 0, bind_status: [status] })).toEqual(reply);
  });

  it('reads 0 and 1 as false and true', () => {
    const sent = { result: 0, output: { bind_status: [{ ...status, is_device_bind_organization: 1 }] } };
    expect(dataOf('requests_reply', 'airport_bind_status', sent)).toEqual(reply);
  });
});

describe('airport_organization_get', () => {
  const reply = { result: 0, output: { organization_name: 'n' } };

  it('reads the code and the organisation', () => {
    const data = { device_binding_code: 'c', organization_id: 'o' };
    expect(dataOf('requests', 'airport_organization_get', data)).toEqual(data);
  });

  it('is answered under output', () => {
    expect(encodeReply('requests_reply', 'airport_organization_get', reply)).toEqual(reply);
  });

  it('reads an answer that forgets the output level (E12)', () => {
    expect(dataOf('requests_reply', 'airport_organization_get', { organization_name: 'n' })).toEqual(reply);
  });
});

describe('airport_organization_bind', () => {
  const device = {
    device_binding_code: 'c',
    organization_id: 'o',
    device_callsign: 'd',
    sn: 'A',
    device_model_key: '3-2-0',
  };

  it('reads the devices to bind', () => {
    expect(dataOf('requests', 'airport_organization_bind', { bind_devices: [device] })).toEqual({
      bind_devices: [device],
    });
  });

  it('reads the model under its other name (D11)', () => {
    const { device_model_key, ...rest } = device;
    const data = { bind_devices: [{ ...rest, product_type: device_model_key }] };
    expect(dataOf('requests', 'airport_organization_bind', data)).toEqual({ bind_devices: [device] });
  });

  it('is answered with one code for each device', () => {
    const reply = { result: 0, output: { err_infos: [{ sn: 'A', err_code: 210231 }] } };
    expect(encodeReply('requests_reply', 'airport_organization_bind', reply)).toEqual(reply);
  });
});
