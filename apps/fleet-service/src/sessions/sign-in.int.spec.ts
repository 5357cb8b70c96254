import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { ApiKeyStore } from '../api-keys/api-key.store.js';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { MemberStore } from '../people/member.store.js';
import { PasswordGuesses } from '../people/password-guesses.js';
import { Passwords } from '../people/passwords.js';
import { createLogger } from '@aerie/observability';
import { ApiDatabase } from '@aerie/persistence';
import { AuditIntake } from '@aerie/http-api';
import { Bearers } from './bearers.js';
import { SessionStore } from './session.store.js';
import { SignIn } from './sign-in.js';

let database: DataSource;
let drop: (() => Promise<void>) | undefined;
let sessions: SessionStore;
let bearers: Bearers;
let signIn: SignIn;
let audit: AuditIntake;
let api: ApiDatabase;
const passwords = new Passwords();
const HOUR_MS = 3_600_000;
const ADDRESS = '198.51.100.9';
const PASSWORD = 'four words make one';

beforeAll(async () => {
  const made = await fleetTestDatabase();
  ({ dataSource: database, drop } = made);
  api = new ApiDatabase(made.api);
  audit = new AuditIntake({ api, engine: database }, 'fleet', createLogger('spec', 'silent'));
  sessions = new SessionStore(api, { lifetimeMs: 12 * HOUR_MS, idleMs: HOUR_MS });
  bearers = new Bearers(new ApiKeyStore({ api, engine: database }), sessions);
  signIn = new SignIn(api, sessions, passwords, new PasswordGuesses(), audit);
}, 60_000);
afterAll(() => drop?.());

interface APerson {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string;
  readonly organisationIds: readonly string[];
}

/** A member of so many organisations of its own. */
async function aPerson(roles: readonly string[] = ['pilot'], organisations = 1): Promise<APerson> {
  const id = randomUUID();
  const email = `p-${id}@example.com`;
  const passwordHash = await passwords.hash(PASSWORD);
  await database.query('INSERT INTO fleet.person (id, email, name, password_hash) VALUES ($1, $2, $3, $4)', [
    ...[id, email, 'Anna', passwordHash],
  ]);
  const organisationIds = Array.from({ length: organisations }, () => randomUUID());
  for (const organisationId of organisationIds) {
    await database.query('INSERT INTO fleet.organisation (id, name) VALUES ($1, $2)', [organisationId, organisationId]);
    await database.query(
      `INSERT INTO fleet.member (organisation_id, person_id, roles, invited_by) VALUES ($1, $2, $3, 'setup')`,
      [organisationId, id, roles],
    );
  }
  return { id, email, passwordHash, organisationIds };
}
/** As somebody who has just sent the right password. */
async function begun(organisationId: string, person: APerson): Promise<string> {
  const made = await sessions.begin(organisationId, person, ADDRESS);
  if (made === null) throw new Error('the password is another one by now');
  return made.token;
}
const tokenOf = async ({ email }: APerson): Promise<string> =>
  (await signIn.signIn({ email, password: PASSWORD }, ADDRESS)).token;
const holderOf = async (token: string) => (await bearers.find(token, ADDRESS))?.principal ?? null;
const idOf = (token: string): string => token.split('_')[1] ?? '';

it('gives a token with which the person may do what its roles permit, and which names the person', async () => {
  const person = await aPerson(['pilot', 'viewer']);
  const token = await tokenOf(person);
  expect(token).toMatch(/^aeries_[\da-f-]{36}_[\w-]{43}$/);
  expect(await holderOf(token)).toEqual({
    ...{
      keyId: idOf(token),
      personId: person.id,
      organisationId: person.organisationIds[0],
      roles: ['pilot', 'viewer'],
      siteIds: null,
      dockSns: null,
    },
  });
});

it('keeps nothing from which a token could be used', async () => {
  const token = await tokenOf(await aPerson());
  const [row] = await database.query<object[]>('SELECT * FROM fleet.session WHERE id = $1', [idOf(token)]);
  expect(JSON.stringify(row)).not.toContain(token.slice(-43));
});

