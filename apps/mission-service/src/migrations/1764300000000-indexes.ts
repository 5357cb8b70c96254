import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes for what read whole tables once there are many rows. Writers wait while they are made: seconds for millions. */
export class Indexes1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Lists by state: some states are rare.
      CREATE INDEX mission_list_of_state ON mission.mission (organisation_id, state, created_at DESC, id DESC);
      -- Whether a dock is busy, however many missions it has flown.
      CREATE INDEX mission_active_of_dock ON mission.mission (dock_sn)
        WHERE state IN ('starting', 'executing', 'paused', 'preparing', 'prepared');
      -- Old keys are deleted each minute.
      CREATE INDEX idempotency_key_created_at ON mission.idempotency_key (created_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX mission.idempotency_key_created_at, mission.mission_active_of_dock, mission.mission_list_of_state;
    `);
  }
}
