import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The planned duration of a mission: that of its wayline, and the way from its dock and back. Null for missions of the
 * previous release, also for those that its replicas insert beside this one: then that of the wayline counts.
 */
export class PlannedDurations1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Not valid: to look at the rows that are there, all of them null, would lock everybody out meanwhile.
      ALTER TABLE mission.mission ADD COLUMN planned_duration_ms integer,
        ADD CONSTRAINT mission_planned_duration_ms_check CHECK (planned_duration_ms >= 0) NOT VALID;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE mission.mission DROP COLUMN planned_duration_ms;');
  }
}
