import { deleteObjectsQuestion } from '@aerie/bus-contract';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';

/** As many as one question takes. */
const BATCH = 20;
/** Before what the storage did not give up is asked for again. */
const AGAIN_MS = 60 * 60_000;

interface OldFile {
  readonly id: string;
  readonly organisation_id: string;
  readonly object_key: string;
}

/**
 * Deletes the content of files that are older than their organisation wants to keep. The row stays and says so. Objects
 * first, then the rows: what is deleted twice is deleted once.
 */
export class DeleteOldFiles {
  constructor(
    private readonly dataSource: DatabaseOf<'engine'>,
    private readonly connection: NatsConnection,
    private readonly logger: Logger,
  ) {}

  async run(): Promise<number> {
    const due = await this.dataSource.query<OldFile[]>(
      `SELECT f.id, f.organisation_id, f.object_key
         FROM log.policy p
         JOIN LATERAL (SELECT * FROM log.file f
                        WHERE f.organisation_id = p.organisation_id AND f.deleted_at IS NULL
                          AND f.stored_at < now() - p.retention_days * interval '1 day'
                          AND (f.delete_again_at IS NULL OR f.delete_again_at <= now())
                        ORDER BY f.delete_again_at NULLS FIRST, f.stored_at LIMIT $1) AS f ON true
        WHERE p.retention_days IS NOT NULL`,
      [BATCH],
    );
    const byOrganisation = new Map<string, OldFile[]>();
    for (const file of due)
      byOrganisation.set(file.organisation_id, [...(byOrganisation.get(file.organisation_id) ?? []), file]);
    let deleted = 0;
    for (const [organisationId, files] of byOrganisation) {
      deleted += await this.deleteOf(organisationId, files).catch((error: unknown) => {
        this.logger.warn(
          { err: error, organisationId, files: files.length },
          'failed to delete old logs, trying again',
        );
        return 0;
      });
    }
    return deleted;
  }

  private async deleteOf(organisationId: string, files: readonly OldFile[]): Promise<number> {
    const { deletedKeys } = await ask(this.connection, deleteObjectsQuestion, {
      organisationId,
      objectKeys: files.map(({ object_key }) => object_key),
    });
    return inTransaction(this.dataSource, async (tx) => {
      const isOf = 'organisation_id = $1 AND object_key = ANY($2::text[]) AND deleted_at IS NULL';
      const deleted = await tx.run(`UPDATE log.file SET deleted_at = clock_timestamp() WHERE ${isOf}`, [
        organisationId,
        deletedKeys,
      ]);
      // A storage may hold on to some, by a lock or a legal hold: they keep no later ones waiting.
      const kept = files.map(({ object_key }) => object_key).filter((key) => !deletedKeys.includes(key));
      await tx.run(
        `UPDATE log.file SET delete_again_at = clock_timestamp() + $3 * interval '1 millisecond' WHERE ${isOf}`,
        [organisationId, kept, AGAIN_MS],
      );
      return deleted;
    });
  }
}
