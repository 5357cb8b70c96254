import { ApiDatabase } from '@aerie/persistence';
import { createHash, randomUUID } from 'node:crypto';
import { type Principal, ROLES } from '@aerie/bus-contract';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { ApiKeyStore, type NewKey } from './api-key.store.js';

let database: DataSource;
let owner: DataSource;
let drop: (() => Promise<void>) | undefined;
let store: ApiKeyStore;
let admin: Principal;
let stranger: Principal;

const FROM_ANYWHERE = '198.51.100.9';
const ALL = new Set<string>(ROLES);

beforeAll(async () => {
  const made = await fleetTestDatabase();
  ({ dataSource: database, owner, drop } = made);
  store = new ApiKeyStore({ api: new ApiDatabase(made.api), engine: database });
  const holder = await store.verify(await store.create('first', false), FROM_ANYWHERE);
  if (holder === null) throw new Error('the first key is not taken');
  admin = holder.principal;
  const [other] = await owner.query<{ id: string }[]>(
    `INSERT INTO fleet.organisation (id, name) VALUES (gen_random_uuid(), 'others') RETURNING id`,
  );
  stranger = { keyId: 'irrelevant', organisationId: other?.id ?? '', roles: ROLES, siteIds: null, dockSns: null };
}, 60_000);
afterAll(() => drop?.());

const make = (wish: Partial<NewKey> = {}) =>
  store.make(admin, { name: 'spec', roles: ['viewer'], siteIds: null, expiresAt: null, addresses: null, ...wish });
const rolesOf = async (key: string, address = FROM_ANYWHERE) =>
  (await store.verify(key, address))?.principal.roles ?? null;
const secondsFromNow = (seconds: number): Date => new Date(Date.now() + seconds * 1_000);
const idOf = (key: string): string => key.split('_')[1] ?? '';

it('gives a key the roles that it was made with, and no others', async () => {
  expect(await rolesOf((await make({ roles: ['planner', 'auditor'] })).key)).toEqual(['planner', 'auditor']);
});

it('keeps nothing from which a key could be used', async () => {
  const { key } = await make();
  const [row] = await database.query<object[]>('SELECT * FROM fleet.api_key WHERE id = $1', [idOf(key)]);
  expect(JSON.stringify(row)).not.toContain(key.slice(-43));
});

it.each([
  ['another last character', (key: string) => `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`],
  ['the id of another key', (key: string, other: string) => key.replace(idOf(key), idOf(other))],
  ['no secret', (key: string) => key.split('_').slice(0, 2).join('_')],
  ['another prefix', (key: string) => key.replace('aerie', 'eerie')],
  ['nothing', () => ''],
])('refuses a key with %s', async (_what, change) => {
  const [{ key }, { key: other }] = [await make(), await make()];
  expect(await store.verify(change(key, other), FROM_ANYWHERE)).toBeNull();
});

it('takes a key until it expires, and lets nobody believe it for longer', async () => {
  const { key } = await make({ expiresAt: secondsFromNow(30) });
  const holder = await store.verify(key, FROM_ANYWHERE);
  expect(holder?.validForMs).toBeGreaterThan(0);
  expect(holder?.validForMs).toBeLessThanOrEqual(30_000);
  await database.query(`UPDATE fleet.api_key SET expires_at = clock_timestamp() WHERE id = $1`, [idOf(key)]);
  expect(await store.verify(key, FROM_ANYWHERE)).toBeNull();
});

it('lets others believe a key without an end for a minute', async () => {
  expect((await store.verify((await make()).key, FROM_ANYWHERE))?.validForMs).toBe(60_000);
});

describe('a key for some addresses', () => {
  it.each([
    ['192.0.2.7', true],
    ['::ffff:192.0.2.7', true],
    ['192.0.2.8', false],
    ['203.0.113.200', true],
    ['203.0.114.1', false],
    ['2001:db8:0:1::5', true],
    ['2001:db9::1', false],
    ['', false],
    ['unix', false],
    ['fe80::1%eth0', false],
  ])('comes from %j: taken %s', async (address, taken) => {
    const { key } = await make({ addresses: ['192.0.2.7', '203.0.113.0/24', '2001:db8::/32'] });
    expect((await store.verify(key, address)) !== null).toBe(taken);
  });

  it('is not made where an address may be one or a whole network', async () => {
    const made = make({ addresses: ['192.0.2.0/24', '192.0.2.7/24', '2001:db8::1/64'] });
    await expect(made).rejects.toMatchObject({
      fields: [
        { field: 'addresses.1', message: expect.stringContaining('192.0.2.0/24') as string },
        { field: 'addresses.2', message: expect.stringContaining('2001:db8::/64') as string },
      ],
    });
  });
});

