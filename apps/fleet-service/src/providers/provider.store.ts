import { randomUUID } from 'node:crypto';
import { type Principal, callerName } from '@aerie/bus-contract';
import { ConflictError, Secret } from '@aerie/kernel';
import { type ApiDatabase, type Prune, type Tx, inTransaction, pruneOldRows } from '@aerie/persistence';
import type { KeyRing } from '@aerie/sealing';
import { BY_PROVIDER } from '../finders.js';
import { lockMembers } from '../people/member.store.js';
import type { NewProvider, ProviderChange } from './provider.schema.js';

export interface ProviderRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly name: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly secret_key_id: string;
  readonly secret_sealed: Buffer;
  readonly newcomer_roles: readonly string[] | null;
  readonly newcomer_domains: readonly string[] | null;
  readonly revision: number;
  readonly created_at: Date;
  readonly created_by: string;
}

/** Of one organisation. */
const MOST = 10;
/** Longer than a pending sign-in is valid. */
const USED_DAYS = 1;

const COLUMNS = `id, organisation_id, name, issuer, client_id, secret_key_id, secret_sealed, newcomer_roles, newcomer_domains,
  revision, created_at, created_by`;

/** Binds a sealed secret to its row. */
const contextOf = (id: string): string => `identity-provider:${id}`;

/** Identity providers of organisations. Client secrets are stored sealed. */
export class ProviderStore {
  constructor(
    private readonly database: ApiDatabase,
    private readonly keyRing: KeyRing,
  ) {}

  /** Throws ConflictError if the organisation has too many. */
  async make(caller: Principal, wish: NewProvider): Promise<ProviderRow> {
    const { organisationId } = caller;
    const id = randomUUID();
    const sealed = await this.keyRing.seal(new Secret(wish.clientSecret), contextOf(id));
    return inTransaction(this.database.of(organisationId), async (tx) => {
      await lockMembers(tx, organisationId);
      await refuseTooMany(tx, organisationId);
      const row = await tx.one<ProviderRow>(
        `INSERT INTO fleet.identity_provider (id, organisation_id, name, issuer, client_id, secret_key_id, secret_sealed,
           newcomer_roles, newcomer_domains, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${COLUMNS}`,
        [
          ...[id, organisationId, wish.name, wish.issuer, wish.clientId, sealed.keyId, sealed.bytes],
          ...[wish.newcomers?.roles ?? null, wish.newcomers?.emailDomains ?? null, callerName(caller)],
        ],
      );
      if (row === undefined) throw new Error('a provider that was just made is not there');
      return row;
    });
  }

  async list(organisationId: string): Promise<ProviderRow[]> {
    return this.database
      .of(organisationId)
      .query<ProviderRow>(
        `SELECT ${COLUMNS} FROM fleet.identity_provider WHERE organisation_id = $1 ORDER BY created_at, id`,
        [organisationId],
      );
  }

  /** In any organisation. Null: unknown. */
  async find(id: string): Promise<ProviderRow | null> {
    const [row] = await this.database
      .ofWhom(BY_PROVIDER, id)
      .query<ProviderRow>(`SELECT ${COLUMNS} FROM fleet.identity_provider WHERE id = $1`, [id]);
    return row ?? null;
  }

  /** Null: unknown. */
  async change({ organisationId }: Principal, id: string, wish: ProviderChange): Promise<ProviderRow | null> {
    const { name, clientId, clientSecret, newcomers } = wish;
    const sealed =
      clientSecret === undefined ? undefined : await this.keyRing.seal(new Secret(clientSecret), contextOf(id));
    const [row] = await this.database.of(organisationId).query<ProviderRow>(
      `UPDATE fleet.identity_provider SET revision = revision + 1, name = coalesce($3, name), client_id = coalesce($4, client_id),
              secret_key_id = coalesce($5, secret_key_id), secret_sealed = coalesce($6, secret_sealed),
              newcomer_roles = CASE WHEN $7 THEN $8 ELSE newcomer_roles END,
              newcomer_domains = CASE WHEN $7 THEN $9 ELSE newcomer_domains END
        WHERE organisation_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
      [
        ...[organisationId, id, name ?? null, clientId ?? null, sealed?.keyId ?? null, sealed?.bytes ?? null],
        ...[newcomers !== undefined, newcomers?.roles ?? null, newcomers?.emailDomains ?? null],
      ],
    );
    return row ?? null;
  }

  /** Ends the sessions that began with the provider. Null: unknown. */
  async remove({ organisationId }: Principal, id: string): Promise<ProviderRow | null> {
    return inTransaction(this.database.of(organisationId), async (tx) => {
      // Waits for transactions that begin a session with this provider, so that the UPDATE below ends those sessions too.
      await tx.run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [providerLock(id)]);
      const row = await tx.one<ProviderRow>(
        `DELETE FROM fleet.identity_provider WHERE organisation_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
        [organisationId, id],
      );
      if (row === undefined) return null;
      await tx.run(
        `UPDATE fleet.session SET ended_at = clock_timestamp()
          WHERE organisation_id = $1 AND provider_id = $2 AND ended_at IS NULL`,
        [organisationId, id],
      );
      return row;
    });
  }

  /** @throws UnavailableError if it cannot be opened */
  secretOf({ id, secret_key_id: keyId, secret_sealed: bytes }: ProviderRow): Promise<Secret> {
    return this.keyRing.open({ keyId, bytes }, contextOf(id));
  }
}

/** Shared by transactions that begin a session, exclusive for the removal of the provider. */
export const providerLock = (id: string): string => `identity provider ${id}`;

export const usedSignInPrune = (): Prune =>
  pruneOldRows({ table: 'fleet.used_sign_in', at: 'used_at', days: USED_DAYS });

async function refuseTooMany(tx: Tx, organisationId: string): Promise<void> {
  const counted = await tx.one<{ count: string }>(
    'SELECT count(*) AS count FROM fleet.identity_provider WHERE organisation_id = $1',
    [organisationId],
  );
  if (Number(counted?.count) < MOST) return;
  const message = `the organisation has ${MOST} identity providers; remove some first`;
  throw new ConflictError('too_many_providers', message, { details: { most: MOST } });
}
