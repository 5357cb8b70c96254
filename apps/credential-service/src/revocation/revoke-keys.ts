import { randomUUID } from 'node:crypto';
import type { Principal } from '@aerie/bus-contract';
import { type Page, type Position, toPage } from '@aerie/http-api';
import { ConflictError } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { ownerPrefixOf } from '../keys/object-prefix.js';
import { providerCodeOf } from '../providers/provider-error.js';
import type { Denial } from '../providers/storage.provider.js';
import type { StorageAccess, Storages } from '../storages/storage-access.js';
import type { RevocationView } from './revocation.schema.js';

export interface RevokeRequest {
  /** Null: all docks of the organisation. */
  readonly dockSn: string | null;
  readonly reason: string;
}

interface RevocationRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly dock_sn: string | null;
  readonly not_before: Date;
  readonly reason: string;
  readonly revoked_by: string;
  readonly revoked_at: Date;
  readonly state: 'pending' | 'denied';
  readonly denied_at: Date | null;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly position: string;
}

/** The longest life of keys, and an hour for clocks that differ: what was made before needs no denial any more. */
const DENIED_HOURS = 13;
/** A provider that does not answer is asked again after this. */
const RETRY_SECONDS = 5;
const SWEEP_EVERY_MS = 2_000;
const SWEPT_AT_ONCE = 20;

const SELECT = `SELECT *, to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
  FROM credential.revocation`;

/**
 * Calls keys back: those that are remembered are given out no more from the commit on, in every replica, and the
 * provider is told to refuse all that were made before.
 *
 * INVARIANTS: a row is pending until the provider has taken the denial, and any replica goes on trying; what the
 * provider gets is always the whole list of the last hours, so that the order of two calls does not matter.
 */
export class RevokeKeys {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly storages: Storages,
    private readonly logger: Logger,
  ) {}

  /** @throws ConflictError where the provider cannot do it; nothing is written then */
  async execute({ organisationId, keyId }: Principal, { dockSn, reason }: RevokeRequest): Promise<RevocationView> {
    const access = await this.storages.of(organisationId);
    const support = access.provider.denialSupport;
    if (!support.supported) {
      const message = 'the storage cannot call keys back before they end';
      const { lifetimeSeconds } = access.storage;
      throw new ConflictError('revocation_not_supported', message, {
        details: { reason: support.reason, keysLiveSeconds: lifetimeSeconds },
      });
    }
    const id = randomUUID();
    // Providers know whole seconds of a token's birth: what is made within two seconds from now falls with the rest.
    await this.dataSource.query(
      `INSERT INTO credential.revocation (id, organisation_id, dock_sn, not_before, reason, revoked_by, state,
         next_action_at)
       VALUES ($1, $2, $3, date_trunc('second', clock_timestamp()) + interval '2 seconds', $4, $5, 'pending',
         clock_timestamp() + make_interval(secs => $6))`,
      [id, organisationId, dockSn, reason, `key:${keyId}`, RETRY_SECONDS],
    );
    const prefix = ownerPrefixOf(organisationId, dockSn);
    access.keys.forget((name) => name.startsWith(prefix));
    await this.apply(id, organisationId, access);
    const [row] = await this.dataSource.query<RevocationRow[]>(`${SELECT} WHERE id = $1`, [id]);
    if (row === undefined) throw new Error('a revocation is not there that was just written');
    return viewOf(row);
  }

  async list(organisationId: string, limit: number, after: Position | null): Promise<Page<RevocationView>> {
    const rows = await this.dataSource.query<RevocationRow[]>(
      `${SELECT}
        WHERE organisation_id = $1 AND ($2::timestamptz IS NULL OR (revoked_at, id) < ($2, $3::uuid))
        ORDER BY revoked_at DESC, id DESC LIMIT $4`,
      [organisationId, after?.createdAt ?? null, after?.id ?? null, limit + 1],
    );
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), viewOf);
  }

  /** Every replica looks for denials that no provider has taken yet. */
  start(): void {
    this.timer = setInterval(() => {
      this.sweeping = this.sweeping.then(() => this.sweep());
    }, SWEEP_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  private async sweep(): Promise<void> {
    try {
      const due = await inTransaction(this.dataSource, (tx) =>
        tx.query<{ id: string; organisation_id: string }>(
          `UPDATE credential.revocation SET next_action_at = clock_timestamp() + make_interval(secs => $1)
            WHERE id IN (SELECT id FROM credential.revocation
                          WHERE state = 'pending' AND next_action_at <= clock_timestamp()
                          ORDER BY next_action_at LIMIT $2 FOR UPDATE SKIP LOCKED)
            RETURNING id, organisation_id`,
          [RETRY_SECONDS, SWEPT_AT_ONCE],
        ),
      );
      for (const { id, organisation_id } of due) {
        await this.apply(id, organisation_id, await this.storages.of(organisation_id));
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'failed to look for keys that are to be called back, trying again');
    }
  }

  /** Tells the provider. Never rejects because of the provider: the row stays pending, and is found again. */
  private async apply(id: string, organisationId: string, access: StorageAccess): Promise<void> {
    try {
      await access.provider.deny(await this.denialsOf(organisationId, access));
    } catch (error) {
      this.logger.warn({ err: error, revocation: id }, 'a storage did not take a denial, trying again');
      await this.dataSource.query(
        'UPDATE credential.revocation SET attempts = attempts + 1, last_error = $2 WHERE id = $1',
        [id, providerCodeOf(error)],
      );
      return;
    }
    await this.dataSource.query(
      `UPDATE credential.revocation
          SET state = 'denied', denied_at = clock_timestamp(), attempts = attempts + 1, last_error = NULL,
              next_action_at = NULL
        WHERE id = $1 AND state = 'pending'`,
      [id],
    );
  }

  /** All that was called back lately from docks that use this storage: a role has one list for all of them. */
  private async denialsOf(organisationId: string, access: StorageAccess): Promise<Denial[]> {
    const shared = access.chosenBy === 'deployment';
    const rows = await this.dataSource.query<Pick<RevocationRow, 'organisation_id' | 'dock_sn' | 'not_before'>[]>(
      `SELECT organisation_id, dock_sn, max(not_before) AS not_before FROM credential.revocation
        WHERE not_before > clock_timestamp() - make_interval(hours => $1) AND ($2 OR organisation_id = $3)
        GROUP BY organisation_id, dock_sn ORDER BY max(not_before) DESC LIMIT 10000`,
      [DENIED_HOURS, shared, organisationId],
    );
    return rows.map(({ organisation_id, dock_sn, not_before }) => ({
      prefix: ownerPrefixOf(organisation_id, dock_sn),
      notBefore: not_before,
    }));
  }
}

const viewOf = (row: RevocationRow): RevocationView => ({
  id: row.id,
  dockSn: row.dock_sn,
  state: row.state,
  notBefore: row.not_before.toISOString(),
  reason: row.reason,
  revokedBy: row.revoked_by,
  revokedAt: row.revoked_at.toISOString(),
  deniedAt: row.denied_at?.toISOString() ?? null,
  attempts: row.attempts,
  lastError: row.last_error,
});