it.each([
  ['another last character', (token: string) => `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`],
  ['no secret', (token: string) => token.split('_').slice(0, 2).join('_')],
  ['the prefix of an API key', (token: string) => token.replace('aeries', 'aerie')],
])('refuses a token with %s', async (_what, change) => {
  expect(await holderOf(change(await tokenOf(await aPerson())))).toBeNull();
});

it('takes as long for an email that nobody has as for a wrong password, and says the same', async () => {
  const person = await aPerson();
  const tried = async (email: string) => {
    const startedMs = performance.now();
    const guesses = new SignIn(api, sessions, passwords, new PasswordGuesses(), audit);
    const error = await guesses
      .signIn({ email, password: 'another long one' }, ADDRESS)
      .catch((thrown: unknown) => thrown);
    return { ms: performance.now() - startedMs, error };
  };
  const [known, unknown]: [number[], number[]] = [[], []];
  for (let round = 0; round < 5; round++) {
    const answers = [await tried(person.email), await tried('nobody@example.com')] as const;
    known.push(answers[0].ms);
    unknown.push(answers[1].ms);
    expect(String(answers[1].error)).toBe(String(answers[0].error));
    expect(answers[0].error).toMatchObject({ kind: 'unauthenticated', code: 'wrong_password' });
  }
  // The least is what the work costs; without the hash it would be a tenth of it.
  expect(Math.min(...unknown)).toBeGreaterThan(Math.min(...known) / 2);
});

it('asks a member of several organisations which one is meant, and only after the password', async () => {
  const person = await aPerson(['viewer'], 2);
  const at = (organisationId?: string, password = PASSWORD) =>
    signIn.signIn({ email: person.email, password, organisationId }, ADDRESS);
  await expect(at(undefined, 'another long one')).rejects.toMatchObject({ code: 'wrong_password' });
  await expect(at()).rejects.toMatchObject({
    ...{ code: 'organisation_required', details: { organisations: [expect.anything(), expect.anything()] } },
  });
  await expect(at(randomUUID())).rejects.toMatchObject({ code: 'organisation_required' });
  expect((await at(person.organisationIds[1])).row.organisation_id).toBe(person.organisationIds[1]);
});

