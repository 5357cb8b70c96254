import { randomUUID } from 'node:crypto';
import { DockRecord, type Principal, callerName } from '@aerie/bus-contract';
import { type Page, type Position, notThere, toPage } from '@aerie/http-api';
import { ConflictError, UnavailableError } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import { type Databases, inTransaction, wholeOf } from '@aerie/persistence';
import { fitDenials } from '../keys/denial-policy.js';
import { ownerPrefixOf } from '../keys/object-prefix.js';
import { providerCodeOf } from '../providers/provider-error.js';
import type { Denial } from '../providers/storage.provider.js';
import type { StorageAccess, Storages } from '../storages/storage-access.js';
import type { RevocationView } from './revocation.schema.js';

export interface RevokeRequest {
  /** Null: all docks of the organisation. */
  readonly dockSn: string | null;
  /** The dock need not be registered: it was, and its keys may still live. */
  readonly formerDock: boolean;
  readonly reason: string;
}

/** Null: no registered dock. Rejects when nobody can say. */
export interface FindDock {
  find(sn: string): Promise<DockRecord | null>;
}

interface RevocationRow {
  readonly id: string;
  readonly organisation_id: string;
  readonly dock_sn: string | null;
  readonly storage_version: number;
  readonly untold: readonly { readonly storageVersion: number; readonly keysUntil: string }[];
  readonly not_before: Date;
  readonly reason: string;
  readonly revoked_by: string;
  readonly revoked_at: Date;
  readonly state: RevocationView['state'];
  readonly denied_at: Date | null;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly position: string;
}

type Due = Pick<RevocationRow, 'id' | 'organisation_id' | 'storage_version'>;

/** The longest life of keys, and an hour for clocks that differ: what was made before needs no denial any more. */
const DENIED_HOURS = 13;
/** Docks that are called back one by one in that time; a policy holds no more, and then it is all of them. */
const MOST_DOCKS = 8;
/** A provider that does not answer is asked again after this, and twice as long each time up to a minute. */
const RETRY_SECONDS = 5;
const LONGEST_RETRY_SECONDS = 60;
const SWEPT_AT_ONCE = 50;
/** Other replicas write to the same policy; more rounds than that would be a quarrel. */
const ROUNDS = 5;

const SELECT = `SELECT *, to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
  FROM credential.revocation`;

/**
 * Calls keys back: those that are remembered are given out no more from the commit on, in every replica, and the
 * provider is told to refuse all that were made before.
 *
 * INVARIANTS: a row is pending until the storage that it names has taken the denial, and any replica goes on trying;
 * what the provider gets is the whole list of the last hours, and a row counts as denied only once the list that was
 * written is still the list that there is: two calls that cross are written again.
 */
export class RevokeKeys {
  constructor(
    private readonly databases: Databases,
    private readonly storages: Storages,
    private readonly docks: FindDock,
    private readonly logger: Logger,
  ) {}

  /** @throws ConflictError where it cannot be done so, NotFoundError for an unknown dock; nothing is written then */
  async execute(caller: Principal, request: RevokeRequest): Promise<RevocationView> {
    const { organisationId } = caller;
    const { dockSn, formerDock, reason } = request;
    if (dockSn !== null && !formerDock) await this.checkDock(organisationId, dockSn);
    const access = await this.storages.of(organisationId);
    checkSupport(access);
    if (dockSn !== null) await this.checkCount(organisationId);
    const id = randomUUID();
    const own = this.databases.api.of(wholeOf(organisationId));
    // Providers know whole seconds of a token's birth: what is made within two seconds from now falls with the rest.
    await own.run(
      `INSERT INTO credential.revocation (id, organisation_id, dock_sn, storage_version, not_before, reason, revoked_by,
         state, next_action_at, untold)
       VALUES ($1, $2, $3, $4, date_trunc('second', clock_timestamp()) + interval '2 seconds', $5, $6, 'pending',
         clock_timestamp() + make_interval(secs => $7),
         coalesce((SELECT jsonb_agg(jsonb_build_object('storageVersion', storage_version, 'keysUntil', keys_until))
                     FROM (SELECT storage_version, max(expires_at) AS keys_until FROM credential.issue
                            WHERE organisation_id = $2 AND kind = 'keys' AND expires_at > clock_timestamp()
                              AND ($3::text IS NULL OR dock_sn = $3) AND storage_version <> $4
                            GROUP BY storage_version) AS other), '[]'))`,
      [id, organisationId, dockSn, access.version, reason, callerName(caller), RETRY_SECONDS],
    );
    const prefix = ownerPrefixOf(organisationId, dockSn);
    access.keys.forget((name) => name.startsWith(prefix));
    await this.apply([id], organisationId, access);
    const [row] = await own.query<RevocationRow>(`${SELECT} WHERE id = $1`, [id]);
    if (row === undefined) throw new Error('a revocation is not there that was just written');
    return viewOf(row);
  }

