import { makeIndex } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What retention needs to find old rows. Additive: a replica of the previous release writes no column that is new. */
export class Retention1764900000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE log.upload
        -- When retention began to delete the detail of the upload: its timeline and its commands.
        ADD COLUMN IF NOT EXISTS detail_pruned_at timestamptz,
        -- False once all of it is gone.
        ADD COLUMN IF NOT EXISTS detail_kept      boolean NOT NULL DEFAULT true;
    `);
    // Uploads that ended, the oldest first.
    const on = 'upload (since) WHERE next_action_at IS NULL AND detail_kept';
    await makeIndex(runner, { schema: 'log', name: 'upload_ended', on });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX log.upload_ended;
      ALTER TABLE log.upload DROP COLUMN detail_kept, DROP COLUMN detail_pruned_at;
    `);
  }
}
