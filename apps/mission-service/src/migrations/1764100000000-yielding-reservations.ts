import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Only adds: a service of the previous release knows no export that gives way, and refuses missions over all of them. */
export class YieldingReservations1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.dock_reservation
        -- An export of logs that makes way for a mission.
        ADD COLUMN yields       boolean     NOT NULL DEFAULT false,
        -- It was told to. It stands in the way of no plan any more, but of a claim until it is gone.
        ADD COLUMN withdrawn_at timestamptz,
        -- By when it was told to have ended; it is told again only for an earlier instant.
        ADD COLUMN needed_at    timestamptz,
        -- Of the take; a release that is late gives back nothing that was taken after it.
        ADD COLUMN generation   integer     NOT NULL DEFAULT 0,
        DROP CONSTRAINT dock_reservation_one_at_a_time,
        ADD CONSTRAINT dock_reservation_one_at_a_time
          EXCLUDE USING gist (dock_sn WITH =, during WITH &&) WHERE (withdrawn_at IS NULL);
      -- Whoever asks who has a dock asks for withdrawn ones, too: the index of the constraint does not serve him any more.
      CREATE INDEX dock_reservation_dock ON mission.dock_reservation USING gist (dock_sn, during);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM mission.dock_reservation WHERE withdrawn_at IS NOT NULL;
      DROP INDEX mission.dock_reservation_dock;
      ALTER TABLE mission.dock_reservation
        DROP CONSTRAINT dock_reservation_one_at_a_time,
        ADD CONSTRAINT dock_reservation_one_at_a_time EXCLUDE USING gist (dock_sn WITH =, during WITH &&),
        DROP COLUMN generation,
        DROP COLUMN needed_at,
        DROP COLUMN withdrawn_at,
        DROP COLUMN yields;
    `);
  }
}
