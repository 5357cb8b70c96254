import { randomUUID } from 'node:crypto';
import { bothOf } from '@aerie/persistence/testing';
import { ROLES, type Role, atSites } from '@aerie/bus-contract';
import { configureHttp } from '@aerie/http-api';
import { Caller, describePermissions, describeRefusedInput } from '@aerie/http-api/testing';
import { createLogger } from '@aerie/observability';
import { startInProcess } from '@aerie/service-host/testing';
import type { DataSource } from 'typeorm';
import { eventually, startAll, startPrivateNats, testEnvironment } from '@aerie/testing';
import { ApiKeyStore } from '../api-keys/api-key.store.js';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config.js';
import { DockStates } from '../dock-state/dock-states.js';
import { KeepAlarms } from '../alarms/keep-alarms.js';
import { importDocks, readDocks } from '../docks/import-docks.js';
import { AuditIntake, AuditTrail } from '@aerie/http-api';
import { ApiDatabase } from '@aerie/persistence';
import { createSetupLink } from '../people/join.js';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { FLEET_API, ROUTES } from './fleet-api.js';

const logger = createLogger('openapi-spec', 'silent');
let stop: (() => Promise<void>) | undefined;
let url = '';
let key = '';
const keysByRole = new Map<string, string>();
let database: DataSource;
let caller: Caller;
let states: DockStates;
let audit: AuditIntake;

/** The whole service as it runs, without its intake, with two docks that never spoke. */
beforeAll(async () => {
  const { redisUrl, mqttUrl } = testEnvironment();
  const started = await startAll(async (closers) => {
    const { settings, dataSource, drop } = await fleetTestDatabase();
    closers.push(drop);
    const docks = ['FLEET-1', 'FLEET-2'].map((sn) => JSON.stringify({ sn, model: 'dock2', name: sn }));
    await importDocks(dataSource, readDocks(docks.join('\n')));
    const nats = await startPrivateNats();
    closers.push(() => nats.remove());
    const config = loadConfig({
      ...{ FLEET_HTTP_PORT: '0', ...settings, REDIS_URL: redisUrl, NATS_URL: nats.url },
      ...{ MQTT_URL: mqttUrl, MQTT_USER: 'irrelevant', MQTT_PASSWORD: 'irrelevant', FLEET_DOCK_MQTT_URL: mqttUrl },
    });
    const service = await startInProcess(closers, {
      ...{ name: 'fleet-service', logger },
      compose: (host) => AppModule.compose(config, host),
      http: (app) => configureHttp(app, logger, ROUTES),
    });
    return { ...service, dataSource };
  });
  ({ url, stop, dataSource: database } = started);
  const keys = new ApiKeyStore(bothOf(database));
  key = await keys.create('spec', false);
  caller = new Caller({ url, routes: ROUTES, key });
  const site = await caller.call('createSite', { body: { name: 'of limited keys', timeZone: 'UTC' } });
  const siteIds = [String(site.body['id'])];
  for (const role of ROLES) {
    keysByRole.set(role, await keys.create(role, false, { roles: [role] }));
    keysByRole.set(atSites(role), await keys.create(role, false, { roles: [role], siteIds }));
  }
  states = started.app.get(DockStates);
  audit = started.app.get<AuditIntake>(AuditTrail);
}, 60_000);
afterAll(() => stop?.(), 30_000);

describeRefusedInput(FLEET_API, () => ({ url, key }));
describePermissions(ROUTES, () => ({ url, keyOf: (role) => keysByRole.get(role) ?? '' }));

