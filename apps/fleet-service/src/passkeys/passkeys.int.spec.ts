import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { ApiDatabase, inTransaction } from '@aerie/persistence';
import { testEnvironment } from '@aerie/testing';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { AuditIntake } from '@aerie/http-api';
import { Authenticator, type AuthenticatorSays } from '../fixtures/authenticator.js';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { PasswordGuesses } from '../people/password-guesses.js';
import { Passwords } from '../people/passwords.js';
import { People } from '../people/people.js';
import { TokenGuesses } from '../people/token-guesses.js';
import { SessionStore } from '../sessions/session.store.js';
import { SignIn } from '../sessions/sign-in.js';
import { Challenges } from './challenges.js';
import { PasskeyStore } from './passkey.store.js';
import { Passkeys } from './passkeys.js';

const ORIGIN = 'https://aerie.example.com';
const OTHER_ORIGIN = 'https://aerie.example.net';
const PASSWORD = 'four words make one';
const ADDRESS = '198.51.100.9';
const HOUR_MS = 3_600_000;

let database: DataSource;
let drop: (() => Promise<void>) | undefined;
let redis: Redis;
let api: ApiDatabase;
let sessions: SessionStore;
let signIns: SignIn;
let store: PasskeyStore;
const passwords = new Passwords();

beforeAll(async () => {
  const made = await fleetTestDatabase();
  ({ dataSource: database, drop } = made);
  api = new ApiDatabase(made.api);
  redis = new Redis(testEnvironment().redisUrl);
  sessions = new SessionStore(api, { lifetimeMs: 12 * HOUR_MS, idleMs: HOUR_MS });
  store = new PasskeyStore(api);
}, 60_000);
afterAll(async () => {
  redis?.disconnect();
  await drop?.();
});

/** Of one process, with budgets of its own. */
function aReplica(guesses = new TokenGuesses()): Passkeys {
  const audit = new AuditIntake({ api, engine: database }, 'fleet', createLogger('spec', 'silent'));
  signIns = new SignIn(api, sessions, passwords, new PasswordGuesses(), audit);
  const begins = new TokenGuesses();
  const challenges = new Challenges(redis);
  return new Passkeys({
    database: api,
    origins: [ORIGIN],
    store,
    challenges,
    sessions,
    signIns,
    guesses,
    begins,
    audit,
  });
}

interface APerson {
  readonly id: string;
  readonly email: string;
  readonly organisationId: string;
}

async function aPerson(): Promise<APerson> {
  const person = { id: randomUUID(), email: `p-${randomUUID()}@example.com`, organisationId: randomUUID() };
  await database.query('INSERT INTO fleet.person (id, email, name, password_hash) VALUES ($1, $2, $3, $4)', [
    ...[person.id, person.email, 'Anna', await passwords.hash(PASSWORD)],
  ]);
  await database.query('INSERT INTO fleet.organisation (id, name) VALUES ($1, $2)', [
    ...[person.organisationId, person.organisationId],
  ]);
  await database.query(
    `INSERT INTO fleet.member (organisation_id, person_id, roles, invited_by) VALUES ($1, $2, '{pilot}', 'setup')`,
    [person.organisationId, person.id],
  );
  return person;
}

const says = (person: APerson, challenge: string, signCount: number): AuthenticatorSays => ({
  ...{ origin: ORIGIN, rpId: 'aerie.example.com', challenge, isVerified: true, signCount },
  userHandle: Buffer.from(person.id).toString('base64url'),
});
const challengeOf = ({ publicKey }: { publicKey: object }): string => (publicKey as { challenge: string }).challenge;

async function added(passkeys: Passkeys, person: APerson, change: Partial<AuthenticatorSays> = {}, signCount = 1) {
  const authenticator = new Authenticator();
  const begun = await passkeys.beginAdding(person.id, PASSWORD, ADDRESS);
  const credential = authenticator.create({ ...says(person, challengeOf(begun), signCount), ...change });
  const row = await passkeys.add(await held(person), { challengeId: begun.challengeId, name: 'Phone', credential });
  return { authenticator, row };
}

async function signedIn(
  passkeys: Passkeys,
  person: APerson,
  authenticator: Authenticator,
  change: Partial<AuthenticatorSays> = {},
) {
  const begun = await passkeys.beginSignIn(ADDRESS);
  const credential = authenticator.get({ ...says(person, challengeOf(begun), 2), ...change });
  return passkeys.signIn({ challengeId: begun.challengeId, credential }, ADDRESS);
}

/** As somebody who signed in, with a password or with a provider. */
async function held({ id: personId, organisationId }: APerson, providerId: string | null = null) {
  const sessionId = randomUUID();
  await database.query(
    `INSERT INTO fleet.session (id, organisation_id, person_id, secret_hash, address, provider_id, ends_at)
     VALUES ($1, $2, $3, '\\x00', $4, $5, clock_timestamp() + interval '1 hour')`,
    [sessionId, organisationId, personId, ADDRESS, providerId],
  );
  return { personId, sessionId };
}