describe('a session ends', () => {
  const endedBy = async (sql: string): Promise<boolean> => {
    const token = await tokenOf(await aPerson());
    expect(await holderOf(token)).not.toBeNull();
    await database.query(sql, [idOf(token)]);
    return (await holderOf(token)) === null;
  };

  it('when its time is over, and nobody believes it for longer', async () => {
    expect(await endedBy('UPDATE fleet.session SET ends_at = clock_timestamp() WHERE id = $1')).toBe(true);
    const token = await tokenOf(await aPerson());
    await database.query(`UPDATE fleet.session SET ends_at = clock_timestamp() + interval '20 s' WHERE id = $1`, [
      idOf(token),
    ]);
    expect((await bearers.find(token, ADDRESS))?.validForMs).toBeLessThanOrEqual(20_000);
  });

  it('when nobody used it for an hour, and a use puts that off', async () => {
    const used = (ago: string) =>
      `UPDATE fleet.session SET last_used_at = clock_timestamp() - interval '${ago}' WHERE id = $1`;
    expect(await endedBy(used('60 minutes'))).toBe(true);
    const token = await tokenOf(await aPerson());
    await database.query(used('59 minutes'), [idOf(token)]);
    expect((await bearers.find(token, ADDRESS))?.validForMs).toBeLessThanOrEqual(60_000);
    const [row] = await database.query<{ fresh: boolean }[]>(
      `SELECT last_used_at > clock_timestamp() - interval '1 minute' AS fresh FROM fleet.session WHERE id = $1`,
      [idOf(token)],
    );
    expect(row?.fresh).toBe(true);
  });

  it('when its person ends it, and no other person can', async () => {
    const [person, other] = [await aPerson(), await aPerson()];
    const [id, others] = [idOf(await tokenOf(person)), idOf(await tokenOf(other))];
    expect(await sessions.end(other.id, id, others)).toBeNull();
    expect(await sessions.end(person.id, id, others)).toBeNull();
    expect((await sessions.list(person.id, id)).map((each) => each.id)).toEqual([id]);
    expect((await sessions.end(person.id, id, id))?.id).toBe(id);
    expect(await sessions.list(person.id, id)).toEqual([]);
  });

  it('when its person is removed, and stays ended when the person comes back', async () => {
    const [person, admin] = [await aPerson(), await aPerson(['org_admin'])];
    const [organisationId = ''] = admin.organisationIds;
    const add = () =>
      database.query(
        `INSERT INTO fleet.member (organisation_id, person_id, roles, invited_by) VALUES ($1, $2, $3, 'spec')`,
        [...[organisationId, person.id, ['viewer']]],
      );
    await add();
    const token = await begun(organisationId, person);
    const elsewhere = await begun(person.organisationIds[0] ?? '', person);
    const caller = { keyId: 'irrelevant', organisationId, roles: [], siteIds: null, dockSns: null };
    await new MemberStore(api).remove(caller, person.id);
    expect(await holderOf(token)).toBeNull();
    expect(await holderOf(elsewhere)).not.toBeNull();
    await add();
    expect(await holderOf(token)).toBeNull();
  });

  it('when its person changes the password elsewhere', async () => {
    const person = await aPerson();
    const [here, there] = [await tokenOf(person), await tokenOf(person)];
    const ids = { personId: person.id, sessionId: idOf(here) };
    const change = (currentPassword: string, newPassword = 'five other words make one') =>
      signIn.changePassword(ids, { currentPassword, newPassword }, ADDRESS);
    await expect(change('another long one')).rejects.toMatchObject({ code: 'wrong_password' });
    await expect(change(PASSWORD, person.email)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await change(PASSWORD)).toBe(1);
    expect([await holderOf(here), await holderOf(there)]).toEqual([expect.any(Object), null]);
    const old = signIn.signIn({ email: person.email, password: PASSWORD }, ADDRESS);
    await expect(old).rejects.toMatchObject({ code: 'wrong_password' });
  });

  it('before it begins, when the password was changed after it was looked at', async () => {
    const person = await aPerson();
    const ids = { personId: person.id, sessionId: idOf(await tokenOf(person)) };
    await signIn.changePassword(ids, { currentPassword: PASSWORD, newPassword: 'five other words make one' }, ADDRESS);
    expect(await sessions.begin(person.organisationIds[0] ?? '', person, ADDRESS)).toBeNull();
  });

  it('before it begins, when its person was removed after the password was looked at', async () => {
    const person = await aPerson(['viewer'], 2);
    const [organisationId = ''] = person.organisationIds;
    class RemovedMeanwhile extends SessionStore {
      override async begin(...wish: Parameters<SessionStore['begin']>) {
        await new MemberStore(api).remove(
          { keyId: 'irrelevant', organisationId, roles: [], siteIds: null, dockSns: null },
          person.id,
        );
        return super.begin(...wish);
      }
    }
    const store = new RemovedMeanwhile(api, { lifetimeMs: 60_000, idleMs: 60_000 });
    const { email } = person;
    const signingIn = new SignIn(api, store, passwords, new PasswordGuesses(), audit).signIn(
      { email, password: PASSWORD, organisationId },
      ADDRESS,
    );
    await expect(signingIn).rejects.toMatchObject({ kind: 'unauthenticated', code: 'wrong_password' });
  });

  it('when its person has begun twenty later ones', async () => {
    const person = await aPerson();
    const [organisationId = ''] = person.organisationIds;
    const first = await begun(organisationId, person);
    let last = first;
    for (let count = 0; count < 20; count++) last = await begun(organisationId, person);
    expect(await holderOf(first)).toBeNull();
    expect((await sessions.list(person.id, idOf(last))).length).toBe(20);
  });
});

it('gives a session the roles that the member has now', async () => {
  const person = await aPerson(['pilot']);
  const token = await tokenOf(person);
  await database.query(`UPDATE fleet.member SET roles = ARRAY['viewer'] WHERE person_id = $1`, [person.id]);
  expect((await holderOf(token))?.roles).toEqual(['viewer']);
});
