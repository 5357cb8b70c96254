import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '@aerie/kernel';
import { Metrics, createLogger } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../../fixtures/fleet-database.js';
import { dockAcls } from '../dock/dock-acls.js';
import { AskedBroker } from './asked-broker.js';
import { BROKER_PATHS, brokerDoor } from './broker-door.js';

const SECRET = 'a secret of the broker, long enough for it';
const PASSWORD = 'a password of a dock that is random';
const logger = createLogger('broker-door-spec', 'silent');

let dataSource: DataSource;
let drop: () => Promise<void>;
let broker: AskedBroker;
let server: Server;
let url: string;
beforeAll(async () => {
  ({ dataSource, drop } = await fleetTestDatabase());
  for (const sn of ['D-1', 'D-2']) {
    await dataSource.query(
      `INSERT INTO fleet.dock (sn, organisation_id, model, protocol_generation, name, binding_code_hash)
       SELECT $1, id, 'dock2', '1.15', $1, '' FROM fleet.organisation LIMIT 1`,
      [sn],
    );
  }
  broker = new AskedBroker(dataSource);
  const door = brokerDoor(broker, new Secret(SECRET), new Metrics('spec'), logger);
  server = createServer((request, response) => door(request, response, () => response.writeHead(404).end()));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  server?.close();
  await drop?.();
}, 30_000);
beforeEach(async () => {
  await dataSource.query('DELETE FROM fleet.broker_user');
  await broker.provision('D-1', PASSWORD);
  await broker.provision('D-2', 'another password of another dock');
});

const ask = (path: string, body: unknown, secret = SECRET): Promise<Response> =>
  fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
async function resultOf(path: string, body: unknown): Promise<string> {
  const response = await ask(path, body);
  expect(response.status).toBe(200);
  return ((await response.json()) as { result: string }).result;
}
const connects = (parts: object = {}): Promise<string> =>
  resultOf(BROKER_PATHS.authentication, { username: 'D-1', clientid: 'D-1', password: PASSWORD, ...parts });
const may = (action: string, topic: string, username = 'D-1'): Promise<string> =>
  resultOf(BROKER_PATHS.authorization, { username, clientid: username, action, topic });

describe('a broker that asks', () => {
  it('lets a dock in with its own password and its own name as client id, and nobody else', async () => {
    expect(await connects()).toBe('allow');
    expect(await connects({ password: 'another password of another dock' })).toBe('deny');
    expect(await connects({ username: 'D-2', clientid: 'D-2' })).toBe('deny');
    expect(await connects({ clientid: 'aerie-ingress-0' })).toBe('deny');
    expect(await connects({ username: 'D-3', clientid: 'D-3' })).toBe('deny');
    expect(await connects({ password: undefined })).toBe('deny');
  });

  it('takes the new password of a dock, and the old one no more', async () => {
    await broker.provision('D-1', 'the new password of the dock');
    expect(await connects()).toBe('deny');
    expect(await connects({ password: 'the new password of the dock' })).toBe('allow');
  });

  it('allows each topic of the list that mosquitto gets, and of another dock none', async () => {
    for (const { acltype, topic } of dockAcls('D-1', [])) {
      if (acltype === 'publishClientSend') expect([topic, await may('publish', topic)]).toEqual([topic, 'allow']);
      if (acltype === 'subscribeLiteral') expect([topic, await may('subscribe', topic)]).toEqual([topic, 'allow']);
      expect(await may('publish', topic, 'D-2')).toBe('deny');
      expect(await may('subscribe', topic, 'D-2')).toBe('deny');
    }
  });

  it.each([
    ['subscribe', '#'],
    ['subscribe', 'thing/product/+/services'],
    ['subscribe', 'thing/product/D-1/#'],
    ['subscribe', '$share/aerie-ingress/thing/product/+/events'],
    ['subscribe', '$share/any/thing/product/D-1/services'],
    ['subscribe', '$SYS/#'],
    ['subscribe', 'thing/product/D-1/events'],
    ['publish', 'thing/product/D-1/services'],
    ['publish', 'thing/product/D-1/events/'],
    ['publish', 'thing/product/D-10/events'],
    ['publish', 'sys/product/D-1/status_reply'],
    ['publish', '$CONTROL/dynamic-security/v1'],
    ['fly', 'thing/product/D-1/events'],
  ])('refuses to %s %s', async (action, topic) => {
    expect(await may(action, topic)).toBe('deny');
  });

  it('lets a dock speak for its aircraft, until it has another one', async () => {
    expect(await may('publish', 'thing/product/A-1/osd')).toBe('deny');
    await broker.grantAircraft('D-1', ['A-1']);
    expect(await may('publish', 'thing/product/A-1/osd')).toBe('allow');
    expect(await may('publish', 'thing/product/A-1/services_reply')).toBe('deny');
    expect(await may('publish', 'thing/product/A-1/osd', 'D-2')).toBe('deny');
    await broker.grantAircraft('D-1', ['A-2']);
    expect(await may('publish', 'thing/product/A-1/osd')).toBe('deny');
  });

  it('keeps out a dock that was cut off, and one that was taken away', async () => {
    await broker.disable('D-1');
    expect([await connects(), await may('publish', 'thing/product/D-1/osd')]).toEqual(['deny', 'deny']);
    await broker.enable('D-1');
    expect([await connects(), await may('publish', 'thing/product/D-1/osd')]).toEqual(['allow', 'allow']);
    await broker.remove('D-1');
    expect([await connects(), await may('publish', 'thing/product/D-1/osd')]).toEqual(['deny', 'deny']);
  });

  it('refuses what it cannot read, and whoever has not the secret', async () => {
    expect(await resultOf(BROKER_PATHS.authorization, '{')).toBe('deny');
    expect(await resultOf(BROKER_PATHS.authorization, '[]')).toBe('deny');
    const large = { username: 'D-1', action: 'publish', topic: 'x'.repeat(20_000) };
    expect(await ask(BROKER_PATHS.authorization, large).then(({ status }) => status)).toBe(200);
    expect((await ask(BROKER_PATHS.authorization, {}, 'another secret')).status).toBe(401);
    expect((await ask(BROKER_PATHS.authorization, {}, '')).status).toBe(401);
    expect((await ask('/broker/v1/other', {})).status).toBe(404);
  });

  it('keeps no password', async () => {
    const [row] = await dataSource.query<[object]>(`SELECT * FROM fleet.broker_user WHERE dock_sn = 'D-1'`);
    expect(JSON.stringify(row)).not.toContain(PASSWORD);
    expect(JSON.stringify(row)).not.toContain(Buffer.from(PASSWORD).toString('base64'));
  });
});
