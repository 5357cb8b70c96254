import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Alarms of docks and aircraft, open and closed. Additive: a replica of the previous release does not read it. */
export class Alarms1765952000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.alarm (
        id              uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        -- The dock that spoke, for itself or for its aircraft.
        dock_sn         text        NOT NULL REFERENCES fleet.dock (sn) ON DELETE CASCADE,
        device_sn       text        NOT NULL,
        code            text        NOT NULL,
        component_index bigint,
        sensor_index    bigint,
        module          bigint,
        device_type     text,
        level           bigint,
        in_the_sky      boolean     NOT NULL,
        imminent        boolean     NOT NULL,
        opened_at       timestamptz NOT NULL,
        -- While it is open exact to ten minutes.
        seen_at         timestamptz NOT NULL,
        closed_at       timestamptz,
        times           integer     NOT NULL,
        -- When the list came that changed it last: an older one changes nothing.
        heard_at        timestamptz NOT NULL,
        acknowledged_at timestamptz,
        acknowledged_by text,
        note            text,
        -- A member of the organisation. One who has left is shown as nobody.
        assigned_to     uuid,
        CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
      );
      -- One at a time.
      CREATE UNIQUE INDEX alarm_open ON fleet.alarm (device_sn, dock_sn, code, coalesce(component_index, -1), coalesce(sensor_index, -1))
        WHERE closed_at IS NULL;
      CREATE INDEX alarm_heard ON fleet.alarm (dock_sn, device_sn, heard_at DESC);
      CREATE INDEX alarm_list ON fleet.alarm (organisation_id, opened_at DESC, id DESC);
      CREATE INDEX alarm_list_open ON fleet.alarm (organisation_id, opened_at DESC, id DESC) WHERE closed_at IS NULL;
      CREATE INDEX alarm_of_dock ON fleet.alarm (dock_sn, opened_at DESC, id DESC);
      CREATE INDEX alarm_open_of_dock ON fleet.alarm (dock_sn) WHERE closed_at IS NULL;
      CREATE INDEX alarm_closed ON fleet.alarm (closed_at) WHERE closed_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE fleet.alarm');
  }
}
