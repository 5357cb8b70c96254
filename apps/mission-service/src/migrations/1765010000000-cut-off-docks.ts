import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Until when starts on a dock are held back because fleet-service cuts it off. Additive: a replica of the previous release
 * does not read it, and does not answer the question by which it is written, which counts as no.
 */
export class CutOffDocks1765010000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.dock
        -- Number of the cut-off, by fleet-service; greater for a later one.
        ADD COLUMN cut_off_id bigint,
        ADD COLUMN cut_off_until timestamptz;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE mission.dock DROP COLUMN cut_off_id, DROP COLUMN cut_off_until;');
  }
}
