import { DOCK_MODELS, GENERATIONS, type DockModel } from './dock-profile.js';
import { decodeMessage } from './decode.js';
import { accepted, aLogStart, aMessage, aPrepare, MD5 } from './fixtures/messages.js';
import { findMethod, genericAnswer, METHODS, ownerOf, UNSUPPORTED_REQUEST_RESULT } from './methods.js';
import { replyChannelOf, type Channel } from './topics.js';
import { isMessage, type WireData } from './wire-data.js';

type RequestNames = { readonly [C in 'services' | 'events' | 'requests' | 'status']: Record<keyof WireData[C], true> };
/** The compiler holds this against the types; the first test holds it against the table. */
const TYPED: RequestNames = {
  services: {
    flighttask_create: true,
    flighttask_prepare: true,
    flighttask_execute: true,
    flighttask_undo: true,
    flighttask_pause: true,
    flighttask_recovery: true,
    return_home: true,
    return_home_cancel: true,
    flighttask_stop: true,
    return_specific_home: true,
    flight_setup_abort: true,
    fileupload_list: true,
    fileupload_start: true,
    fileupload_update: true,
  },
  events: {
    flighttask_progress: true,
    flighttask_ready: true,
    device_exit_homing_notify: true,
    return_home_info: true,
    flight_setup_exception_notify: true,
    file_upload_callback: true,
    fileupload_progress: true,
    hms: true,
  },
  requests: {
    flighttask_resource_get: true,
    flighttask_progress_get: true,
    config: true,
    airport_bind_status: true,
    airport_organization_get: true,
    airport_organization_bind: true,
    storage_config_get: true,
  },
  status: { update_topo: true },
};

const METHODS_WITHOUT_DATA: ReadonlySet<string> = new Set([
  'flighttask_pause',
  'flighttask_recovery',
  'return_home',
  'return_home_cancel',
  'flight_setup_abort',
]);

describe('the index of methods', () => {
  it('lists exactly the messages that have types', () => {
    const listed = METHODS.map(({ channel, method }) => `${channel} ${method}`).sort();
    const typed = Object.entries(TYPED).flatMap(([channel, names]) =>
      Object.keys(names).map((name) => `${channel} ${name}`),
    );
    expect(listed).toEqual(typed.sort());
  });

  it('lists no message twice', () => {
    expect(new Set(METHODS.map(({ channel, method }) => `${channel} ${method}`)).size).toBe(METHODS.length);
  });

  it.each(METHODS)('knows for $method what the cloud writes', ({ channel, encodeRequest, direction }) => {
    expect({ writes: encodeRequest !== null, direction }).toEqual(
      channel === 'services' ? { writes: true, direction: 'down' } : { writes: false, direction: 'up' },
    );
  });

  it.each(METHODS.filter(({ channel }) => channel === 'services'))(
    'knows the strict form of $method, which takes no data that a dock would refuse',
    ({ method, strictRequest }) => {
      const flight = { ...aPrepare(), type: 'wayline', flight_ids: ['a'], reason: 0, home_dock_sn: 'DOCK-1' };
      const written = { ...flight, ...aLogStart(), status: 'cancel', module_list: ['3'] };
      const data = method === 'flighttask_create' ? { ...written, file: { url: 'https://a', sign: MD5 } } : written;
      expect(strictRequest?.safeParse(data).error).toBeUndefined();
      const isEmpty = strictRequest?.safeParse({}).success === true;
      expect(isEmpty).toBe(METHODS_WITHOUT_DATA.has(method));
    },
  );

  it.each(METHODS)('dates $method by a known milestone and model', ({ since, models }) => {
    expect(GENERATIONS).toContain(since);
    expect(models.every((model) => DOCK_MODELS.includes(model))).toBe(true);
  });

  it.each<[string, readonly DockModel[]]>([
    ['flighttask_stop', ['dock2', 'dock3']],
    ['return_specific_home', ['dock2', 'dock3']],
    ['flight_setup_abort', ['dock1']],
    ['flighttask_execute', DOCK_MODELS],
  ])('knows that %s is for %j', (method, models) => {
    expect(findMethod('services', method)?.models).toEqual(models);
  });

  it.each(METHODS)('finds the reply of $method by its base channel', (entry) => {
    const reply = replyChannelOf(entry.channel);
    expect(reply === null ? null : findMethod(reply, entry.method)).toBe(entry);
  });

  it.each(['constructor', 'toString', 'has_own_property'])('does not find %s, which every object has', (method) => {
    expect(findMethod('events', method)).toBeNull();
  });

  it.each<[Channel, string | null, string]>([
    ['services_reply', 'flighttask_execute', 'mission'],
    ['events', 'flighttask_progress', 'mission'],
    ['events', 'device_exit_homing_notify', 'mission'],
    ['requests', 'flighttask_resource_get', 'mission'],
    ['requests', 'flighttask_progress_get', 'mission'],
    ['requests', 'config', 'fleet'],
    ['requests', 'storage_config_get', 'credential'],
    ['services_reply', 'fileupload_list', 'log'],
    ['events', 'fileupload_progress', 'log'],
    ['events', 'file_upload_callback', 'credential'],
    ['events', 'hms', 'fleet'],
    ['status', 'update_topo', 'fleet'],
    ['osd', null, 'fleet'],
    ['state', null, 'fleet'],
    ['property/set_reply', null, 'fleet'],
    ['services_reply', null, 'any'],
    ['services_reply', 'unheard_of', 'none'],
    ['events', 'unheard_of', 'none'],
    ['drc/up', 'heart_beat', 'none'],
  ])('gives %s %s to %s', (channel, method, owner) => {
    expect(ownerOf(channel, method)).toBe(owner);
  });
});