describe('alarms answer as described', () => {
  const dock = { dockSn: 'FLEET-1', deviceSn: 'FLEET-1' };
  const alarm = {
    ...{ code: '0x1', level: 2, module: 1, inTheSky: false, imminent: true, deviceType: '3-2-0' },
    ...{ componentIndex: null, sensorIndex: 0 },
  };
  const list = (receivedAtMs: number, ...alarms: (typeof alarm)[]) => ({ ...dock, list: { receivedAtMs, alarms } });
  const find = async (query: Record<string, string>) => {
    const { items } = (await caller.call('listAlarms', { query })).body as { items: { id: string; code: string }[] };
    return items;
  };

  beforeAll(async () => {
    const keepAlarms = new KeepAlarms(database);
    const nowMs = Date.now();
    await keepAlarms.keep([list(nowMs - 9_000, alarm, { ...alarm, code: '0x2', level: 7 }), list(nowMs, alarm)]);
  });

  it('when they are listed: those that are open, those that are over, those of a device', async () => {
    const codes = async (query: Record<string, string>) => (await find(query)).map(({ code }) => code).sort();
    expect(await codes({})).toEqual(['0x1', '0x2']);
    expect(await codes({ open: 'true' })).toEqual(['0x1']);
    expect(await codes({ open: 'false', acknowledged: 'false' })).toEqual(['0x2']);
    expect(await codes({ dockSn: 'FLEET-1', deviceSn: 'FLEET-1' })).toEqual(['0x1', '0x2']);
    expect(await codes({ dockSn: 'FLEET-2' })).toEqual([]);
    const { body } = await caller.call('listAlarms', { query: { limit: '1' } });
    expect(body).toMatchObject({ items: [{}], nextCursor: expect.any(String) });
    const next = await caller.call('listAlarms', { query: { cursor: String(body['nextCursor']) } });
    expect(next.body).toMatchObject({ items: [{}], nextCursor: null });
  });

  it('when one is shown', async () => {
    const [{ id } = { id: '' }] = await find({ open: 'true' });
    const { body } = await caller.call('getAlarm', { params: { id } });
    const words = { level: 'warning', module: 'deviceManagement', imminent: true, inTheSky: false, text: null };
    expect(body).toMatchObject({ ...words, code: '0x1', open: true, times: 1, acknowledgedAt: null });
    const [{ id: over } = { id: '' }] = await find({ open: 'false' });
    const ended = { level: 'unknown', open: false, closedAt: expect.any(String) };
    expect((await caller.call('getAlarm', { params: { id: over } })).body).toMatchObject(ended);
    expect((await caller.call('getAlarm', { params: { id: randomUUID() } })).status).toBe(404);
    expect((await caller.call('getAlarm', { params: { id: 'none' } })).status).toBe(404);
  });

  it('when a dock is shown that has some open, and one that has none', async () => {
    const alarmsOf = async (sn: string) => (await caller.call('getDock', { params: { sn } })).body['alarms'];
    expect(await alarmsOf('FLEET-1')).toEqual({ open: 1, worst: 'warning' });
    expect(await alarmsOf('FLEET-2')).toEqual({ open: 0, worst: null });
  });

  it('when one is acknowledged: who was first stays, the note is the last', async () => {
    const [{ id } = { id: '' }] = await find({ open: 'true' });
    const acknowledge = async (note: string) =>
      (await caller.call('acknowledgeAlarm', { params: { id }, body: { note } })).body;
    const first = await acknowledge('seen');
    expect(first).toMatchObject({ acknowledgedBy: expect.stringMatching(/^key:/), note: 'seen', open: true });
    expect(await acknowledge('cleaned')).toEqual({ ...first, note: 'cleaned' });
    expect(await find({ acknowledged: 'false' })).toMatchObject([{ code: '0x2' }]);
    const nobody = { params: { id: randomUUID() }, body: {} };
    expect((await caller.call('acknowledgeAlarm', nobody)).status).toBe(404);
  });

  it('when somebody who is no member is to look after one: it is refused', async () => {
    const [{ id } = { id: '' }] = await find({ open: 'true' });
    const change = (body: object) => caller.call('changeAlarm', { params: { id }, body });
    const refused = await change({ assignedTo: randomUUID() });
    expect([refused.status, refused.body['code']]).toEqual([422, 'unknown_member']);
    expect((await change({})).status).toBe(422);
    expect((await change({ assignedTo: null, note: null })).body).toMatchObject({ assignedTo: null, note: null });
    expect((await caller.call('changeAlarm', { params: { id: randomUUID() }, body: { note: 'x' } })).status).toBe(404);
  });
});

