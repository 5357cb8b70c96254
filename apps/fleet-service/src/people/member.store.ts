import { type Principal, atSites, isAtSites } from '@aerie/bus-contract';
import { lockSites, storedRoles } from '../sites/holders.js';
import { ConflictError } from '@aerie/kernel';
import { type ApiDatabase, PERSON_SETTING, type Tx, inTransaction } from '@aerie/persistence';

export interface MemberRow {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly site_ids: readonly string[] | null;
  readonly invited_by: string;
  readonly created_at: Date;
  /** `created_at` to the microsecond, for cursors. */
  readonly position: string;
}

export interface NewMember {
  readonly organisationId: string;
  readonly personId: string;
  /** As they are stored. */
  readonly roles: readonly string[];
  readonly siteIds: readonly string[] | null;
  readonly invitedBy: string;
}

/** A list that nobody can survey hides the one who should not be in it. */
const MOST_MEMBERS = 1_000;

const MEMBER = `SELECT p.id, p.email, p.name, m.roles, m.site_ids, m.invited_by, m.created_at,
    to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
  FROM fleet.member m JOIN fleet.person p ON p.id = m.person_id`;

/** Who is a member of which organisation. Each organisation that has members has one with the role org_admin. */
export class MemberStore {
  constructor(private readonly database: ApiDatabase) {}

  /** The members of an organisation, the newest first: one more than `limit` where there are more. */
  async list(
    organisationId: string,
    { limit, after }: { limit: number; after: { createdAt: string; id: string } | null },
  ): Promise<MemberRow[]> {
    return this.database.of(organisationId).query<MemberRow>(
      `${MEMBER} WHERE m.organisation_id = $1
          AND ($2::timestamptz IS NULL OR (m.created_at, m.person_id) < ($2, $3::uuid))
        ORDER BY m.created_at DESC, m.person_id DESC LIMIT $4`,
      [organisationId, after?.createdAt ?? null, after?.id ?? null, limit + 1],
    );
  }

  async find(organisationId: string, personId: string): Promise<MemberRow | undefined> {
    const [row] = await this.database
      .of(organisationId)
      .query<MemberRow>(`${MEMBER} WHERE m.organisation_id = $1 AND m.person_id = $2`, [organisationId, personId]);
    return row;
  }

  /** Null: there is no such member. Throws ConflictError where nobody would be org_admin. */
  async changeRights(
    { organisationId }: Principal,
    personId: string,
    change: { readonly roles: readonly string[]; readonly siteIds?: readonly string[] | null | undefined },
  ): Promise<MemberRow | null> {
    return inTransaction(this.database.of(organisationId), async (tx) => {
      await lockMembers(tx, organisationId);
      const row = await findIn(tx, organisationId, personId);
      if (row === undefined) return null;
      const siteIds = change.siteIds === undefined ? row.site_ids : change.siteIds;
      // Roles that an earlier release left without their sites stay limited to none until somebody says otherwise.
      const isOrphan = change.siteIds === undefined && siteIds === null && row.roles.some(isAtSites);
      const roles = isOrphan ? change.roles.map(atSites) : storedRoles({ roles: change.roles, siteIds });
      if (!roles.includes('org_admin')) await refuseLastAdmin(tx, organisationId, personId);
      if (change.siteIds !== undefined) await lockSites(tx, organisationId, siteIds);
      await tx.run(
        'UPDATE fleet.member SET roles = $3, site_ids = $4::uuid[] WHERE organisation_id = $1 AND person_id = $2',
        [organisationId, personId, roles, siteIds],
      );
      return { ...row, roles, site_ids: siteIds };
    });
  }

  /** Who is a member of nothing any more can no longer sign in: an invitation begins anew. Null: there is no such member. */
  async remove({ organisationId }: Principal, personId: string): Promise<MemberRow | null> {
    return inTransaction(this.database.of(organisationId), async (tx) => {
      await lockMembers(tx, organisationId);
      await tx.run('SELECT FROM fleet.person WHERE id = $1 FOR UPDATE', [personId]);
      const row = await findIn(tx, organisationId, personId);
      if (row === undefined) return null;
      await refuseLastAdmin(tx, organisationId, personId);
      await tx.run('DELETE FROM fleet.member WHERE organisation_id = $1 AND person_id = $2', [
        organisationId,
        personId,
      ]);
      // Whether the person is a member of another organisation is asked for the person, who was a member here.
      await tx.run(`SELECT set_config('${PERSON_SETTING}', $1, true)`, [personId]);
      await tx.run(
        `UPDATE fleet.person SET password_hash = NULL
          WHERE id = $1 AND NOT EXISTS (SELECT FROM fleet.member WHERE person_id = $1)`,
        [personId],
      );
      return row;
    });
  }
}

/** Throws ConflictError where the person is a member already, or the organisation has too many. */
export async function addMember(tx: Tx, member: NewMember): Promise<MemberRow> {
  const { organisationId, personId, roles, siteIds, invitedBy } = member;
  await lockMembers(tx, organisationId);
  const counted = await tx.one<{ count: string }>(
    'SELECT count(*) AS count FROM fleet.member WHERE organisation_id = $1',
    [organisationId],
  );
  if (Number(counted?.count) >= MOST_MEMBERS) {
    const message = `the organisation has ${MOST_MEMBERS} members; remove some first`;
    throw new ConflictError('too_many_members', message, { details: { most: MOST_MEMBERS } });
  }
  const added = await tx.run(
    `INSERT INTO fleet.member (organisation_id, person_id, roles, invited_by, site_ids) VALUES ($1, $2, $3, $4, $5::uuid[])
     ON CONFLICT DO NOTHING`,
    [organisationId, personId, roles, invitedBy, siteIds],
  );
  if (added === 0) throw alreadyMember();
  const row = await findIn(tx, organisationId, personId);
  if (row === undefined) throw new Error('a member who was just added is not there');
  return row;
}

export const alreadyMember = (): ConflictError =>
  new ConflictError('already_member', 'the person is a member of the organisation already');

const findIn = (tx: Tx, organisationId: string, personId: string): Promise<MemberRow | undefined> =>
  tx.one<MemberRow>(`${MEMBER} WHERE m.organisation_id = $1 AND m.person_id = $2`, [organisationId, personId]);

/** Changes of members of one organisation come one by one: two admins who remove each other must not both succeed. First of all locks. */
export const lockMembers = (tx: Tx, organisationId: string): Promise<number> =>
  tx.run('SELECT FROM fleet.organisation WHERE id = $1 FOR NO KEY UPDATE', [organisationId]);

async function refuseLastAdmin(tx: Tx, organisationId: string, personId: string): Promise<void> {
  const others = await tx.query(
    `SELECT FROM fleet.member WHERE organisation_id = $1 AND person_id <> $2 AND 'org_admin' = ANY (roles) LIMIT 1`,
    [organisationId, personId],
  );
  if (others.length > 0) return;
  const itself = await tx.query(
    `SELECT FROM fleet.member WHERE organisation_id = $1 AND person_id = $2 AND 'org_admin' = ANY (roles)`,
    [organisationId, personId],
  );
  if (itself.length === 0) return;
  const message = 'this is the last member with the role org_admin; give it to somebody else first';
  throw new ConflictError('last_org_admin', message);
}
