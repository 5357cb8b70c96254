import type { AuditTrail } from '@aerie/http-api';
import { ConflictError, UnauthenticatedError } from '@aerie/kernel';
import { type ApiDatabase, PERSON, inTransaction } from '@aerie/persistence';
import { personEntry } from '../audit/person-entry.js';
import { BY_EMAIL } from '../finders.js';
import { PasswordGuesses } from '../people/password-guesses.js';
import { Passwords } from '../people/passwords.js';
import { refusePassword } from '../people/people.js';
import { type MadeSession, SessionStore, endOtherSessions } from './session.store.js';

export interface SignInWish {
  readonly email: string;
  readonly password: string;
  /** Undefined: the only one. */
  readonly organisationId?: string | undefined;
}

interface FoundPerson {
  readonly id: string;
  readonly email: string;
  readonly password_hash: string | null;
}

export interface ProvenPerson {
  readonly email: string;
  readonly name: string;
}

export interface Membership {
  readonly id: string;
  readonly name: string;
}

/** Signs people in with their password, and changes it. */
export class SignIn {
  constructor(
    private readonly database: ApiDatabase,
    private readonly sessions: SessionStore,
    private readonly passwords: Passwords,
    private readonly guesses: PasswordGuesses,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Throws UnauthenticatedError, the same and after the same time for an unknown email and a wrong password, TooManyError,
   * and ConflictError where the person has to say which organisation is meant.
   */
  async signIn({ email, password, organisationId }: SignInWish, address: string): Promise<MadeSession> {
    const proven = await this.guesses.prove(email, address, async () => {
      const [person] = await this.database
        .ofWhom(BY_EMAIL, email)
        .query<FoundPerson>(`SELECT id, email, password_hash FROM fleet.person WHERE id = ${PERSON}`);
      const isRight = await this.passwords.verify(person?.password_hash ?? null, password);
      if (person !== undefined && !isRight) await this.noteWrong(person.id, 'signIn', address);
      const passwordHash = person?.password_hash ?? null;
      if (person === undefined || passwordHash === null || !isRight) throw wrongSignIn();
      return { id: person.id, passwordHash };
    });
    const personId = proven.id;
    const organisation = await this.chooseOrganisation(personId, organisationId);
    const made = await this.sessions.begin(organisation.id, proven, address);
    if (made === null) throw wrongSignIn();
    await this.audit.note(personEntry({ personId, organisationId: organisation.id }, 'signIn', address), 201);
    return made;
  }

  /** The organisation that is meant; undefined: the only one. Throws ConflictError where the person has to say which. */
  async chooseOrganisation(personId: string, organisationId: string | undefined): Promise<Membership> {
    const organisations = await this.database.ofPerson(personId).query<Membership>(
      `SELECT o.id, o.name FROM fleet.member m JOIN fleet.organisation o ON o.id = m.organisation_id
        WHERE m.person_id = $1 ORDER BY o.name`,
      [personId],
    );
    const meant = organisations.filter(({ id }) => organisationId === undefined || id === organisationId);
    const [organisation] = meant;
    if (organisation === undefined || meant.length > 1) throw chooseOne(organisations);
    return organisation;
  }

  /** In each organisation of the person. How many there are is bounded by the budgets of guesses. */
  async noteWrong(personId: string, operationId: string, address: string): Promise<void> {
    const rows = await this.database
      .ofPerson(personId)
      .query<{ organisation_id: string }>('SELECT organisation_id FROM fleet.member WHERE person_id = $1', [personId]);
    for (const { organisation_id: organisationId } of rows) {
      await this.audit.note(personEntry({ personId, organisationId }, operationId, address), 401);
    }
  }

  /** The person, who sent the right password again. Throws UnauthenticatedError or TooManyError. */
  async provePassword(personId: string, currentPassword: string, address: string): Promise<ProvenPerson> {
    const person = await this.find(personId);
    await this.prove(person, currentPassword, address);
    return person;
  }

  private async find(personId: string): Promise<FoundPerson & ProvenPerson> {
    const [person] = await this.database
      .ofPerson(personId)
      .query<FoundPerson & ProvenPerson>('SELECT id, email, name, password_hash FROM fleet.person WHERE id = $1', [
        personId,
      ]);
    if (person === undefined) throw new Error('a person who is signed in is not there');
    return person;
  }

  private prove(person: FoundPerson, currentPassword: string, address: string): Promise<void> {
    return this.guesses.prove(person.email, address, async () => {
      const isRight = await this.passwords.verify(person.password_hash, currentPassword);
      if (!isRight) throw wrong('currentPassword', 'the current password is wrong');
    });
  }

  /** Ends all other sessions of the person, and says how many. Throws UnauthenticatedError, TooManyError or InvalidError. */
  async changePassword(
    { personId, sessionId }: { readonly personId: string; readonly sessionId: string },
    wish: { readonly currentPassword: string; readonly newPassword: string },
    address: string,
  ): Promise<number> {
    const person = await this.find(personId);
    refusePassword('newPassword', wish.newPassword, person.email);
    await this.prove(person, wish.currentPassword, address);
    const hash = await this.passwords.hash(wish.newPassword);
    return inTransaction(this.database.ofPerson(personId), async (tx) => {
      const changed = await tx.run('UPDATE fleet.person SET password_hash = $2 WHERE id = $1 AND password_hash = $3', [
        ...[personId, hash, person.password_hash],
      ]);
      if (changed === 0) throw new ConflictError('person_changed', 'the person changed just now, try again');
      return endOtherSessions(tx, personId, sessionId);
    });
  }
}

const wrong = (field: string, message: string): UnauthenticatedError =>
  new UnauthenticatedError('wrong_password', message, { fields: [{ field, message }] });

const wrongSignIn = (): UnauthenticatedError => wrong('email', 'the email or the password is wrong');

function chooseOne(organisations: readonly Membership[]): ConflictError {
  const message = 'send the organisationId of one of the organisations of which the person is a member';
  return new ConflictError('organisation_required', message, {
    fields: [{ field: 'organisationId', message }],
    details: { organisations },
  });
}