describe('docks answer as described', () => {
  it('when they are listed page by page', async () => {
    const first = await caller.call('listDocks', { query: { limit: '1' } });
    expect(first.body).toMatchObject({ items: [{ online: false }], nextCursor: expect.any(String) });
    const rest = await caller.call('listDocks', { query: { cursor: String(first.body['nextCursor']) } });
    expect(rest.body).toMatchObject({ items: [{ online: false }], nextCursor: null });
  });

  it('when one is shown', async () => {
    const params = { sn: 'FLEET-1' };
    expect((await caller.call('getDock', { params })).body).toMatchObject({ sn: 'FLEET-1', aircraft: null });
    expect((await caller.call('getDockState', { params })).body).toMatchObject({ sn: 'FLEET-1', online: false });
    expect((await caller.call('getDock', { params: { sn: 'NOPE' } })).status).toBe(404);
  });

  it('when the position of a dock is entered', async () => {
    const params = { sn: 'FLEET-2' };
    expect((await caller.call('getDock', { params })).body['position']).toBeNull();
    const body = { latitude: 46.5, longitude: 6.6 };
    expect((await caller.call('enterDockPosition', { params, body })).status).toBe(200);
    const entered = { ...body, source: 'operator', setAt: expect.any(String) };
    expect((await caller.call('getDock', { params })).body['position']).toEqual(entered);
  });

  it.each([
    ['0, 0', { latitude: 0, longitude: 0 }],
    ['a place beyond the earth', { latitude: 91, longitude: 6 }],
    ['half a place', { latitude: 46 }],
    ['a field that nobody knows', { latitude: 46, longitude: 6, height: 400 }],
  ])('when the position is %s: it is refused', async (_what, body) => {
    const { status } = await caller.call('enterDockPosition', { params: { sn: 'FLEET-1' }, body });
    expect(status).toBe(422);
    expect((await caller.call('getDock', { params: { sn: 'FLEET-1' } })).body['position']).toBeNull();
  });

  it('when the position of a dock that does not exist is entered', async () => {
    const body = { latitude: 46.5, longitude: 6.6 };
    expect((await caller.call('enterDockPosition', { params: { sn: 'NOPE' }, body })).status).toBe(404);
  });

  it('when the dock says its position itself: none is entered', async () => {
    const params = { sn: 'FLEET-1' };
    const body = { latitude: 46.5, longitude: 6.6 };
    states.merge('FLEET-1', { latitude: 47.1, longitude: 8.2 }, Date.now());
    const { status, body: problem } = await caller.call('enterDockPosition', { params, body });
    expect([status, problem['code']]).toEqual([409, 'position_from_dock']);
    states.merge('FLEET-1', { latitude: 0, longitude: 0 }, Date.now() + 1);
    expect((await caller.call('enterDockPosition', { params, body })).status).toBe(200);
  });

  it('when one reports another model than it is registered as, and the registration is corrected', async () => {
    const params = { sn: 'FLEET-2' };
    expect((await caller.call('getDock', { params })).body).toMatchObject({
      reportedModel: null,
      modelMismatch: false,
    });
    await database.query(`UPDATE fleet.dock SET reported_model_key = '3-1-0' WHERE sn = 'FLEET-2'`);
    const wrong = { model: 'dock2', reportedModel: 'dock1', modelMismatch: true };
    expect((await caller.call('getDock', { params })).body).toMatchObject(wrong);
    const right = { model: 'dock1', reportedModel: 'dock1', modelMismatch: false };
    const corrected = await caller.call('correctDock', { params, body: { model: 'dock1' } });
    expect(corrected).toMatchObject({ status: 200, body: right });
    expect((await caller.call('getDock', { params })).body).toMatchObject(right);
    for (const body of [{}, { model: 'dock9' }, { model: 'dock1', name: '' }]) {
      expect((await caller.call('correctDock', { params, body })).status).toBe(422);
    }
    const unknown = await caller.call('correctDock', { params: { sn: 'NOPE' }, body: { model: 'dock1' } });
    expect(unknown.status).toBe(404);
  });

  it('when a filter is asked for that there is not: all docks are no answer to it', async () => {
    const { status, body } = await caller.call('listDocks', { query: { online: 'false' } });
    expect([status, body['knownParameters']]).toEqual([422, ['retired', 'siteId', 'limit', 'cursor']]);
  });

  it('when one is renamed', async () => {
    const params = { sn: 'FLEET-2' };
    const body = { name: 'Roof of hall 4' };
    expect(await caller.call('correctDock', { params, body })).toMatchObject({ status: 200, body });
  });

  it('when its aircraft are shown: they are offline with the dock, and one that is not there cannot be released', async () => {
    await importDocks(
      database,
      readDocks(JSON.stringify({ sn: 'FLEET-4', model: 'dock2', name: 'x', aircraftSn: 'A4' })),
    );
    await database.query(`UPDATE fleet.aircraft SET online = true WHERE sn = 'A4'`);
    const params = { sn: 'FLEET-4' };
    const shown = async () => [
      (await caller.call('getDock', { params })).body['aircraft'],
      (await caller.call('listDockAircraft', { params })).body['items'],
    ];
    const aircraft = (online: boolean) => expect.objectContaining({ sn: 'A4', online }) as unknown;
    expect(await shown()).toEqual([aircraft(false), [aircraft(false)]]);
    states.merge('FLEET-4', { mode_code: 0 }, Date.now());
    expect(await shown()).toEqual([aircraft(true), [aircraft(true)]]);
    const unknown = await caller.call('releaseAircraft', { params: { ...params, aircraftSn: 'A5' } });
    expect([unknown.status, unknown.body['code']]).toEqual([404, 'unknown_aircraft']);
  });

  it('when it says unknown, and when its aircraft tells the wind in tenths', async () => {
    const maintenance = { batteries: [{ index: 0, capacity_percent: 32_767 }] };
    states.merge(
      'FLEET-4',
      { cover_state: 65_535, wind_speed: 3.4, drone_battery_maintenance_info: maintenance },
      Date.now(),
    );
    states.merge('A4', { wind_speed: 34 }, Date.now());
    const { body } = await caller.call('getDockState', { params: { sn: 'FLEET-4' } });
    expect(body).toMatchObject({
      properties: {
        cover_state: { value: null },
        wind_speed: { value: 3.4 },
        drone_battery_maintenance_info: { value: { batteries: [{ index: 0, capacity_percent: null }] } },
      },
      aircraft: { sn: 'A4', properties: { wind_speed: { value: 3.4 } } },
    });
  });

  it('when the serial number of a dock that has spoken, or none, is corrected', async () => {
    const correct = async (sn: string, body: object) => {
      const { status, body: problem } = await caller.call('correctDockSerialNumber', { params: { sn }, body });
      return [status, problem['code']];
    };
    states.merge('FLEET-1', { mode_code: 0 }, Date.now());
    expect(await correct('FLEET-1', { sn: 'FLEET-9' })).toEqual([409, 'dock_has_connected']);
    expect(await correct('FLEET-2', { sn: 'FLEET-2' })).toEqual([409, 'same_sn']);
    expect(await correct('FLEET-2', { sn: 'FLEET-1' })).toEqual([409, 'dock_exists']);
    expect(await correct('NOPE', { sn: 'FLEET-9' })).toEqual([404, 'unknown_dock']);
    expect((await correct('FLEET-2', { sn: 'no spaces' }))[0]).toBe(422);
  });

  it('when one is cut off, is kept out and is let in again', async () => {
    const params = { sn: 'FLEET-2' };
    for (const operation of ['endDockCutOff', 'keepDockCutOff']) {
      const { status, body } = await caller.call(operation, { params });
      expect([status, body['code']]).toEqual([409, 'not_cut_off']);
      expect((await caller.call(operation, { params: { sn: 'NOPE' } })).status).toBe(404);
    }
    await database.query(`INSERT INTO fleet.cut_off (organisation_id, dock_sn, reason, reported_at, since, until, next_action_at)
      SELECT organisation_id, sn, 'sends too much', now(), now(), now() + interval '1 hour', now() + interval '1 hour'
        FROM fleet.dock WHERE sn = 'FLEET-2'`);
    const cutOff = { since: expect.any(String), until: expect.any(String), reason: 'sends too much' };
    expect((await caller.call('getDock', { params })).body).toMatchObject({ cutOff });
    const { items } = (await caller.call('listDocks')).body as { items: { sn: string; cutOff: unknown }[] };
    expect(items.find(({ sn }) => sn === 'FLEET-2')).toMatchObject({ cutOff });
    const kept = await caller.call('keepDockCutOff', { params });
    expect(kept.body).toMatchObject({ cutOff: { ...cutOff, until: null } });
    expect((await caller.call('endDockCutOff', { params })).body).toMatchObject({ cutOff: null });
    const history = await caller.call('listDockCutOffs', { params });
    expect(history.body).toMatchObject({ items: [{ reason: 'sends too much', until: null, endedBy: 'person' }] });
  });

  it('when docks that were retired are listed', async () => {
    await database.query(`INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, provisioned_at, retired_at)
      SELECT 'FLEET-OLD', id, 'dock1', '1.15', 'x', now(), now() FROM fleet.organisation LIMIT 1`);
    const listed = async (retired: string) =>
      ((await caller.call('listDocks', { query: { retired } })).body['items'] as { sn: string }[]).map(({ sn }) => sn);
    expect(await listed('true')).toEqual(['FLEET-OLD']);
    expect(await listed('false')).not.toContain('FLEET-OLD');
    const { body } = await caller.call('getDock', { params: { sn: 'FLEET-OLD' } });
    expect(body).toMatchObject({ retiredAt: expect.any(String), online: false });
    expect((await caller.call('retireDock', { params: { sn: 'NOPE' } })).status).toBe(404);
  });

  it('when one is registered that is registered already, or with a field that nobody knows', async () => {
    const dock = { sn: 'FLEET-1', model: 'dock2' };
    expect((await caller.call('registerDock', { body: dock })).status).toBe(409);
    expect((await caller.call('registerDock', { body: { ...dock, sn: 'FLEET-3', modell: 'dock3' } })).status).toBe(422);
  });

  it('when somebody without a key wants the document', async () => {
    expect((await caller.call('getFleetOpenApi', { key: null })).body['openapi']).toBe('3.1.0');
    expect((await caller.call('listDocks', { key: null })).status).toBe(401);
  });
});

