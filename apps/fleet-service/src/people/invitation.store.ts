import { type Principal, callerName } from '@aerie/bus-contract';
import { ConflictError } from '@aerie/kernel';
import { type ApiDatabase, type Tx, inTransaction } from '@aerie/persistence';
import { alreadyMember } from './member.store.js';
import { BY_INVITATION } from '../finders.js';
import { lockSites, storedRoles } from '../sites/holders.js';
import { idOfToken, isHashOf, makeToken } from './tokens.js';

export interface InvitationRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly site_ids: readonly string[] | null;
  readonly open: boolean;
  readonly expires_at: Date;
  readonly created_at: Date;
  readonly created_by: string;
  readonly accepted_at: Date | null;
  readonly accepted_by: string | null;
  readonly revoked_at: Date | null;
  readonly revoked_by: string | null;
  /** `created_at` to the microsecond, for cursors. */
  readonly position: string;
}

export interface NewInvitation {
  readonly email: string;
  readonly roles: readonly string[];
  readonly siteIds: readonly string[] | null;
  readonly validHours: number;
}

export interface MadeInvitation {
  /** Shown this one time. */
  readonly token: string;
  readonly row: InvitationRow;
}

/** Open ones of one organisation. */
const MOST_OPEN = 200;

const OPEN = 'accepted_at IS NULL AND revoked_at IS NULL AND expires_at > clock_timestamp()';
const COLUMNS = `id, organisation_id, email, roles, site_ids, expires_at, created_at, created_by, accepted_at, accepted_by, revoked_at,
  revoked_by, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position, (${OPEN}) AS open`;

/** Invitations. The inviter is shown the token and hands it on; only its hash is kept. */
export class InvitationStore {
  constructor(private readonly database: ApiDatabase) {}

  /** Throws ConflictError where the person is a member, or too many invitations are open. */
  async make(caller: Principal, { email, roles, siteIds, validHours }: NewInvitation): Promise<MadeInvitation> {
    const { organisationId } = caller;
    const { id, token, hash } = makeToken('aerieinvite');
    const row = await inTransaction(this.database.of(organisationId), async (tx) => {
      await refuseMember(tx, organisationId, email);
      await refuseTooMany(tx, organisationId);
      await lockSites(tx, organisationId, siteIds);
      return tx.one<InvitationRow>(
        `INSERT INTO fleet.invitation (id, organisation_id, email, roles, secret_hash, expires_at, created_by, site_ids)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(hours => $6), $7, $8::uuid[]) RETURNING ${COLUMNS}`,
        [
          ...[id, organisationId, email, storedRoles({ roles, siteIds }), hash, validHours, callerName(caller)],
          siteIds,
        ],
      );
    });
    if (row === undefined) throw new Error('an invitation that was just made is not there');
    return { token, row };
  }

  /** The invitations of an organisation, the newest first: one more than `limit` where there are more. */
  async list(
    organisationId: string,
    { limit, after, open }: { limit: number; after: { createdAt: string; id: string } | null; open: boolean | null },
  ): Promise<InvitationRow[]> {
    return this.database.of(organisationId).query<InvitationRow>(
      `SELECT ${COLUMNS} FROM fleet.invitation
        WHERE organisation_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
          AND ($4::boolean IS NULL OR (${OPEN}) = $4)
        ORDER BY created_at DESC, id DESC LIMIT $5`,
      [organisationId, after?.createdAt ?? null, after?.id ?? null, open, limit + 1],
    );
  }

  /** Null: there is none. One that was accepted or revoked stays as it was. */
  async revoke(caller: Principal, id: string): Promise<InvitationRow | null> {
    const { organisationId } = caller;
    return inTransaction(this.database.of(organisationId), async (tx) => {
      await tx.run(
        `UPDATE fleet.invitation SET revoked_at = clock_timestamp(), revoked_by = $3
          WHERE organisation_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL`,
        [organisationId, id, callerName(caller)],
      );
      const row = await tx.one<InvitationRow>(
        `SELECT ${COLUMNS} FROM fleet.invitation WHERE organisation_id = $1 AND id = $2`,
        [organisationId, id],
      );
      return row ?? null;
    });
  }

  /** The invitation that this token opens; null: it opens none, or none any more. */
  async opens(token: string): Promise<InvitationRow | null> {
    const id = idOfToken('aerieinvite', token);
    if (id === null) return null;
    const own = this.database.ofWhom(BY_INVITATION, id);
    const [row] = await own.query<InvitationRow & { readonly secret_hash: Buffer }>(
      `SELECT ${COLUMNS}, secret_hash FROM fleet.invitation WHERE id = $1`,
      [id],
    );
    return row !== undefined && isHashOf(token, row.secret_hash) && row.open ? row : null;
  }
}

/** Newest open invitation of the organisation for this email. */
export const openInvitationTo = (tx: Tx, organisationId: string, email: string): Promise<InvitationRow | undefined> =>
  tx.one<InvitationRow>(
    `SELECT ${COLUMNS} FROM fleet.invitation WHERE organisation_id = $1 AND lower(email) = lower($2) AND ${OPEN}
      ORDER BY created_at DESC, id DESC LIMIT 1`,
    [organisationId, email],
  );

/** False: somebody was faster, or it has expired meanwhile. */
export async function useInvitation(tx: Tx, id: string, personId: string): Promise<boolean> {
  const used = await tx.run(
    `UPDATE fleet.invitation SET accepted_at = clock_timestamp(), accepted_by = $2 WHERE id = $1 AND ${OPEN}`,
    [id, personId],
  );
  return used > 0;
}

async function refuseMember(tx: Tx, organisationId: string, email: string): Promise<void> {
  const found = await tx.query(
    `SELECT FROM fleet.member m JOIN fleet.person p ON p.id = m.person_id
      WHERE m.organisation_id = $1 AND lower(p.email) = lower($2)`,
    [organisationId, email],
  );
  if (found.length > 0) throw alreadyMember();
}

async function refuseTooMany(tx: Tx, organisationId: string): Promise<void> {
  const counted = await tx.one<{ count: string }>(
    `SELECT count(*) AS count FROM fleet.invitation WHERE organisation_id = $1 AND ${OPEN}`,
    [organisationId],
  );
  if (Number(counted?.count) < MOST_OPEN) return;
  const message = `${MOST_OPEN} invitations are open; revoke some first`;
  throw new ConflictError('too_many_invitations', message, { details: { most: MOST_OPEN } });
}
