import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Principal } from '@aerie/bus-contract';
import { isUuid } from '@aerie/kernel';
import { inTransaction } from '@aerie/persistence';
import { DataSource } from 'typeorm';

/** `aerie_<id>_<secret>`: the id finds the row, the whole text is hashed. The prefix lets leak scanners find it. */
const PREFIX = 'aerie';

/** API keys. A key is shown once, when it is made; only its hash is kept. */
export class ApiKeyStore {
  constructor(private readonly dataSource: DataSource) {}

  async create(name: string, replace: boolean): Promise<string> {
    const id = randomUUID();
    const key = `${PREFIX}_${id}_${randomBytes(32).toString('base64url')}`;
    await inTransaction(this.dataSource, async (tx) => {
      const organisation = await tx.one<{ id: string }>(
        'SELECT id FROM fleet.organisation ORDER BY created_at LIMIT 1',
      );
      if (replace) {
        await tx.run(
          `UPDATE fleet.api_key SET revoked_at = clock_timestamp()
            WHERE organisation_id = $1 AND name = $2 AND revoked_at IS NULL`,
          [organisation?.id, name],
        );
      }
      await tx.run('INSERT INTO fleet.api_key (id, organisation_id, name, secret_hash) VALUES ($1, $2, $3, $4)', [
        id,
        organisation?.id,
        name,
        hashOf(key),
      ]);
    });
    return key;
  }

  /** Who holds the key, or null. Takes as long for a wrong secret as for a right one. */
  async verify(key: string): Promise<Principal | null> {
    const [prefix, id] = key.split('_');
    if (prefix !== PREFIX || id === undefined || !isUuid(id)) return null;
    const rows = await this.dataSource.query<{ organisation_id: string; secret_hash: Buffer }[]>(
      'SELECT organisation_id, secret_hash FROM fleet.api_key WHERE id = $1 AND revoked_at IS NULL',
      [id],
    );
    const row = rows[0];
    if (row === undefined || !timingSafeEqual(row.secret_hash, hashOf(key))) return null;
    return { keyId: id, organisationId: row.organisation_id };
  }
}

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