const holderOf = async (token: string) => (await sessions.verify(token))?.principal ?? null;
const auditOf = async ({ organisationId }: APerson): Promise<unknown[]> =>
  database.query(
    `SELECT entry->>'operationId' AS what, entry->>'by' AS by, entry->'status' AS status FROM fleet.audit_intake
      WHERE entry->>'organisationId' = $1 ORDER BY id`,
    [organisationId],
  );
const REFUSED = { kind: 'unauthenticated', code: 'wrong_passkey' };

it('signs a person in who added a passkey with the password, and keeps no more than its public key', async () => {
  const [passkeys, person] = [aReplica(), await aPerson()];
  const { authenticator, row } = await added(passkeys, person);
  expect(row).toMatchObject({
    name: 'Phone',
    synced: false,
    last_used_at: null,
    credential_id: authenticator.credentialId,
  });
  const { token } = await signedIn(aReplica(), person, authenticator);
  expect(await holderOf(token)).toMatchObject({
    personId: person.id,
    organisationId: person.organisationId,
    roles: ['pilot'],
  });
  const [used] = await store.list(person.id);
  expect(used).toMatchObject({ id: row.id, sign_count: '2', last_used_at: expect.any(Date) as Date });
  expect(await auditOf(person)).toContainEqual(
    expect.objectContaining({ what: 'signInWithPasskey', by: `person:${person.id}` }),
  );
});

it('takes an authenticator that never counts as often as it comes', async () => {
  const [passkeys, person] = [aReplica(), await aPerson()];
  const { authenticator } = await added(passkeys, person, {}, 0);
  for (let time = 0; time < 3; time++) await signedIn(passkeys, person, authenticator, { signCount: 0 });
});

it.each<[string, Partial<AuthenticatorSays>]>([
  ['made for another page', { origin: OTHER_ORIGIN }],
  ['made for another host', { rpId: 'example.com' }],
  ['of an authenticator that did not verify its user', { isVerified: false }],
  ['of another challenge', { challenge: Buffer.alloc(32, 7).toString('base64url') }],
])('neither adds nor takes what is %s', async (_what, change) => {
  const [passkeys, person] = [aReplica(), await aPerson()];
  await expect(added(passkeys, person, change)).rejects.toMatchObject({ kind: 'invalid' });
  expect(await store.list(person.id)).toEqual([]);
  const { authenticator } = await added(passkeys, person);
  await expect(signedIn(passkeys, person, authenticator, change)).rejects.toMatchObject(REFUSED);
});

describe('refuses, and puts on record where it knows of whom,', () => {
  it('a passkey that names another person', async () => {
    const [passkeys, person, other] = [aReplica(), await aPerson(), await aPerson()];
    const { authenticator } = await added(passkeys, person);
    await expect(signedIn(passkeys, other, authenticator)).rejects.toMatchObject(REFUSED);
    expect((await auditOf(person)).length).toBe(1);
  });

  it('the signature of another key', async () => {
    const [passkeys, person] = [aReplica(), await aPerson()];
    const { authenticator } = await added(passkeys, person);
    const forger = Object.assign(new Authenticator(), { credentialId: authenticator.credentialId });
    await expect(signedIn(passkeys, person, forger)).rejects.toMatchObject(REFUSED);
    expect((await auditOf(person)).length).toBe(1);
  });

  it('a count that does not grow: the authenticator was copied', async () => {
    const [passkeys, person] = [aReplica(), await aPerson()];
    const { authenticator } = await added(passkeys, person);
    await signedIn(passkeys, person, authenticator, { signCount: 5 });
    await expect(signedIn(passkeys, person, authenticator, { signCount: 5 })).rejects.toMatchObject(REFUSED);
    await expect(signedIn(passkeys, person, authenticator, { signCount: 0 })).rejects.toMatchObject(REFUSED);
  });

  it('one that nobody has, and one that was removed', async () => {
    const [passkeys, person] = [aReplica(), await aPerson()];
    await expect(signedIn(passkeys, person, new Authenticator())).rejects.toMatchObject(REFUSED);
    const { authenticator, row } = await added(passkeys, person);
    await store.remove(person.id, row.id, (await held(person)).sessionId);
    await expect(signedIn(passkeys, person, authenticator)).rejects.toMatchObject(REFUSED);
  });

  it('an answer that comes again, also at another replica, and one to a challenge for adding', async () => {
    const [passkeys, person] = [aReplica(), await aPerson()];
    const { authenticator } = await added(passkeys, person);
    const begun = await passkeys.beginSignIn(ADDRESS);
    const credential = authenticator.get(says(person, challengeOf(begun), 2));
    const wish = { challengeId: begun.challengeId, credential };
    const [one, other] = await Promise.allSettled([passkeys.signIn(wish, ADDRESS), aReplica().signIn(wish, ADDRESS)]);
    expect([one.status, other.status].sort()).toEqual(['fulfilled', 'rejected']);
    const adding = await passkeys.beginAdding(person.id, PASSWORD, ADDRESS);
    const answer = authenticator.get(says(person, challengeOf(adding), 9));
    const late = passkeys.signIn({ challengeId: adding.challengeId, credential: answer }, ADDRESS);
    await expect(late).rejects.toMatchObject(REFUSED);
  });
});

