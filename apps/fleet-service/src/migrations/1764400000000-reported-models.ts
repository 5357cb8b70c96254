import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which models docks report of themselves and of their aircraft. Keys are `domain-type-sub_type`. */
export class ReportedModels1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Null: no topology named it yet.
      ALTER TABLE fleet.aircraft ADD COLUMN model_key text;
      ALTER TABLE fleet.dock
        -- As its last topology named it.
        ADD COLUMN reported_model_key       text,
        -- As the dock named them when it was bound; its first topology comes after that.
        ADD COLUMN bound_model_key          text,
        ADD COLUMN bound_aircraft_sn        text,
        ADD COLUMN bound_aircraft_model_key text;

      -- A dock that stays connected during the upgrade sends no new topology.
      UPDATE fleet.dock SET reported_model_key = format('3-%s-%s', topology->>'type', topology->>'sub_type')
       WHERE coalesce(topology->>'domain', '3') = '3' AND topology ? 'type' AND topology ? 'sub_type';
      UPDATE fleet.aircraft AS a SET model_key = format('0-%s-%s', s->>'type', s->>'sub_type')
        FROM fleet.dock d, jsonb_array_elements(d.topology->'sub_devices') AS s
       WHERE d.sn = a.dock_sn AND s->>'sn' = a.sn AND coalesce(s->>'domain', '0') = '0'
         AND s ? 'type' AND s ? 'sub_type';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE fleet.dock
        DROP COLUMN reported_model_key, DROP COLUMN bound_model_key, DROP COLUMN bound_aircraft_sn, DROP COLUMN bound_aircraft_model_key;
      ALTER TABLE fleet.aircraft DROP COLUMN model_key;
    `);
  }
}
