import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keeps the last known position of each dock. Additive: replicas of the previous release neither read nor write it. */
export class DockPositions1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE fleet.dock
        -- Degrees; all four are null while the position is unknown.
        ADD COLUMN latitude        double precision,
        ADD COLUMN longitude       double precision,
        ADD COLUMN position_source text,
        ADD COLUMN position_set_at timestamptz,
        ADD CONSTRAINT dock_position_is_whole CHECK (
          num_nulls(latitude, longitude, position_source, position_set_at) IN (0, 4)),
        ADD CONSTRAINT dock_position_is_on_earth CHECK (
          latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180),
        ADD CONSTRAINT dock_position_source_is_known CHECK (position_source IN ('dock', 'operator'));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE fleet.dock DROP COLUMN latitude, DROP COLUMN longitude, DROP COLUMN position_source,
        DROP COLUMN position_set_at;
    `);
  }
}
