import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What retention needs to find old rows. Additive: a replica of the previous release writes no column that is new. */
export class Retention1764900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE log.upload
        -- When retention began to delete the detail of the upload: its timeline and its commands.
        ADD COLUMN detail_pruned_at timestamptz,
        -- False once all of it is gone.
        ADD COLUMN detail_kept      boolean NOT NULL DEFAULT true;

      -- Uploads that ended, the oldest first.
      CREATE INDEX upload_ended ON log.upload (since) WHERE next_action_at IS NULL AND detail_kept;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX log.upload_ended;
      ALTER TABLE log.upload DROP COLUMN detail_kept, DROP COLUMN detail_pruned_at;
    `);
  }
}
