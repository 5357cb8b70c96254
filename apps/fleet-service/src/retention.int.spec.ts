import { Metrics, createLogger } from '@aerie/observability';
import { Retention, enterInbox, inTransaction } from '@aerie/persistence';
import { fill } from '@aerie/persistence/testing';
import { explained } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { loadConfig } from './config.js';
import { fleetTestDatabase } from './fixtures/fleet-database.js';
import { fleetPrunes } from './retention.js';

const SESSION = `gen_random_uuid(), (SELECT organisation_id FROM fleet.member), (SELECT person_id FROM fleet.member), '', ''`;

const ALARM_COLUMNS =
  'id, organisation_id, dock_sn, device_sn, code, in_the_sky, imminent, opened_at, seen_at, heard_at, times, closed_at';
const ALARM = `gen_random_uuid(), (SELECT organisation_id FROM fleet.dock), (SELECT sn FROM fleet.dock), 'sn', n::text, false, false,
  now(), now(), now(), 1`;

const SETTINGS = {
  ...{
    FLEET_HTTP_PORT: '1',
    DATABASE_URL: 'postgres://spec@127.0.0.1:1/spec',
    DATABASE_ENGINE_PASSWORD: 'spec',
    REDIS_URL: 'redis://127.0.0.1:1',
  },
  ...{ NATS_URL: 'nats://127.0.0.1:1', MQTT_URL: 'mqtt://127.0.0.1:1', MQTT_USER: 'spec', MQTT_PASSWORD: 'spec' },
  FLEET_DOCK_MQTT_URL: 'mqtt://127.0.0.1:1',
};

let dataSource: DataSource;
let owner: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ dataSource, owner, drop } = await fleetTestDatabase());
}, 60_000);
afterAll(() => drop(), 30_000);

const prune = (settings: Readonly<Record<string, string>> = {}): Promise<number> =>
  new Retention({
    ...{ dataSource, logger: createLogger('retention-spec', 'silent'), metrics: new Metrics('spec') },
    prunes: fleetPrunes(loadConfig({ ...SETTINGS, ...settings })),
  }).run();

it('deletes messages that no service asked for after thirty days, or as it is set', async () => {
  await dataSource.query(
    `INSERT INTO fleet.kept_message (sn, channel, raw, received_at)
     SELECT 'sn', 'events', days::text, now() - days * interval '1 day' FROM unnest(ARRAY[5, 29, 31]) AS days`,
  );
  const left = async (): Promise<string[]> =>
    (await dataSource.query<{ raw: string }[]>('SELECT raw FROM fleet.kept_message ORDER BY id')).map(({ raw }) => raw);
  await prune();
  expect(await left()).toEqual(['5', '29']);
  await prune({ FLEET_KEPT_MESSAGE_DAYS: '7' });
  expect(await left()).toEqual(['5']);
});

it('deletes alarms that were over for half a year, or as it is set, and never one that is open', async () => {
  await owner.query(
    `INSERT INTO fleet.dock (sn, organisation_id, model, name, protocol_generation)
     SELECT 'alarm-dock', id, 'dock2', 'alarm-dock', '1.11' FROM fleet.organisation`,
  );
  await owner.query(
    `INSERT INTO fleet.alarm (id, organisation_id, dock_sn, device_sn, code, in_the_sky, imminent, opened_at, seen_at, closed_at, times, heard_at)
     SELECT gen_random_uuid(), organisation_id, sn, sn, 'days ' || coalesce(days::text, 'open'), false, false, '2020-01-01', '2020-01-01',
            now() - days * interval '1 day', 1, '2020-01-01'
       FROM fleet.dock, unnest(ARRAY[NULL, 29, 179, 181]) AS days WHERE sn = 'alarm-dock'`,
  );
  const left = async (): Promise<string[]> =>
    (await dataSource.query<{ code: string }[]>('SELECT code FROM fleet.alarm ORDER BY code')).map(({ code }) => code);
  await prune();
  expect(await left()).toEqual(['days 179', 'days 29', 'days open']);
  await prune({ FLEET_ALARM_DAYS: '28' });
  expect(await left()).toEqual(['days open']);
});

it('knows a message that comes again one second after midnight', async () => {
  const enter = () =>
    inTransaction(dataSource, (tx) => enterInbox(tx, 'fleet', { sn: 'sn', method: 'midnight', messageId: 'tid' }));
  expect(await enter()).toBe(true);
  await owner.query(
    `UPDATE fleet.inbox SET received_at = date_trunc('day', clock_timestamp()) - interval '500 milliseconds'`,
  );
  await prune();
  expect(await enter()).toBe(false);
});

it.each([
  ['FLEET_INBOX_DAYS', '7', 'must be at least 8, not "7"'],
  ['FLEET_OUTBOX_DAYS', '0', 'must be at least 1, not "0"'],
  ['FLEET_KEPT_MESSAGE_DAYS', '0', 'must be at least 1, not "0"'],
])('refuses %s=%s at start, and says what is allowed', (name, value, text) => {
  expect(() => loadConfig({ ...SETTINGS, [name]: value })).toThrow(`${name}: ${text}`);
});

it('finds the rows of each batch by an index', async () => {
  await dataSource.query(`
    INSERT INTO fleet.person (id, email, name) VALUES (gen_random_uuid(), 'anna@example.com', 'Anna');
    INSERT INTO fleet.member (organisation_id, person_id, roles, invited_by)
    SELECT o.id, p.id, ARRAY['viewer'], 'spec' FROM fleet.organisation o, fleet.person p;
  `);
  for (const [table, columns, values] of [
    ['kept_message', 'sn, channel, raw, received_at', `'many', 'events', '{}'`],
    ['inbox', 'sn, method, message_id, received_at', `'sn', 'many', n::text`],
    ['outbox', 'subject, payload, done_at', `'s', '{}'`],
    ['session', 'id, organisation_id, person_id, secret_hash, address, ends_at', SESSION],
    ['alarm', ALARM_COLUMNS, ALARM],
    ['used_sign_in', 'id, organisation_id, used_at', 'gen_random_uuid(), gen_random_uuid()'],
  ])
    await fill(owner, (tx) =>
      tx.run(
        `INSERT INTO fleet.${table} (${columns}) SELECT ${values}, now() - n * interval '10 minutes' FROM generate_series(1, 10000) AS n`,
      ),
    );
  await owner.query('ANALYZE');
  const plans: string[] = [];
  for (const { batch } of fleetPrunes(loadConfig(SETTINGS)))
    await inTransaction(dataSource, (tx) => batch(explained(tx, plans)));
  expect(plans.filter((line) => /Seq Scan/.test(line))).toEqual([]);
  for (const index of [
    'kept_message_received_at',
    'inbox_received_at',
    'outbox_pkey',
    'session_ends_at',
    'used_sign_in_used_at',
    'alarm_closed',
  ])
    expect(plans.join('\n')).toContain(index);
}, 60_000);