describe('API keys answer as described', () => {
  const make = async (body: object = {}) =>
    (await caller.call('createApiKey', { body: { name: 'Night patrol', roles: ['planner'], ...body } })).body;

  it('when one is made, shown, used and listed', async () => {
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const made = await make({ expiresAt, addresses: ['127.0.0.0/8', '2001:db8::7'] });
    const { key: secret, ...rest } = made;
    const params = { id: String(made['id']) };
    expect(rest).toMatchObject({
      roles: ['planner'],
      valid: true,
      expiresAt,
      addresses: ['127.0.0.0/8', '2001:db8::7/128'],
    });
    expect((await caller.call('getApiKey', { params })).body).toEqual(rest);
    expect((await caller.call('listDocks', { key: String(secret) })).status).toBe(200);
    expect((await caller.call('getApiKey', { params })).body['lastUsedAt']).toEqual(expect.any(String));
    const first = await caller.call('listApiKeys', { query: { limit: '1', valid: 'true' } });
    expect(first.body).toMatchObject({ items: [{ id: made['id'] }], nextCursor: expect.any(String) });
    const next = await caller.call('listApiKeys', { query: { cursor: String(first.body['nextCursor']) } });
    expect(JSON.stringify(next.body)).not.toContain(params.id);
  });

  it('when another one takes the place of one, and when one is revoked', async () => {
    const old = await make();
    const params = { id: String(old['id']) };
    const fresh = await caller.call('rotateApiKey', { params, body: {} });
    expect(fresh).toMatchObject({ status: 201, body: { replaces: old['id'], roles: ['planner'] } });
    expect((await caller.call('rotateApiKey', { params, body: {} })).status).toBe(409);
    expect((await caller.call('listDocks', { key: String(old['key']) })).status).toBe(200);
    const revoked = await caller.call('revokeApiKey', { params });
    expect(revoked.body).toMatchObject({ valid: false, revokedBy: expect.stringContaining('key:') as string });
    expect((await caller.call('listDocks', { key: String(old['key']) })).status).toBe(401);
    const { items } = (await caller.call('listApiKeys', { query: { valid: 'false' } })).body as {
      items: { id: string }[];
    };
    expect(items.map(({ id }) => id)).toContain(old['id']);
  });

  it.each([
    ['roles', { roles: [] }],
    ['roles.0', { roles: ['captain'] }],
    ['roles', { roles: ['pilot', 'pilot'] }],
    ['expiresAt', { expiresAt: '2001-01-01T00:00:00Z' }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
    ['addresses', { addresses: [] }],
    ['addresses.0', { addresses: ['192.0.2.300'] }],
    ['addresses.1', { addresses: ['192.0.2.0/24', '192.0.2.0/33'] }],
    ['addresses.0', { addresses: ['192.0.2.7/24'] }],
    ['name', { name: ' ' }],
  ])('when one cannot be made because of its %s: %j', async (field, wrong) => {
    const { status, body } = await caller.call('createApiKey', {
      body: { name: 'wrong', roles: ['viewer'], ...wrong },
    });
    expect([status, (body['errors'] as { field: string }[]).map((each) => each.field)]).toEqual([422, [field]]);
  });

  it('when there is none of that id', async () => {
    for (const id of ['99999999-9999-4999-8999-999999999999', 'no-id']) {
      for (const operation of ['getApiKey', 'rotateApiKey', 'revokeApiKey']) {
        const { status, body } = await caller.call(operation, { params: { id } });
        expect([status, body['code']]).toEqual([404, 'unknown_key']);
      }
    }
  });
});

describe('sites answer as described', () => {
  const NO_DOCK = 'NO-SUCH-DOCK';
  const makeSite = async (name: string): Promise<string> =>
    String((await caller.call('createSite', { body: { name, timeZone: 'Europe/Berlin' } })).body['id']);
  const move = (sn: string, siteId: string | null) => caller.call('correctDock', { params: { sn }, body: { siteId } });
  const limitedKey = async (...siteIds: string[]): Promise<string> => {
    const body = { name: 'limited', roles: ROLES, siteIds };
    return String((await caller.call('createApiKey', { body })).body['key']);
  };
  const snsOf = ({ body }: { readonly body: Readonly<Record<string, unknown>> }): unknown[] =>
    (body['items'] as { sn: string }[]).map(({ sn }) => sn);

  it('when one is made, shown, listed, changed and deleted', async () => {
    const made = await caller.call('createSite', {
      body: { name: 'Quay', timeZone: 'Asia/Tokyo', latitude: 35.6, longitude: 139.8 },
    });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'Quay', timeZone: 'Asia/Tokyo', latitude: 35.6, docks: 0 },
    });
    const params = { id: String(made.body['id']) };
    expect(made.headers.get('location')).toBe(`/api/v1/sites/${params.id}`);
    expect((await caller.call('getSite', { params })).body).toEqual(made.body);
    expect((await caller.call('listSites')).body['items']).toContainEqual(made.body);
    const changed = await caller.call('changeSite', {
      params,
      body: { name: 'Pier', latitude: null, longitude: null },
    });
    expect(changed.body).toMatchObject({ name: 'Pier', timeZone: 'Asia/Tokyo', latitude: null, longitude: null });
    expect((await caller.call('deleteSite', { params })).status).toBe(200);
    for (const operation of ['getSite', 'deleteSite']) {
      expect(await caller.call(operation, { params })).toMatchObject({ status: 404, body: { code: 'unknown_site' } });
    }
  });

  it('when its name is taken', async () => {
    const [, id] = [await makeSite('taken'), await makeSite('free')];
    const again = await caller.call('createSite', { body: { name: 'taken', timeZone: 'UTC' } });
    expect(again).toMatchObject({ status: 409, body: { code: 'site_exists' } });
    const renamed = await caller.call('changeSite', { params: { id }, body: { name: 'taken' } });
    expect(renamed).toMatchObject({ status: 409, body: { code: 'site_exists' } });
    expect((await caller.call('changeSite', { params: { id }, body: { name: 'free' } })).status).toBe(200);
  });

  it.each([
    ['a time zone that there is not', { timeZone: 'Europe/Atlantis' }],
    ['an offset for a time zone', { timeZone: '+01:00' }],
    ['half a place', { latitude: 46 }],
    ['a place beyond the earth', { latitude: 46, longitude: 181 }],
  ])('when one is made with %s: it is refused', async (_what, wrong) => {
    const { status } = await caller.call('createSite', { body: { name: 'wrong', timeZone: 'UTC', ...wrong } });
    expect(status).toBe(422);
  });

  it('when an organisation has as many as it may', async () => {
    const [{ organisation_id: organisation } = { organisation_id: '' }] = await database.query<
      { organisation_id: string }[]
    >(
      `INSERT INTO fleet.site (id, organisation_id, name, time_zone, created_by)
       SELECT gen_random_uuid(), organisation_id, 'many ' || n, 'UTC', 'spec' FROM fleet.dock, generate_series(1, 500) n
        WHERE sn = 'FLEET-1' RETURNING organisation_id`,
    );
    const one = await caller.call('createSite', { body: { name: 'one more', timeZone: 'UTC' } });
    expect(one).toMatchObject({ status: 409, body: { code: 'too_many_sites' } });
    await database.query(`DELETE FROM fleet.site WHERE organisation_id = $1 AND name LIKE 'many %'`, [organisation]);
  });

  it('when docks are put there and taken away, and it is deleted only after that', async () => {
    const id = await makeSite('with docks');
    expect((await move('FLEET-1', id)).body).toMatchObject({ sn: 'FLEET-1', siteId: id });
    expect(snsOf(await caller.call('listDocks', { query: { siteId: id } }))).toEqual(['FLEET-1']);
    expect((await caller.call('getSite', { params: { id } })).body).toMatchObject({ docks: 1 });
    const refused = await caller.call('deleteSite', { params: { id } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'site_has_docks' } });
    const nowhere = await move('FLEET-1', '00000000-0000-4000-8000-000000000000');
    expect(nowhere).toMatchObject({ status: 404, body: { code: 'unknown_site' } });
    expect((await move('FLEET-1', null)).body).toMatchObject({ siteId: null });
    expect((await caller.call('deleteSite', { params: { id } })).status).toBe(200);
  });

  it('when there is room for no further dock', async () => {
    const id = await makeSite('full');
    await database.query(
      `INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, site_id)
       SELECT 'FULL-' || n, organisation_id, 'dock2', '1.15', 'irrelevant', $1 FROM fleet.dock, generate_series(1, 200) n
        WHERE sn = 'FLEET-1'`,
      [id],
    );
    expect(await move('FLEET-1', id)).toMatchObject({ status: 409, body: { code: 'site_is_full' } });
    // What is there already stays.
    expect((await limitedKey(id)).length).toBeGreaterThan(0);
    await database.query(`DELETE FROM fleet.dock WHERE sn LIKE 'FULL-%'`);
  });

  it('when a key is limited to one: its docks alone are there, at once after each is moved', async () => {
    const [id, elsewhere] = [await makeSite('of the key'), await makeSite('elsewhere')];
    const limited = await limitedKey(id);
    expect(snsOf(await caller.call('listDocks', { key: limited }))).toEqual([]);
    await move('FLEET-1', id);
    await move('FLEET-2', elsewhere);
    expect(snsOf(await caller.call('listDocks', { key: limited }))).toEqual(['FLEET-1']);
    expect(snsOf(await caller.call('listDocks', { key: limited, query: { siteId: elsewhere } }))).toEqual([]);
    const operations = [
      'getDock',
      'getDockState',
      'listDockAircraft',
      'listDockCutOffs',
      'renewDockCredentials',
      'retireDock',
    ];
    for (const operation of operations) {
      const at = async (sn: string) => (await caller.call(operation, { key: limited, params: { sn } })).text;
      const [foreign, random] = [await at('FLEET-2'), await at(NO_DOCK)];
      expect(foreign.replaceAll('FLEET-2', NO_DOCK)).toBe(random);
    }
    const renamed = await caller.call('correctDock', {
      key: limited,
      params: { sn: 'FLEET-1' },
      body: { name: 'mine' },
    });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'mine', siteId: id } });
    const sites = (await caller.call('listSites', { key: limited })).body['items'] as { id: string }[];
    expect(sites.map((site) => site.id)).toEqual([id]);
    expect((await caller.call('getSite', { key: limited, params: { id: elsewhere } })).status).toBe(404);
    await move('FLEET-1', elsewhere);
    expect((await caller.call('getDock', { key: limited, params: { sn: 'FLEET-1' } })).status).toBe(404);
    for (const sn of ['FLEET-1', 'FLEET-2']) await move(sn, null);
  });

  it('when a limited key wants what concerns the organisation: it is told that it is limited', async () => {
    const id = await makeSite('of nobody else');
    const limited = await limitedKey(id);
    const refusals = [
      await caller.call('createApiKey', { key: limited, body: { name: 'more', roles: ['viewer'] } }),
      await caller.call('createSite', { key: limited, body: { name: 'mine', timeZone: 'UTC' } }),
      await caller.call('correctDock', { key: limited, params: { sn: 'FLEET-1' }, body: { siteId: id } }),
      await caller.call('registerDock', { key: limited, body: { sn: 'FLEET-9', model: 'dock2', siteId: id } }),
      await caller.call('listAuditRecords', { key: limited }),
    ];
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
      expect(refusal.body['detail']).toContain('is limited to sites');
    }
    const { body: me } = await caller.call('getMe', { key: limited });
    expect(me).toMatchObject({ roles: ROLES, siteIds: [id] });
    expect(me['permissions']).toEqual(expect.arrayContaining(['docks.read', 'missions.start']));
    expect(me['permissions']).not.toContain('keys.manage');
  });

  it('when sites of a key are none, unknown or in use, and when the key is replaced', async () => {
    const id = await makeSite('kept for its key');
    const empty = await caller.call('createApiKey', { body: { name: 'none', roles: ['viewer'], siteIds: [] } });
    expect(empty.status).toBe(422);
    const siteIds = [id, '00000000-0000-4000-8000-000000000000'];
    const unknown = await caller.call('createApiKey', { body: { name: 'unknown', roles: ['viewer'], siteIds } });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'unknown_site' } });
    const { body: made } = await caller.call('createApiKey', {
      body: { name: 'one', roles: ['pilot'], siteIds: [id] },
    });
    expect(made).toMatchObject({ roles: ['pilot'], siteIds: [id] });
    const held = await caller.call('deleteSite', { params: { id } });
    expect(held).toMatchObject({ status: 409, body: { code: 'site_has_holders', keys: 1, members: 0 } });
    const rotated = await caller.call('rotateApiKey', { params: { id: String(made['id']) }, body: { keepSeconds: 0 } });
    expect(rotated.body).toMatchObject({ roles: ['pilot'], siteIds: [id] });
    const key = String(rotated.body['key']);
    expect((await caller.call('getMe', { key })).body).toMatchObject({ roles: ['pilot'], siteIds: [id] });
    await caller.call('revokeApiKey', { params: { id: String(rotated.body['id']) } });
    expect((await caller.call('deleteSite', { params: { id } })).status).toBe(200);
  });

  it('when a release that knows no sites copies a limited key, or gives it roles: it can do nothing', async () => {
    const id = await makeSite('of an old copy');
    const { body } = await caller.call('createApiKey', { body: { name: 'copied', roles: ROLES, siteIds: [id] } });
    const rolesByHand = `UPDATE fleet.api_key SET roles = ARRAY['org_admin'] WHERE id = $1`;
    await expect(database.query(rolesByHand, [body['id']])).rejects.toThrow('api_key_sites');
    await database.query('UPDATE fleet.api_key SET site_ids = NULL WHERE id = $1', [body['id']]);
    await move('FLEET-1', id);
    const key = String(body['key']);
    expect(snsOf(await caller.call('listDocks', { key }))).toEqual([]);
    expect((await caller.call('listApiKeys', { key })).status).toBe(403);
    const copy = await caller.call('rotateApiKey', { params: { id: String(body['id']) } });
    expect(copy.body).toMatchObject({ siteIds: [] });
    expect(snsOf(await caller.call('listDocks', { key: String(copy.body['key']) }))).toEqual([]);
    await move('FLEET-1', null);
  });
});