describe('the generic answer', () => {
  it('accepts an event that nobody knows (E17)', () => {
    expect(genericAnswer('events', 'uom_fly_data_info')).toEqual({ result: 0 });
  });

  it.each(['offline_map_get', 'flight_areas_get'])('says at once that there is nothing for %s', (method) => {
    expect(genericAnswer('requests', method)).toEqual({ result: 0 });
  });

  it('refuses a request that nobody knows', () => {
    expect(genericAnswer('requests', 'unheard_of')).toEqual({ result: UNSUPPORTED_REQUEST_RESULT });
  });

  it.each<[Channel, string | null]>([
    ['events', 'flighttask_progress'],
    ['events', 'file_upload_callback'],
    ['requests', 'flighttask_progress_get'],
    ['requests', 'config'],
    ['status', 'update_topo'],
    ['services_reply', 'unheard_of'],
    ['state', null],
  ])('leaves %s %s to others', (channel, method) => {
    expect(genericAnswer(channel, method)).toBeNull();
  });
});

describe('messages of other families', () => {
  it.each([
    ['events', 'in_flight_wayline_progress', { status: 0, way_point_index: 1 }, 'M21'],
    ['events', 'uom_fly_data_info', { anything: 1.5 }, 'E17'],
  ] as const)('are accepted as sent: %s %s %j (%s)', (channel, method, data, _quirk) => {
    expect(accepted(aMessage(channel, { method, data }))).toMatchObject({ known: false, owner: 'none', data });
  });
});

describe('isMessage', () => {
  it('gives the data of one kind their type', () => {
    const message = decodeMessage(
      aMessage('requests', { method: 'flighttask_resource_get', data: { flight_id: 'a' } }),
    );
    expect(isMessage(message, 'requests', 'flighttask_resource_get') && message.data.flight_id).toBe('a');
  });

  it('does not take a request for its reply', () => {
    const message = decodeMessage(aMessage('requests', { method: 'config' }));
    expect(isMessage(message, 'requests_reply', 'config')).toBe(false);
  });
});
