import { type Secret, UnavailableError } from '@aerie/kernel';
import { type ApiDatabase, type Tx, inTransaction } from '@aerie/persistence';
import { LRUCache } from 'lru-cache';
import type { KeyRing } from '@aerie/sealing';
import type { ChosenStorage, ProviderName, Storage } from './storage.js';

interface StorageRow {
  readonly revision: number;
  readonly provider: ProviderName;
  readonly dock_endpoint: string;
  readonly service_endpoint: string;
  readonly sts_endpoint: string | null;
  readonly iam_endpoint: string | null;
  readonly region: string;
  readonly bucket: string;
  readonly path_style: boolean;
  readonly role_arn: string;
  readonly external_id: string | null;
  readonly access_key_id: string;
  readonly secret_key_id: string;
  readonly secret_sealed: Buffer;
  readonly lifetime_seconds: number;
}

const COLUMNS = `revision, provider, dock_endpoint, service_endpoint, sts_endpoint, iam_endpoint, region, bucket,
  path_style, role_arn, external_id, access_key_id, secret_key_id, secret_sealed, lifetime_seconds`;

/** What an organisation has chosen, as far as a change of it has to know. */
export interface PresentStorage {
  /** 0: the storage of the deployment. */
  readonly version: number;
  /** Null: the storage of the deployment. */
  readonly address: Omit<Storage, 'secretAccessKey'> | null;
  /** @throws UnavailableError where it does not open */
  readonly openSecret: () => Promise<Secret>;
}

/** A change works within this time in every replica. */
const CACHE_MS = 2_000;
const CACHED = 10_000;

/** A sealed secret opens in the row of its organisation only. */
const contextOf = (organisationId: string): string => `storage:${organisationId}`;

/** Which storage an organisation uses. Secrets lie sealed in the database, and open in memory. */
export class StorageStore {
  private readonly cache = new LRUCache<string, ChosenStorage>({ max: CACHED, ttl: CACHE_MS });

  constructor(
    private readonly database: ApiDatabase,
    private readonly keyRing: KeyRing,
    private readonly ofDeployment: Storage,
  ) {}

  get deployment(): ChosenStorage {
    return { storage: this.ofDeployment, chosenBy: 'deployment', version: 0 };
  }

  async of(organisationId: string): Promise<ChosenStorage> {
    const known = this.cache.get(organisationId);
    if (known !== undefined) return known;
    const [row] = await this.database
      .of(organisationId)
      .query<StorageRow>(`SELECT ${COLUMNS} FROM credential.storage WHERE organisation_id = $1`, [organisationId])
      .catch((error: unknown) => {
        throw new UnavailableError('storage_unknown', 'failed to look up which storage is used, try again', {
          cause: error,
        });
      });
    const chosen = row === undefined ? this.deployment : await this.chosenOf(organisationId, row);
    this.cache.set(organisationId, chosen);
    return chosen;
  }

  /**
   * Changes, one at a time for an organisation, what it chose. `change` gets what holds now and gives what holds then;
   * null goes back to the storage of the deployment. A secret that does not open (any more) keeps nobody from that.
   */
  async change(
    organisationId: string,
    changedBy: string,
    change: (present: PresentStorage) => Promise<Storage | null>,
    record: (tx: Tx) => Promise<void> = () => Promise.resolve(),
  ): Promise<ChosenStorage> {
    const changed = await inTransaction(this.database.of(organisationId), async (tx) => {
      await tx.run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `credential.${contextOf(organisationId)}`,
      ]);
      const row = await tx.one<StorageRow>(`SELECT ${COLUMNS} FROM credential.storage WHERE organisation_id = $1`, [
        organisationId,
      ]);
      const storage = await change({
        version: row?.revision ?? 0,
        address: row === undefined ? null : addressOf(row),
        openSecret: () =>
          row === undefined ? Promise.reject(new Error('no secret')) : this.secretOf(organisationId, row),
      });
      await record(tx);
      if (storage !== null) return this.write(tx, organisationId, changedBy, storage);
      await tx.run('DELETE FROM credential.storage WHERE organisation_id = $1', [organisationId]);
      return this.deployment;
    });
    this.cache.delete(organisationId);
    return changed;
  }

  private async write(tx: Tx, organisationId: string, changedBy: string, storage: Storage): Promise<ChosenStorage> {
    const version = await tx.one<{ revision: number }>(
      `INSERT INTO credential.storage_revision AS s (organisation_id, revision) VALUES ($1, 1)
       ON CONFLICT (organisation_id) DO UPDATE SET revision = s.revision + 1 RETURNING revision`,
      [organisationId],
    );
    const revision = version?.revision ?? 1;
    const sealed = await this.keyRing.seal(storage.secretAccessKey, contextOf(organisationId));
    const { provider, dockEndpoint, serviceEndpoint, stsEndpoint, iamEndpoint, region, bucket, pathStyle } = storage;
    const deleted = tx.run('DELETE FROM credential.storage WHERE organisation_id = $1', [organisationId]);
    const inserted = tx.run(
      `INSERT INTO credential.storage (organisation_id, revision, provider, dock_endpoint, service_endpoint,
         sts_endpoint, iam_endpoint, region, bucket, path_style, role_arn, external_id, access_key_id, secret_key_id,
         secret_sealed, lifetime_seconds, changed_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
      [
        ...[organisationId, revision, provider, dockEndpoint, serviceEndpoint, stsEndpoint, iamEndpoint],
        ...[region, bucket, pathStyle, storage.roleArn, storage.externalId, storage.accessKeyId],
        ...[sealed.keyId, sealed.bytes, storage.lifetimeSeconds, changedBy],
      ],
    );
    await Promise.all([deleted, inserted]);
    return { storage, chosenBy: 'organisation', version: revision };
  }

  private async chosenOf(organisationId: string, row: StorageRow): Promise<ChosenStorage> {
    const secretAccessKey = await this.secretOf(organisationId, row);
    return { storage: { ...addressOf(row), secretAccessKey }, chosenBy: 'organisation', version: row.revision };
  }

  private secretOf(organisationId: string, row: StorageRow): Promise<Secret> {
    return this.keyRing.open({ keyId: row.secret_key_id, bytes: row.secret_sealed }, contextOf(organisationId));
  }
}

const addressOf = (row: StorageRow): Omit<Storage, 'secretAccessKey'> => ({
  provider: row.provider,
  dockEndpoint: row.dock_endpoint,
  serviceEndpoint: row.service_endpoint,
  stsEndpoint: row.sts_endpoint,
  iamEndpoint: row.iam_endpoint,
  region: row.region,
  bucket: row.bucket,
  pathStyle: row.path_style,
  roleArn: row.role_arn,
  externalId: row.external_id,
  accessKeyId: row.access_key_id,
  lifetimeSeconds: row.lifetime_seconds,
});
