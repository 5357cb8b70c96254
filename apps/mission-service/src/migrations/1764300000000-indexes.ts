import { makeIndex } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes for what read whole tables once there are many rows. Nobody waits while they are made. */
export class Indexes1764300000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    const schema = 'mission';
    // Lists by state: some states are rare.
    const on = 'mission (organisation_id, state, created_at DESC, id DESC)';
    await makeIndex(runner, { schema, name: 'mission_list_of_state', on });
    // Whether a dock is busy, however many missions it has flown.
    const active = `mission (dock_sn) WHERE state IN ('starting', 'executing', 'paused', 'preparing', 'prepared')`;
    await makeIndex(runner, { schema, name: 'mission_active_of_dock', on: active });
    // Old keys are deleted each minute.
    await makeIndex(runner, { schema, name: 'idempotency_key_created_at', on: 'idempotency_key (created_at)' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX mission.idempotency_key_created_at, mission.mission_active_of_dock, mission.mission_list_of_state;
    `);
  }
}
