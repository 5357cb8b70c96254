import { type ApiDatabase, type Tx, inTransaction } from '@aerie/persistence';
import { openInvitationTo, useInvitation } from '../people/invitation.store.js';
import { addMember, lockMembers } from '../people/member.store.js';
import { type LockedPerson, becomeLocked, enterWithoutPassword } from '../people/people.js';
import type { Profile } from './provider-clients.js';
import { signInRefused } from './provider-clients.js';
import type { ProviderRow } from './provider.store.js';

type OfProvider = Pick<ProviderRow, 'id' | 'organisation_id' | 'newcomer_roles' | 'newcomer_domains'>;

/**
 * Links subjects of providers to members. After the first sign-in only the subject counts: an email address may be
 * reassigned. A provider can only sign people in to its own organisation.
 */
export class Identities {
  constructor(private readonly database: ApiDatabase) {}

  /** Id of the linked member; null: not linked. */
  async find(provider: OfProvider, subject: string): Promise<string | null> {
    const [row] = await this.database
      .of(provider.organisation_id)
      .query<{ person_id: string }>('SELECT person_id FROM fleet.identity WHERE provider_id = $1 AND subject = $2', [
        ...[provider.id, subject],
      ]);
    return row?.person_id ?? null;
  }

  /**
   * Links the subject to the member with this verified email. Without one, an open invitation or the newcomer rule of the
   * provider makes the person a member. Throws UnauthenticatedError if neither applies, ConflictError if there are too many members.
   */
  async link(provider: OfProvider, subject: string, { verifiedEmail: email, name }: Profile): Promise<string> {
    if (email === null) throw signInRefused('the identity provider has not verified your email address');
    return inTransaction(this.database.of(provider.organisation_id), async (tx) => {
      // The first of all locks. Concurrent first sign-ins of one person wait for each other.
      await lockMembers(tx, provider.organisation_id);
      const locked = await becomeLocked(tx, email);
      const personId =
        (await findMember(tx, provider, locked)) ?? (await admit(tx, provider, locked, { email, name: name ?? email }));
      await linkTo(tx, provider, subject, personId);
      return personId;
    });
  }
}

async function findMember(tx: Tx, provider: OfProvider, { row }: LockedPerson): Promise<string | null> {
  if (row === undefined) return null;
  const found = await tx.query('SELECT FROM fleet.member WHERE organisation_id = $1 AND person_id = $2', [
    ...[provider.organisation_id, row.id],
  ]);
  return found.length > 0 ? row.id : null;
}

async function admit(
  tx: Tx,
  provider: OfProvider,
  locked: LockedPerson,
  person: { readonly email: string; readonly name: string },
): Promise<string> {
  const { organisation_id: organisationId } = provider;
  const invitation = await openInvitationTo(tx, organisationId, person.email);
  const roles = invitation?.roles ?? newcomerRoles(provider, person.email);
  if (roles === null)
    throw signInRefused('you are not a member of this organisation; ask an org_admin for an invitation');
  const personId = await enterWithoutPassword(tx, locked, person);
  if (personId === null) {
    throw signInRefused('you are a member of another organisation; accept the invitation with your password first');
  }
  if (invitation !== undefined && !(await useInvitation(tx, invitation.id, personId))) {
    throw signInRefused('the invitation was used or has expired during the sign-in');
  }
  const invitedBy = invitation?.created_by ?? `provider:${provider.id}`;
  await addMember(tx, { organisationId, personId, roles, siteIds: invitation?.site_ids ?? null, invitedBy });
  return personId;
}

function newcomerRoles(provider: OfProvider, email: string): readonly string[] | null {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  return provider.newcomer_domains?.includes(domain) === true ? provider.newcomer_roles : null;
}

async function linkTo(tx: Tx, provider: OfProvider, subject: string, personId: string): Promise<void> {
  const linked = await tx.run(
    `INSERT INTO fleet.identity (organisation_id, provider_id, subject, person_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [provider.organisation_id, provider.id, subject, personId],
  );
  if (linked > 0) return;
  const [present] = await tx.query<{ subject: string }>(
    'SELECT subject FROM fleet.identity WHERE provider_id = $1 AND person_id = $2',
    [provider.id, personId],
  );
  if (present?.subject === subject) return;
  throw signInRefused(
    'the member with your email address is linked to another account of this provider; ' +
      'an org_admin can remove the member and invite you again',
  );
}
