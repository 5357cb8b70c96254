import { randomUUID } from 'node:crypto';
import { ConflictError, InvalidError, UnauthenticatedError } from '@aerie/kernel';
import { type ApiDatabase, PERSON, PERSON_SETTING, type Tx } from '@aerie/persistence';
import { BY_EMAIL } from '../finders.js';
import { removePasskeysOf } from '../passkeys/passkey-rows.js';
import { type Passwords, passwordProblem } from './passwords.js';

/** A person who proved who they are, or a new one, before the transaction that makes them a member. */
export interface Entrant {
  readonly email: string;
  /** Undefined: nobody new. */
  readonly name: string | undefined;
  /** Of a known person the one that was checked. */
  readonly passwordHash: string;
  readonly isKnown: boolean;
}

interface PersonRow {
  readonly id: string;
  readonly password_hash: string | null;
  readonly is_member: boolean;
}

/** Whom the transaction is for. By the id: with policies no index finds a row by what a function makes of a column. */
const ITSELF = `SELECT p.id, p.password_hash, EXISTS (SELECT FROM fleet.member m WHERE m.person_id = p.id) AS is_member
  FROM fleet.person p WHERE p.id = ${PERSON}`;

/**
 * People, by their email. Who is a member of some organisation enters another one with the password that they have: an
 * organisation that invites somebody must not be able to set it. Who is a member of none begins anew.
 */
export class People {
  constructor(
    private readonly database: ApiDatabase,
    private readonly passwords: Passwords,
  ) {}

  /** Hashes or checks the password. Takes no connection meanwhile. Throws UnauthenticatedError or InvalidError. */
  async receive(email: string, name: string | undefined, password: string): Promise<Entrant> {
    const [known] = await this.database.ofWhom(BY_EMAIL, email).query<PersonRow>(ITSELF);
    if (known?.is_member === true) {
      const passwordHash = known.password_hash;
      if (passwordHash === null || !(await this.passwords.verify(passwordHash, password))) throw wrongPassword();
      return { email, name: undefined, passwordHash, isKnown: true };
    }
    refuseNewcomer(email, name, password);
    return { email, name, passwordHash: await this.passwords.hash(password), isKnown: false };
  }

  /** The id of the person, who is there from now on. Throws ConflictError where the person changed since `receive`. */
  async enter(tx: Tx, { email, name, passwordHash, isKnown }: Entrant): Promise<string> {
    const { newId, row } = await becomeLocked(tx, email);
    const isSame = isKnown ? row?.is_member === true && row.password_hash === passwordHash : row?.is_member !== true;
    if (!isSame) throw new ConflictError('person_changed', 'the person changed just now, try again');
    if (isKnown && row !== undefined) return row.id;
    return putPerson(tx, { id: row?.id ?? newId, email, name, passwordHash });
  }
}

/**
 * Creates or finds a person whom an identity provider identified, and returns the id. Null: the person has a password and is
 * a member of another organisation, so only the password may make them a member here.
 */
export async function enterWithoutPassword(
  tx: Tx,
  { newId, row }: LockedPerson,
  { email, name }: { readonly email: string; readonly name: string },
): Promise<string | null> {
  if (row?.is_member === true) return row.password_hash === null ? row.id : null;
  return putPerson(tx, { id: row?.id ?? newId, email, name, passwordHash: null });
}

export interface LockedPerson {
  /** For a person who has no row yet. */
  readonly newId: string;
  readonly row: PersonRow | undefined;
}

/** Locks the person with this email; from here on the transaction may reach that person's rows too. */
export async function becomeLocked(tx: Tx, email: string): Promise<LockedPerson> {
  // Two organisations may let in the same new person at once; the second would set another password.
  await tx.run('SELECT pg_advisory_xact_lock(hashtextextended(lower($1), 0))', [`person ${email}`]);
  const newId = randomUUID();
  await becomePerson(tx, email, newId);
  return { newId, row: await tx.one<PersonRow>(`${ITSELF} FOR UPDATE OF p`) };
}

async function putPerson(
  tx: Tx,
  person: { id: string; email: string; name: string | undefined; passwordHash: string | null },
): Promise<string> {
  const { id, email, name, passwordHash } = person;
  await removePasskeysOf(tx, id);
  await tx.run(
    `INSERT INTO fleet.person (id, email, name, password_hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, password_hash = excluded.password_hash`,
    [id, email, name, passwordHash],
  );
  return id;
}

/** From here on the transaction is for this person too: one who is there, or who will be under this id. */
const becomePerson = (tx: Tx, email: string, newId: string): Promise<number> =>
  tx.run(`SELECT set_config('${PERSON_SETTING}', coalesce(${BY_EMAIL.finder}($1), $2::uuid)::text, true)`, [
    email,
    newId,
  ]);

export function refusePassword(field: string, password: string, email: string): void {
  const message = passwordProblem(password, email);
  if (message === null) return;
  throw new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field, message }] });
}

function refuseNewcomer(email: string, name: string | undefined, password: string): void {
  refusePassword('password', password, email);
  if (name !== undefined) return;
  const message = 'is required of who is a member of nothing yet';
  throw new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field: 'name', message }] });
}

const wrongPassword = (): UnauthenticatedError => {
  const message = 'is not the password of this person, who is a member of another organisation';
  return new UnauthenticatedError('wrong_password', `the password ${message}`, {
    fields: [{ field: 'password', message }],
  });
};