it('adds nothing to who does not know the password, and nothing with the challenge of another person', async () => {
  const [passkeys, person, other] = [aReplica(), await aPerson(), await aPerson()];
  await expect(passkeys.beginAdding(person.id, 'another long one', ADDRESS)).rejects.toMatchObject({
    code: 'wrong_password',
  });
  const begun = await passkeys.beginAdding(other.id, PASSWORD, ADDRESS);
  const credential = new Authenticator().create(says(person, challengeOf(begun), 1));
  const adding = passkeys.add(await held(person), { challengeId: begun.challengeId, name: 'Phone', credential });
  await expect(adding).rejects.toMatchObject({ kind: 'invalid' });
});

it('refuses who sends what does not verify too often from one address', async () => {
  const [passkeys, person] = [
    aReplica(new TokenGuesses({ rate: { perSecond: 0.1, burst: 2 }, what: 'tries' })),
    await aPerson(),
  ];
  for (let time = 0; time < 2; time++) {
    await expect(signedIn(passkeys, person, new Authenticator())).rejects.toMatchObject(REFUSED);
  }
  await expect(signedIn(passkeys, person, new Authenticator())).rejects.toMatchObject({ code: 'too_many_requests' });
});

it('lets a session of an identity provider, and one that has ended, neither list, add nor remove', async () => {
  const [passkeys, person] = [aReplica(), await aPerson()];
  const { row } = await added(passkeys, person);
  const ended = await held(person);
  await database.query('UPDATE fleet.session SET ended_at = now() WHERE id = $1', [ended.sessionId]);
  for (const holder of [await held(person, randomUUID()), ended]) {
    await expect(store.check(holder)).rejects.toMatchObject({ code: 'not_by_provider' });
    await expect(store.remove(person.id, row.id, holder.sessionId)).rejects.toMatchObject({ code: 'not_by_provider' });
    const begun = await passkeys.beginAdding(person.id, PASSWORD, ADDRESS);
    const credential = new Authenticator().create(says(person, challengeOf(begun), 1));
    const adding = passkeys.add(holder, { challengeId: begun.challengeId, name: 'Phone', credential });
    await expect(adding).rejects.toMatchObject({ code: 'not_by_provider' });
  }
  expect((await store.list(person.id)).map(({ id }) => id)).toEqual([row.id]);
});

it('ends all other sessions of the person with a passkey that is removed', async () => {
  const [passkeys, person] = [aReplica(), await aPerson()];
  const { authenticator, row } = await added(passkeys, person);
  const [kept, ended] = [
    await signedIn(passkeys, person, authenticator),
    await signedIn(aReplica(), person, authenticator, { signCount: 3 }),
  ];
  expect(await store.remove(person.id, row.id, kept.row.id)).toMatchObject({ endedSessions: 2 });
  expect([await holderOf(kept.token), await holderOf(ended.token)]).toEqual([expect.anything(), null]);
});

it('leaves nothing of who had an email before to whoever begins anew under it', async () => {
  const [passkeys, person] = [aReplica(), await aPerson()];
  const { authenticator } = await added(passkeys, person);
  await database.query('DELETE FROM fleet.member WHERE person_id = $1', [person.id]);
  const people = new People(api, passwords);
  const entrant = await people.receive(person.email, 'Another Anna', 'five other words make one');
  await inTransaction(api.of(person.organisationId), async (tx) => {
    const personId = await people.enter(tx, entrant);
    await tx.run(
      `INSERT INTO fleet.member (organisation_id, person_id, roles, invited_by) VALUES ($1, $2, '{pilot}', 'setup')`,
      [person.organisationId, personId],
    );
  });
  await expect(signedIn(passkeys, person, authenticator)).rejects.toMatchObject(REFUSED);
});

it('adds no passkey twice, and no more than twenty to one person', async () => {
  const [passkeys, person] = [aReplica(), await aPerson()];
  const { authenticator } = await added(passkeys, person);
  const begun = await passkeys.beginAdding(person.id, PASSWORD, ADDRESS);
  expect(begun.publicKey).toMatchObject({ excludeCredentials: [{ id: authenticator.credentialId }] });
  const credential = authenticator.create(says(person, challengeOf(begun), 1));
  const again = passkeys.add(await held(person), { challengeId: begun.challengeId, name: 'Phone', credential });
  await expect(again).rejects.toMatchObject({ code: 'passkey_exists' });
  for (let count = 1; count < 20; count++) await added(passkeys, person);
  await expect(added(passkeys, person)).rejects.toMatchObject({ code: 'too_many_passkeys' });
});
