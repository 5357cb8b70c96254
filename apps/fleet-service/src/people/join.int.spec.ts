import type { Principal } from '@aerie/bus-contract';
import { ApiDatabase } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { InvitationStore } from './invitation.store.js';
import { Join, type Joined, createSetupLink } from './join.js';
import { MemberStore } from './member.store.js';
import { PasswordGuesses } from './password-guesses.js';
import { Passwords } from './passwords.js';
import { People } from './people.js';
import { TokenGuesses } from './token-guesses.js';

let database: DataSource;
let drop: (() => Promise<void>) | undefined;
let members: MemberStore;
let api: ApiDatabase;
let invitations: InvitationStore;
let join: Join;
const passwords = new Passwords();

beforeAll(async () => {
  const made = await fleetTestDatabase();
  ({ dataSource: database, drop } = made);
  api = new ApiDatabase(made.api);
  members = new MemberStore(api);
  invitations = new InvitationStore(api);
  join = newJoin();
}, 60_000);
afterAll(() => drop?.());

const newJoin = () => new Join(api, invitations, new People(api, passwords), new TokenGuesses(), new PasswordGuesses());
const PASSWORD = 'four words make one';
let count = 0;
const anEmail = () => `person-${++count}@example.com`;
const anAddress = () => `198.51.100.${++count % 250}`;
const adminOf = ({ organisation }: Joined): Principal => ({
  ...{ keyId: 'irrelevant', organisationId: organisation.id, roles: ['org_admin'], siteIds: null, dockSns: null },
});

const setUp = async (email = anEmail(), password = PASSWORD): Promise<Joined> =>
  join.setUp(
    { token: await createSetupLink(api), organisation: `organisation ${++count}`, email, name: 'Anna', password },
    anAddress(),
  );
const invite = async (to: Joined, email: string, roles = ['viewer']): Promise<string> =>
  (await invitations.make(adminOf(to), { email, roles, siteIds: null, validHours: 1 })).token;
const accept = (token: string, password = PASSWORD): Promise<Joined> =>
  join.accept({ token, name: 'Berta', password }, anAddress());
const hashOf = async (email: string) => {
  const rows = await database.query<{ password_hash: string | null }[]>(
    'SELECT password_hash FROM fleet.person WHERE lower(email) = lower($1)',
    [email],
  );
  return rows[0]?.password_hash;
};