describe('people answer as described', () => {
  const password = 'four words make one';
  const invite = async (email: string, ...roles: readonly Role[]) =>
    (await caller.call('createInvitation', { body: { email, roles } })).body;
  const accept = (token: unknown, body: object = {}) =>
    caller.call('acceptInvitation', { key: null, body: { token, name: 'Anna', password, ...body } });

  it('when one is invited, accepts, gets other roles and is removed', async () => {
    const { token, ...shown } = await invite('anna@example.com', 'pilot');
    expect(shown).toMatchObject({ email: 'anna@example.com', roles: ['pilot'], open: true });
    const listed = await caller.call('listInvitations', { query: { open: 'true', limit: '1' } });
    expect(listed.body).toMatchObject({ items: [shown] });
    expect(listed.text).not.toContain(String(token).slice(-43));
    const joined = await accept(token);
    expect(joined).toMatchObject({ status: 201, body: { member: { roles: ['pilot'], name: 'Anna' } } });
    expect(await accept(token)).toMatchObject({ status: 404, body: { code: 'unknown_token' } });
    const { member } = joined.body as { member: { id: string } };
    const params = { id: member.id };
    expect((await caller.call('getMember', { params })).body).toEqual(member);
    const { items } = (await caller.call('listMembers')).body as { items: object[] };
    expect(items).toContainEqual(member);
    const roles = ['viewer', 'auditor'];
    expect((await caller.call('changeMember', { params, body: { roles } })).body).toEqual({ ...member, roles });
    expect((await caller.call('removeMember', { params })).body).toMatchObject({ id: member.id });
    for (const operation of ['getMember', 'removeMember']) {
      expect(await caller.call(operation, { params })).toMatchObject({ status: 404, body: { code: 'unknown_member' } });
    }
  });

  it('when one is invited to sites alone, and is limited to others and to none later', async () => {
    const siteOf = async (name: string) =>
      String((await caller.call('createSite', { body: { name, timeZone: 'UTC' } })).body['id']);
    const [one, other] = [await siteOf('of a member'), await siteOf('of a member, later')];
    const email = 'site@example.com';
    const invited = await caller.call('createInvitation', {
      body: { email, roles: ['org_admin', 'viewer'], siteIds: [one] },
    });
    expect(invited).toMatchObject({ status: 201, body: { roles: ['org_admin', 'viewer'], siteIds: [one] } });
    const wish = { token: invited.body['token'], name: 'Site', password: 'a long enough password' };
    const joined = await caller.call('acceptInvitation', { key: null, body: wish });
    expect(joined.body['member']).toMatchObject({ roles: ['org_admin', 'viewer'], siteIds: [one] });
    const { body: session } = await caller.call('signIn', { key: null, body: { email, password: wish.password } });
    const key = String(session['token']);
    expect((await caller.call('getMe', { key })).body).toMatchObject({
      roles: ['org_admin', 'viewer'],
      siteIds: [one],
    });
    expect((await caller.call('listMembers', { key })).status).toBe(403);
    const params = { id: String((joined.body['member'] as { id: string }).id) };
    const change = async (body: object) => (await caller.call('changeMember', { params, body })).body;
    expect(await change({ roles: ['viewer'] })).toMatchObject({ roles: ['viewer'], siteIds: [one] });
    expect(await change({ roles: ['org_admin'], siteIds: [other] })).toMatchObject({ siteIds: [other] });
    expect((await caller.call('listMembers', { key })).status).toBe(403);
    expect(await change({ roles: ['org_admin'], siteIds: null })).toMatchObject({ siteIds: null });
    expect((await caller.call('listMembers', { key })).status).toBe(200);
    // Who is limited to sites is no org_admin of the organisation.
    const limited = await caller.call('changeMember', { params, body: { roles: ['org_admin'], siteIds: [one] } });
    expect(limited).toMatchObject({ status: 409, body: { code: 'last_org_admin' } });
    await database.query(`DELETE FROM fleet.member WHERE person_id = $1`, [params.id]);
  });

  it('when an invitation is revoked, twice, and used after that', async () => {
    const { token, id } = await invite('berta@example.com', 'viewer');
    const params = { id: String(id) };
    const revoked = await caller.call('revokeInvitation', { params });
    expect(revoked.body).toMatchObject({ open: false, revokedBy: expect.stringContaining('key:') as string });
    expect((await caller.call('revokeInvitation', { params })).body).toEqual(revoked.body);
    expect((await accept(token)).status).toBe(404);
    expect((await caller.call('revokeInvitation', { params: { id: 'none' } })).status).toBe(404);
  });

  it('when a new organisation is set up, and the name is taken', async () => {
    const setUp = async (organisation: string) => {
      const token = await createSetupLink(new ApiDatabase(database));
      const body = { token, organisation, email: 'carla@example.com', name: 'Carla', password };
      return caller.call('setUpOrganisation', { key: null, body });
    };
    const made = await setUp('Harbour');
    expect(made).toMatchObject({
      status: 201,
      body: { organisation: { name: 'Harbour' }, member: { roles: ['org_admin'], invitedBy: 'setup' } },
    });
    expect(await setUp('Harbour')).toMatchObject({ status: 409, body: { code: 'organisation_exists' } });
    const { items } = (await caller.call('listMembers')).body as { items: { email: string }[] };
    expect(items.map(({ email }) => email)).not.toContain('carla@example.com');
  });

  it.each([
    ['password', { password: 'too short' }],
    ['password', { password: 'dora@example.com!' }],
    ['password', { password: 'Dora is my first name' }],
    ['name', { name: undefined }],
  ])('when one cannot be accepted because of its %s: %j', async (field, wrong) => {
    const { token, id } = await invite('dora@example.com', 'viewer');
    const { status, body } = await accept(token, wrong);
    expect([status, (body['errors'] as { field: string }[]).map((each) => each.field)]).toEqual([422, [field]]);
    await caller.call('revokeInvitation', { params: { id: String(id) } });
  });
});

