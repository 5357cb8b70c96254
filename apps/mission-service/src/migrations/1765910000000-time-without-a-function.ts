import { replaceIndex } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The index for lists by time, with the time put as the lists put it now: under policies an index is used for a comparison
 * only where PostgreSQL knows that nothing leaks by it, and of COALESCE it does not know. A replica of the previous release
 * that lists by time sorts the missions of the organisation. Nobody waits while the index is made; its way back keeps writers
 * waiting, seconds for millions.
 */
export class TimeWithoutAFunction1765910000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await replaceIndex(runner, {
      schema: 'mission',
      name: 'mission_by_time',
      on: 'mission (organisation_id, (CASE WHEN execute_at IS NULL THEN created_at ELSE execute_at END), id)',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX mission.mission_by_time;
      CREATE INDEX mission_by_time ON mission.mission (organisation_id, (coalesce(execute_at, created_at)), id);
    `);
  }
}
