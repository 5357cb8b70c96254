import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Docks that were retired, and a record of who held which aircraft. Additive. A replica of the previous release shows
 * retired docks until it is gone; the broker refuses them all the same.
 */
export class DocksMoveOn1764710000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE fleet.dock ADD COLUMN retired_at timestamptz;

      -- One row each time that an aircraft changes its dock, newest kept (see MAX_MOVES of its writer).
      CREATE TABLE fleet.aircraft_move (
        id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        aircraft_sn     text        NOT NULL,
        -- Null: it was in no dock before, or is in none since. No foreign keys: the record outlives a corrected number.
        from_dock_sn    text,
        to_dock_sn      text,
        reason          text        NOT NULL
          CHECK (reason IN ('named', 'released', 'registeredAsDock', 'dockRetired')),
        moved_at        timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX aircraft_move_from ON fleet.aircraft_move (from_dock_sn, id DESC);
      CREATE INDEX aircraft_move_to ON fleet.aircraft_move (to_dock_sn, id DESC);
      CREATE INDEX aircraft_move_organisation ON fleet.aircraft_move (organisation_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE fleet.aircraft_move;
      ALTER TABLE fleet.dock DROP COLUMN retired_at;
    `);
  }
}