describe('sessions answer as described', () => {
  const email = 'erna@example.com';
  const password = 'four words make one';
  const signIn = (body: object) => caller.call('signIn', { key: null, body: { email, password, ...body } });

  beforeAll(async () => {
    const invited = await caller.call('createInvitation', { body: { email, roles: ['viewer', 'org_admin'] } });
    const body = { token: invited.body['token'], name: 'Erna', password };
    await caller.call('acceptInvitation', { key: null, body });
  });

  it('when a person signs in, looks around, makes a key, changes the password and signs out', async () => {
    const made = await signIn({ email: 'Erna@Example.com' });
    expect(made).toMatchObject({ status: 201, body: { organisation: { name: 'default' } } });
    const { token, ...session } = made.body;
    const own = { key: String(token) };
    expect((await caller.call('listDocks', own)).status).toBe(200);
    const me = (await caller.call('getMe', own)).body as { by: string; person: { id: string } };
    expect(me).toMatchObject({
      by: `person:${me.person.id}`,
      roles: ['viewer', 'org_admin'],
      person: { name: 'Erna' },
    });
    const wish = { body: { name: 'hers', roles: ['viewer'] }, ...own };
    expect((await caller.call('createApiKey', wish)).body['createdBy']).toBe(me.by);
    const other = await signIn({});
    const listed = await caller.call('listSessions', own);
    expect(listed.body['items']).toEqual([
      expect.objectContaining({ id: other.body['id'], current: false }),
      { ...session, current: true },
    ]);
    const change = { currentPassword: password, newPassword: 'five other words make one' };
    expect((await caller.call('changePassword', { body: change, ...own })).body).toEqual({ endedSessions: 1 });
    expect((await signIn({})).status).toBe(401);
    const params = { id: String(session['id']) };
    expect((await caller.call('endSession', { params, ...own })).body).toMatchObject({ id: session['id'] });
    expect((await caller.call('listDocks', own)).status).toBe(401);
  });

  it('when the email or the password is wrong, and when it was too often', async () => {
    const tried = async (body: object) => {
      const { status, body: problem, text } = await signIn(body);
      return { status, code: problem['code'], text };
    };
    const unknown = await tried({ email: 'nobody@example.com' });
    const wrong = await tried({ password: 'another long password' });
    expect([unknown.status, unknown.code]).toEqual([401, 'wrong_password']);
    expect(wrong).toEqual(unknown);
    const answers = await Promise.all(Array.from({ length: 10 }, () => tried({ email: 'nobody@example.com' })));
    expect(answers).toContainEqual(expect.objectContaining({ status: 429, code: 'too_many_requests' }));
  });

  it('when a key asks for sessions, and when there is none of that id', async () => {
    expect((await caller.call('getMe')).body).toMatchObject({ person: null, organisation: { name: 'default' } });
    expect(await caller.call('listSessions')).toMatchObject({ status: 403, body: { code: 'not_a_person' } });
    const { body } = await signIn({ password: 'five other words make one' });
    const unknown = await caller.call('endSession', { params: { id: 'none' }, key: String(body['token']) });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'unknown_session' } });
  });
});