it('sets up an organisation with a link once, also where two do so at the same time', async () => {
  const token = await createSetupLink(api);
  const one = (name: string) =>
    join.setUp({ token, organisation: name, email: anEmail(), name: 'Anna', password: PASSWORD }, anAddress());
  const both = await Promise.allSettled([one('North'), one('South')]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expect(one('West')).rejects.toMatchObject({ code: 'unknown_token' });
  const made = await database.query("SELECT FROM fleet.organisation WHERE name IN ('North', 'South', 'West')");
  expect(made.length).toBe(1);
});

it('takes no setup link after a day, and no token of another kind', async () => {
  const token = await createSetupLink(api);
  const wish = { organisation: 'late', email: anEmail(), name: 'Anna', password: PASSWORD };
  const [link] = await database.query<{ hours: number }[]>(
    `SELECT round(extract(epoch FROM expires_at - created_at) / 3600)::integer AS hours
       FROM fleet.setup_link ORDER BY created_at DESC LIMIT 1`,
  );
  expect(link?.hours).toBe(24);
  await database.query('UPDATE fleet.setup_link SET expires_at = clock_timestamp() WHERE used_at IS NULL');
  await expect(join.setUp({ token, ...wish }, anAddress())).rejects.toMatchObject({ code: 'unknown_token' });
  const invitation = await invite(await setUp(), anEmail());
  await expect(join.setUp({ token: invitation, ...wish }, anAddress())).rejects.toMatchObject({
    code: 'unknown_token',
  });
});

it('keeps nothing from which a token could be used, and no password', async () => {
  const owner = await setUp();
  const token = await invite(owner, anEmail());
  const link = await createSetupLink(api);
  const kept = await database.query<object[]>(
    `SELECT to_jsonb(i) AS kept FROM fleet.invitation i UNION ALL SELECT to_jsonb(s) FROM fleet.setup_link s
      UNION ALL SELECT to_jsonb(p) FROM fleet.person p`,
  );
  const text = JSON.stringify(kept);
  for (const secret of [token.slice(-43), link.slice(-43), PASSWORD]) expect(text).not.toContain(secret);
});

it('makes one member of an invitation that two accept at the same time', async () => {
  const owner = await setUp();
  const token = await invite(owner, anEmail());
  const both = await Promise.allSettled([accept(token), accept(token, 'another long password')]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect((await members.list(owner.organisation.id, { limit: 10, after: null })).length).toBe(2);
});

it('takes an email for the same in upper and lower case', async () => {
  const owner = await setUp();
  const again = invite(owner, owner.member.email.toUpperCase());
  await expect(again).rejects.toMatchObject({ code: 'already_member' });
});

describe('a person who is a member of another organisation', () => {
  it('joins with the password that it has, keeps name and password, and is refused with another one', async () => {
    const [home, other] = [await setUp(), await setUp()];
    const { email } = home.member;
    const before = await hashOf(email);
    const token = await invite(other, email, ['pilot']);
    await expect(accept(token, 'a password of my own')).rejects.toMatchObject({ code: 'wrong_password' });
    expect(await accept(token)).toMatchObject({ member: { id: home.member.id, name: 'Anna', roles: ['pilot'] } });
    expect(await hashOf(email)).toBe(before);
    expect((await members.find(home.organisation.id, home.member.id))?.roles).toEqual(['org_admin']);
  });

  it('gets no password from whoever has many invitations for it', async () => {
    const [home, other] = [await setUp(), await setUp()];
    const token = await invite(other, home.member.email);
    const limited = newJoin();
    const tries = Array.from({ length: 40 }, () =>
      limited
        .accept({ token, password: 'a wrong password' }, '192.0.2.1')
        .catch((error: { code: string }) => error.code),
    );
    const codes = await Promise.all(tries);
    expect(codes.filter((code) => code === 'wrong_password').length).toBeLessThanOrEqual(5);
    expect(codes).toContain('too_many_requests');
  });

  it('gets one password where two organisations let it in as a new one at the same time', async () => {
    const [one, other] = [await setUp(), await setUp()];
    const email = anEmail();
    const tokens = [await invite(one, email), await invite(other, email)] as const;
    const both = await Promise.allSettled([accept(tokens[0]), accept(tokens[1], 'another long password')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'person_changed' } });
  });
});

describe('the last member with the role org_admin', () => {
  it('is not removed, and keeps the role', async () => {
    const owner = await setUp();
    const { id } = owner.member;
    await expect(members.remove(adminOf(owner), id)).rejects.toMatchObject({ code: 'last_org_admin' });
    await expect(members.changeRights(adminOf(owner), id, { roles: ['viewer'] })).rejects.toMatchObject({
      code: 'last_org_admin',
    });
    expect((await members.changeRights(adminOf(owner), id, { roles: ['org_admin', 'pilot'] }))?.roles).toEqual([
      'org_admin',
      'pilot',
    ]);
  });

  it('stays where two remove each other at the same time', async () => {
    const owner = await setUp();
    const { member } = await accept(await invite(owner, anEmail(), ['org_admin']));
    const both = await Promise.allSettled([owner.member, member].map(({ id }) => members.remove(adminOf(owner), id)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

it('lets a person who was removed from everywhere begin anew, with another password', async () => {
  const owner = await setUp();
  const email = anEmail();
  const { member } = await accept(await invite(owner, email));
  expect(await members.remove(adminOf(owner), member.id)).toMatchObject({ id: member.id });
  expect(await hashOf(email)).toBeNull();
  const again = await accept(await invite(owner, email), 'another long password');
  expect(again.member.id).toBe(member.id);
});

it('shows, changes and removes no member or invitation of another organisation', async () => {
  const [owner, stranger] = [await setUp(), await setUp()];
  const { row } = await invitations.make(adminOf(owner), {
    email: anEmail(),
    roles: ['viewer'],
    siteIds: null,
    validHours: 1,
  });
  const caller = adminOf(stranger);
  expect(await members.find(caller.organisationId, owner.member.id)).toBeUndefined();
  expect(await members.changeRights(caller, owner.member.id, { roles: ['viewer'] })).toBeNull();
  expect(await members.remove(caller, owner.member.id)).toBeNull();
  expect(await invitations.revoke(caller, row.id)).toBeNull();
  const listed = await invitations.list(caller.organisationId, { limit: 10, after: null, open: null });
  expect(listed).toEqual([]);
});
