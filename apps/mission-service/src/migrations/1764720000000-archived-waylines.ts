import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Waylines that are not to be planned any more. Additive: a replica of the previous release still lists and plans them. */
export class ArchivedWaylines1764720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE mission.wayline ADD COLUMN archived_at timestamptz;');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE mission.wayline DROP COLUMN archived_at;');
  }
}