describe('audit records answer as described', () => {
  interface Shown {
    readonly by: string;
    readonly status: number | null;
    readonly operationId: string;
  }
  const recordsOf = async (query: Record<string, string>) => {
    // Its sweeper is part of the intake, which does not run here.
    await audit.keep();
    const { body, text } = await caller.call('listAuditRecords', { query });
    return { items: body['items'] as Shown[], next: body['nextCursor'], text };
  };
  /** How a request ended is noted after its caller was told. */
  const ended = (query: Record<string, string>, count: number) =>
    eventually('the records of what has ended', async () => {
      const found = await recordsOf(query);
      return found.items.length >= count && found;
    });
  const make = async () => {
    const { body } = await caller.call('createApiKey', { body: { name: 'Dawn patrol', roles: ['viewer'] } });
    return { id: String(body['id']), key: String(body['key']) };
  };

  it('of what changed something: who, where, what, and how it ended, without what was sent or answered', async () => {
    const { id, key: secret } = await make();
    await caller.call('revokeApiKey', { params: { id }, headers: { 'X-Request-Id': 'revoke-1' } });
    const { items } = await ended({ resourceId: id }, 1);
    expect(items).toEqual([
      expect.objectContaining({
        ...{ operationId: 'revokeApiKey', resources: { id }, status: 200, requestId: 'revoke-1' },
        ...{ by: `key:${key.split('_')[1]}`, address: expect.stringContaining('127.0.0.1') as string },
      }),
    ]);
    const { text } = await ended({ operationId: 'createApiKey' }, 1);
    for (const word of ['Dawn patrol', secret.slice(-43)]) expect(text).not.toContain(word);
  });

  it('of what was refused: a role that does not permit it, and a key that was revoked', async () => {
    const { id, key: weak } = await make();
    const by = `key:${id}`;
    expect((await caller.call('retireDock', { params: { sn: 'FLEET-1' }, key: weak })).status).toBe(403);
    await caller.call('revokeApiKey', { params: { id } });
    expect((await caller.call('listDocks', { key: weak })).status).toBe(401);
    const { items } = await ended({ by, refused: 'true' }, 2);
    expect(items.map(({ operationId, status }) => [operationId, status])).toEqual([
      ['listDocks', 401],
      ['retireDock', 403],
    ]);
    expect((await recordsOf({ by, refused: 'false' })).items).toEqual([]);
  });

  it('of sign-ins, also of those with a wrong password', async () => {
    const [email, password] = ['fritz@example.com', 'four words make one'];
    const invited = await caller.call('createInvitation', { body: { email, roles: ['viewer'] } });
    const body = { token: invited.body['token'], name: 'Fritz', password };
    const { member } = (await caller.call('acceptInvitation', { key: null, body })).body as { member: { id: string } };
    await caller.call('signIn', { key: null, body: { email, password: 'another long password' } });
    await caller.call('signIn', { key: null, body: { email, password } });
    const { items } = await ended({ by: `person:${member.id}` }, 3);
    expect(items.map(({ operationId, status }) => [operationId, status])).toEqual([
      ['signIn', 201],
      ['signIn', 401],
      ['acceptInvitation', 201],
    ]);
  });

  it('page by page, and of no request that changed nothing', async () => {
    const first = await ended({ limit: '1' }, 1);
    const rest = await recordsOf({ cursor: String(first.next), limit: '1' });
    expect(Number((rest.items[0] as unknown as { seq: number }).seq)).toBe(Number(first.next) - 1);
    expect((await recordsOf({ operationId: 'listAuditRecords' })).items.filter(({ status }) => status === 200)).toEqual(
      [],
    );
  });
});