  async list(organisationId: string, limit: number, after: Position | null): Promise<Page<RevocationView>> {
    const rows = await this.databases.api.of(wholeOf(organisationId)).query<RevocationRow>(
      `${SELECT}
        WHERE organisation_id = $1 AND ($2::timestamptz IS NULL OR (revoked_at, id) < ($2, $3::uuid))
        ORDER BY revoked_at DESC, id DESC LIMIT $4`,
      [organisationId, after?.createdAt ?? null, after?.id ?? null, limit + 1],
    );
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), viewOf);
  }

  /** A misspelt serial number must not look like a dock whose keys are revoked. */
  private async checkDock(organisationId: string, dockSn: string): Promise<void> {
    const dock = await this.docks.find(dockSn).catch((error: unknown) => {
      // Keys of a stolen dock are revoked also while nobody can say which docks there are.
      this.logger.warn({ err: error, dockSn }, 'dock lookup failed: revoking its keys all the same');
      return undefined;
    });
    if (dock === undefined || dock?.organisationId === organisationId) return;
    throw notThere({
      ...{ code: 'unknown_dock', noun: 'registered dock', field: 'dockSn', sent: dockSn },
      advice: 'GET /api/v1/docks lists the docks; for one that was removed send formerDock: true',
    });
  }

  private async checkCount(organisationId: string): Promise<void> {
    const [row] = await this.databases.api.of(wholeOf(organisationId)).query<{ count: number }>(
      `SELECT count(DISTINCT dock_sn)::integer AS count FROM credential.revocation
        WHERE organisation_id = $1 AND dock_sn IS NOT NULL
          AND not_before > clock_timestamp() - make_interval(hours => $2)`,
      [organisationId, DENIED_HOURS],
    );
    if ((row?.count ?? 0) < MOST_DOCKS) return;
    throw new ConflictError('too_many_revocations', 'the keys of many docks were called back one by one lately', {
      details: {
        reason: `call all docks of the organisation back at once, by leaving dockSn out (${MOST_DOCKS} at most)`,
      },
    });
  }

  /** Tells providers what they have not taken yet. Every replica looks for it. */
  async sweep(): Promise<void> {
    await this.abandonOld();
    const due = await this.takeDue();
    const byOrganisation = new Map<string, Due[]>();
    for (const row of due) {
      byOrganisation.set(row.organisation_id, [...(byOrganisation.get(row.organisation_id) ?? []), row]);
    }
    // One that cannot be told keeps no other waiting.
    await Promise.all([...byOrganisation].map(([organisationId, rows]) => this.retry(organisationId, rows)));
  }

  /** By now the keys have ended by themselves. */
  private async abandonOld(): Promise<void> {
    await this.databases.engine.query(
      `UPDATE credential.revocation SET state = 'abandoned', next_action_at = NULL
        WHERE state = 'pending' AND revoked_at < clock_timestamp() - make_interval(hours => $1)`,
      [DENIED_HOURS],
    );
  }

  private takeDue(): Promise<Due[]> {
    return inTransaction(this.databases.engine, (tx) =>
      tx.query<Due>(
        `UPDATE credential.revocation
            SET next_action_at = clock_timestamp() + make_interval(secs => least($1, $2 * power(2, least(attempts, 10))))
          WHERE id IN (SELECT id FROM credential.revocation
                        WHERE state = 'pending' AND next_action_at <= clock_timestamp()
                        ORDER BY next_action_at LIMIT $3 FOR UPDATE SKIP LOCKED)
          RETURNING id, organisation_id, storage_version`,
        [LONGEST_RETRY_SECONDS, RETRY_SECONDS, SWEPT_AT_ONCE],
      ),
    );
  }

  private async retry(organisationId: string, rows: readonly Due[]): Promise<void> {
    try {
      const access = await this.storages.of(organisationId);
      const replaced = rows.filter(({ storage_version }) => storage_version !== access.version);
      await this.databases.engine.query(
        `UPDATE credential.revocation SET state = 'abandoned', next_action_at = NULL, last_error = 'StorageReplaced'
          WHERE id = ANY($1::uuid[]) AND state = 'pending'`,
        [replaced.map(({ id }) => id)],
      );
      const ids = rows.filter((row) => !replaced.includes(row)).map(({ id }) => id);
      if (ids.length > 0) await this.apply(ids, organisationId, access);
    } catch (error) {
      this.logger.warn({ err: error, organisationId }, 'failed to call keys back, trying again');
    }
  }

  /** Tells the provider. Never rejects because of the provider: the rows stay pending, and are found again. */
  private async apply(ids: readonly string[], organisationId: string, access: StorageAccess): Promise<void> {
    try {
      await this.tell(organisationId, access);
    } catch (error) {
      this.logger.warn({ err: error, organisationId }, 'a storage did not take a denial, trying again');
      await this.databases.engine.query(
        'UPDATE credential.revocation SET attempts = attempts + 1, last_error = $2 WHERE id = ANY($1::uuid[])',
        [ids, providerCodeOf(error)],
      );
      return;
    }
    await this.databases.engine.query(
      `UPDATE credential.revocation
          SET state = 'denied', denied_at = clock_timestamp(), attempts = attempts + 1, last_error = NULL,
              next_action_at = NULL
        WHERE id = ANY($1::uuid[]) AND state = 'pending'`,
      [ids],
    );
  }

  /** Writes the list until it is still the list after it was written. */
  private async tell(organisationId: string, access: StorageAccess): Promise<void> {
    const owner = access.chosenBy === 'deployment' ? null : organisationId;
    for (let round = 1; round <= ROUNDS; round++) {
      const wanted = await this.denialsOf(organisationId, access);
      const fitting = fitDenials(access.storage.bucket, wanted);
      if (fitting === null) throw new UnavailableError('policy_full', 'more was called back than one policy holds');
      await this.writeWidened(wanted, fitting, access);
      await access.provider.deny(fitting, owner);
      const now = fitDenials(access.storage.bucket, await this.denialsOf(organisationId, access));
      if (JSON.stringify(now) === JSON.stringify(fitting)) return;
    }
    throw new UnavailableError('policy_changes', 'others go on calling keys back');
  }

  /** What is denied to all docks of an organisation must be given out to none of them. */
  private async writeWidened(
    wanted: readonly Denial[],
    fitting: readonly Denial[],
    access: StorageAccess,
  ): Promise<void> {
    const asked = new Set(wanted.map(({ prefix }) => prefix));
    for (const { prefix, notBefore } of fitting) {
      if (asked.has(prefix)) continue;
      await this.databases.engine.query(
        `INSERT INTO credential.revocation (id, organisation_id, dock_sn, storage_version, not_before, reason, revoked_by,
           state, denied_at)
         VALUES ($1, $2, NULL, $3, $4, 'too many docks for one policy: all are called back', 'aerie', 'denied',
           clock_timestamp())`,
        [randomUUID(), prefix.split('/')[1], access.version, notBefore],
      );
      access.keys.forget((name) => name.startsWith(prefix));
    }
  }

  /** All that was called back lately from docks that use this storage: a role has one list for all of them. */
  private async denialsOf(organisationId: string, access: StorageAccess): Promise<Denial[]> {
    const shared = access.chosenBy === 'deployment';
    const rows = await this.databases.engine.query<Pick<RevocationRow, 'organisation_id' | 'dock_sn' | 'not_before'>[]>(
      `SELECT organisation_id, dock_sn, max(not_before) AS not_before FROM credential.revocation
        WHERE not_before > clock_timestamp() - make_interval(hours => $1)
          AND storage_version = $2 AND ($3 OR organisation_id = $4)
        GROUP BY organisation_id, dock_sn ORDER BY organisation_id, dock_sn`,
      [DENIED_HOURS, access.version, shared, organisationId],
    );
    return rows.map(({ organisation_id, dock_sn, not_before }) => ({
      prefix: ownerPrefixOf(organisation_id, dock_sn),
      notBefore: not_before,
    }));
  }
}

function checkSupport({ provider, storage }: StorageAccess): void {
  const support = provider.denialSupport;
  if (support.supported) return;
  throw new ConflictError('revocation_not_supported', 'the storage cannot call keys back before they end', {
    details: { reason: support.reason, keysLiveSeconds: storage.lifetimeSeconds },
  });
}

const viewOf = (row: RevocationRow): RevocationView => ({
  id: row.id,
  dockSn: row.dock_sn,
  state: row.state,
  storageVersion: row.storage_version,
  untold: row.untold.map(({ storageVersion, keysUntil }) => ({
    storageVersion,
    keysUntil: new Date(keysUntil).toISOString(),
  })),
  notBefore: row.not_before.toISOString(),
  reason: row.reason,
  revokedBy: row.revoked_by,
  revokedAt: row.revoked_at.toISOString(),
  deniedAt: row.denied_at?.toISOString() ?? null,
  attempts: row.attempts,
  lastError: row.last_error,
});