it('revokes a key once, and keeps who did it', async () => {
  const { key, row } = await make();
  const revoked = await store.revoke(admin, row.id);
  expect(revoked).toMatchObject({ valid: false, revoked_by: `key:${admin.keyId}` });
  expect(await store.verify(key, FROM_ANYWHERE)).toBeNull();
  expect((await store.revoke(admin, row.id))?.revoked_at).toEqual(revoked?.revoked_at);
});

describe('another key in the place of one', () => {
  it('has its roles and addresses, while the old one is taken for the time that was asked for', async () => {
    const { key, row } = await make({ roles: ['pilot'], addresses: ['198.51.100.0/24'] });
    const made = await store.rotate(admin, row.id, { keepMs: 20_000, expiresAt: null });
    expect(made?.row).toMatchObject({ replaces: row.id, roles: ['pilot'], addresses: ['198.51.100.0/24'] });
    expect(await rolesOf(made?.key ?? '')).toEqual(['pilot']);
    const old = await store.verify(key, FROM_ANYWHERE);
    expect(old?.validForMs).toBeGreaterThan(0);
    expect(old?.validForMs).toBeLessThanOrEqual(20_000);
  });

  it('ends the old one at once where nothing is to be kept', async () => {
    const { key, row } = await make();
    await store.rotate(admin, row.id, { keepMs: 0, expiresAt: null });
    expect(await store.verify(key, FROM_ANYWHERE)).toBeNull();
  });

  it('comes once: what was replaced, revoked or has expired is not replaced again', async () => {
    const { row } = await make();
    const both = await Promise.allSettled(
      [1, 2].map(() => store.rotate(admin, row.id, { keepMs: 60_000, expiresAt: null })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { row: expired } = await make({ expiresAt: secondsFromNow(-1) });
    const again = store.rotate(admin, expired.id, { keepMs: 0, expiresAt: null });
    await expect(again).rejects.toMatchObject({ code: 'key_ended' });
  });
});

it('shows, replaces and revokes no key of another organisation', async () => {
  const { key, row } = await make();
  expect(await store.find(stranger.organisationId, row.id)).toBeUndefined();
  expect(await store.revoke(stranger, row.id)).toBeNull();
  expect(await store.rotate(stranger, row.id, { keepMs: 0, expiresAt: null })).toBeNull();
  expect(await store.list(stranger.organisationId, { limit: 10, after: null, valid: null })).toEqual([]);
  expect(await rolesOf(key)).toEqual(['viewer']);
});

describe('the people behind a key', () => {
  const anna = (): Principal => ({ ...admin, keyId: 'session-1', personId: randomUUID() });
  const makeAs = (caller: Principal) =>
    store.make(caller, { name: 'spec', roles: ['planner'], expiresAt: null, addresses: null, siteIds: null });
  const behind = async (id: string, organisationId = admin.organisationId) =>
    (await store.makers(organisationId, [id])).get(id);

  it('are who made it, and who made the key with which it was made', async () => {
    const person = anna();
    const first = await makeAs(person);
    const second = await makeAs({ ...admin, keyId: first.row.id });
    expect(await behind(first.row.id)).toEqual([person.personId]);
    expect(await behind(second.row.id)).toEqual([person.personId]);
  });

  it('are also who made the key that it replaces, and one that has ended has them still', async () => {
    const [one, other] = [anna(), anna()];
    const { row } = await makeAs(one);
    const fresh = await store.rotate(other, row.id, { keepMs: 0, expiresAt: null });
    expect([...((await behind(fresh?.row.id ?? '')) ?? [])].sort()).toEqual([one.personId, other.personId].sort());
    expect(await behind(row.id)).toEqual([one.personId]);
  });

  it('are not known where a key was replaced more often than is looked at', async () => {
    const { row } = await makeAs(anna());
    const replaced = await database.query<{ id: string }[]>(
      `WITH RECURSIVE chain AS (
         SELECT $2::uuid AS id, NULL::uuid AS replaces, 0 AS n
          UNION ALL
         SELECT gen_random_uuid(), id, n + 1 FROM chain WHERE n < 1000)
       INSERT INTO fleet.api_key (id, organisation_id, name, secret_hash, roles, replaces, revoked_at)
       SELECT id, $1, 'chain', '\\x00', ARRAY['viewer'], replaces, now() FROM chain WHERE n > 0 ORDER BY n RETURNING id`,
      [admin.organisationId, row.id],
    );
    const ids = replaced.map(({ id }) => id);
    expect(await behind(ids[997] ?? '')).toHaveLength(1);
    expect(await behind(ids[999] ?? '')).toBeUndefined();
  });

  it('are none where a command made it; a key of others, and what is no key, is not there', async () => {
    const id = idOf(await store.create('by a command', false));
    expect(await behind(id)).toEqual([]);
    expect(await behind(id, stranger.organisationId)).toBeUndefined();
    expect(await store.makers(admin.organisationId, ['auto-resume', randomUUID()])).toEqual(new Map());
  });
});

it('notes when a key was used, once a minute', async () => {
  const { key, row } = await make();
  expect(row.last_used_at).toBeNull();
  await store.verify(key, FROM_ANYWHERE);
  const used = async () => (await store.find(admin.organisationId, row.id))?.last_used_at;
  const first = await used();
  expect(first).toBeInstanceOf(Date);
  await store.verify(key, FROM_ANYWHERE);
  expect(await used()).toEqual(first);
});

it('bounds the keys that are valid at the same time', async () => {
  await database.query(
    `INSERT INTO fleet.api_key (id, organisation_id, name, secret_hash, roles)
     SELECT gen_random_uuid(), $1, 'many', '\\x00', ARRAY['viewer'] FROM generate_series(1, 500)`,
    [stranger.organisationId],
  );
  const tooMany = store.make(stranger, {
    name: 'one more',
    roles: ['viewer'],
    siteIds: null,
    expiresAt: null,
    addresses: null,
  });
  await expect(tooMany).rejects.toMatchObject({ code: 'too_many_keys' });
  await database.query(
    `UPDATE fleet.api_key SET revoked_at = clock_timestamp()
      WHERE id = (SELECT id FROM fleet.api_key WHERE organisation_id = $1 LIMIT 1)`,
    [stranger.organisationId],
  );
  await store.make(stranger, { name: 'one more', roles: ['viewer'], siteIds: null, expiresAt: null, addresses: null });
});

describe('beside a release that knows no roles', () => {
  /** What that release looks for. */
  const isKnownThere = async (key: string): Promise<boolean> => {
    const rows = await database.query<{ secret_hash: Buffer }[]>(
      'SELECT secret_hash FROM fleet.api_key WHERE id = $1 AND revoked_at IS NULL',
      [idOf(key)],
    );
    return rows[0]?.secret_hash.equals(createHash('sha256').update(key).digest()) ?? false;
  };

  it('a key that it made may do everything here', async () => {
    const { key, row } = await make({ roles: ROLES });
    await database.query('UPDATE fleet.api_key SET roles = NULL WHERE id = $1', [row.id]);
    expect(new Set(await rolesOf(key))).toEqual(ALL);
  });

  it.each<[string, Partial<NewKey>, boolean]>([
    ['all rights', { roles: ROLES }, true],
    ['fewer rights', { roles: ['viewer'] }, false],
    ['an end', { roles: ROLES, expiresAt: secondsFromNow(3_600) }, false],
    ['addresses', { roles: ROLES, addresses: ['192.0.2.7'] }, false],
  ])('a key with %s is known there: %#', async (_what, wish, known) => {
    expect(await isKnownThere((await make(wish)).key)).toBe(known);
  });

  it('a key that is replaced is refused there at once', async () => {
    const { key, row } = await make({ roles: ROLES });
    expect(await isKnownThere(key)).toBe(true);
    await store.rotate(admin, row.id, { keepMs: 60_000, expiresAt: null });
    expect(await isKnownThere(key)).toBe(false);
  });
});
