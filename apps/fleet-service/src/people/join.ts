import { ConflictError, NotFoundError } from '@aerie/kernel';
import { type ApiDatabase, type Tx, inTransaction } from '@aerie/persistence';
import { InvitationStore, useInvitation } from './invitation.store.js';
import { type MemberRow, addMember, lockMembers } from './member.store.js';
import type { PasswordGuesses } from './password-guesses.js';
import { People } from './people.js';
import type { TokenGuesses } from './token-guesses.js';
import { idOfToken, isHashOf, makeToken } from './tokens.js';

const SETUP_HOURS = 24;

export interface Joined {
  readonly organisation: { readonly id: string; readonly name: string };
  readonly member: MemberRow;
}

/** A token of a setup link, valid for a day. It makes one organisation, which has the id of the link, with its first member. */
export async function createSetupLink(database: ApiDatabase): Promise<string> {
  const { id, token, hash } = makeToken('aeriesetup');
  await database.of(id).run(
    `INSERT INTO fleet.setup_link (id, secret_hash, expires_at)
     VALUES ($1, $2, clock_timestamp() + make_interval(hours => $3))`,
    [id, hash, SETUP_HOURS],
  );
  return token;
}

/** How people become members: the first one of an organisation by a setup link, all others by an invitation. */
export class Join {
  constructor(
    private readonly database: ApiDatabase,
    private readonly invitations: InvitationStore,
    private readonly people: People,
    private readonly tokens: TokenGuesses,
    private readonly passwords: PasswordGuesses,
  ) {}

  /** Throws NotFoundError for a token that cannot be used, ConflictError for a name that is taken. */
  async setUp(
    wish: { token: string; organisation: string; email: string; name: string; password: string },
    address: string,
  ): Promise<Joined> {
    const { token, organisation: name } = wish;
    const linkId = await this.tokens.guess(address, () => this.findLink(token));
    if (linkId === null) throw unusable('setup link', 'make another one with create-setup-link.js');
    const entrant = await this.passwords.prove(wish.email, address, () =>
      this.people.receive(wish.email, wish.name, wish.password),
    );
    return inTransaction(this.database.of(linkId), async (tx) => {
      const organisation = { id: linkId, name };
      if (!(await lockLink(tx, linkId))) throw unusable('setup link', 'it was used just now');
      const made = await tx.run('INSERT INTO fleet.organisation (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        ...[organisation.id, name],
      ]);
      if (made === 0) throw new ConflictError('organisation_exists', 'there is an organisation of that name');
      await tx.run('UPDATE fleet.setup_link SET used_at = clock_timestamp(), organisation_id = $1 WHERE id = $1', [
        linkId,
      ]);
      const personId = await this.people.enter(tx, entrant);
      const first = {
        organisationId: organisation.id,
        personId,
        roles: ['org_admin'],
        siteIds: null,
        invitedBy: 'setup',
      };
      return { organisation, member: await addMember(tx, first) };
    });
  }

  /** Throws NotFoundError for a token that cannot be used, UnauthenticatedError for a wrong password of a known person. */
  async accept(wish: { token: string; name?: string | undefined; password: string }, address: string): Promise<Joined> {
    const invitation = await this.tokens.guess(address, () => this.invitations.opens(wish.token));
    if (invitation === null) throw unusable('invitation', 'ask for another one');
    const { id, organisation_id: organisationId, roles, site_ids: siteIds, created_by: invitedBy } = invitation;
    // Whoever has a token may try passwords of the person whom it is for.
    const entrant = await this.passwords.prove(invitation.email, address, () =>
      this.people.receive(invitation.email, wish.name, wish.password),
    );
    return inTransaction(this.database.of(organisationId), async (tx) => {
      await lockMembers(tx, organisationId);
      const personId = await this.people.enter(tx, entrant);
      if (!(await useInvitation(tx, id, personId))) throw unusable('invitation', 'ask for another one');
      const member = await addMember(tx, { organisationId, personId, roles, siteIds, invitedBy });
      const organisation = await tx.one<{ id: string; name: string }>(
        'SELECT id, name FROM fleet.organisation WHERE id = $1',
        [organisationId],
      );
      if (organisation === undefined) throw new Error('the organisation of an invitation is not there');
      return { organisation, member };
    });
  }

  private async findLink(token: string): Promise<string | null> {
    const id = idOfToken('aeriesetup', token);
    if (id === null) return null;
    const [row] = await this.database
      .of(id)
      .query<{ secret_hash: Buffer }>(
        'SELECT secret_hash FROM fleet.setup_link WHERE id = $1 AND used_at IS NULL AND expires_at > clock_timestamp()',
        [id],
      );
    return row !== undefined && isHashOf(token, row.secret_hash) ? id : null;
  }
}

/** False: somebody was faster, or it has expired meanwhile. */
async function lockLink(tx: Tx, id: string): Promise<boolean> {
  const open = await tx.query(
    `SELECT FROM fleet.setup_link WHERE id = $1 AND used_at IS NULL AND expires_at > clock_timestamp() FOR NO KEY UPDATE`,
    [id],
  );
  return open.length > 0;
}

/** The same for one that never was: it tells nothing to whoever guesses. */
function unusable(what: string, advice: string): NotFoundError {
  const message = `is no ${what} that can be used: it was used, has expired or never was; ${advice}`;
  return new NotFoundError('unknown_token', `the token ${message}`, { fields: [{ field: 'token', message }] });
}
