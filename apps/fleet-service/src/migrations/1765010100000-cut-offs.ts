import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Docks that are cut off at the broker, with those that were. Additive: a replica of the previous release does not read
 * it. Before a step back end the cut-offs (`POST /docks/{sn}/cut-off/end`): the older release lets no dock in again.
 */
export class CutOffs1765010100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.cut_off (
        id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        dock_sn         text        NOT NULL REFERENCES fleet.dock (sn) ON DELETE CASCADE,
        reason          text        NOT NULL,
        -- When an ingress last said that the dock floods.
        reported_at     timestamptz NOT NULL,
        -- Since when mission-service may hold starts back for it; null: it was not asked.
        asked_at        timestamptz,
        -- Null: mission-service has not said yes.
        since           timestamptz,
        -- When the dock comes back by itself. Null once it is cut off: a person keeps it out.
        until           timestamptz,
        ended_at        timestamptz,
        ended_by        text CHECK (ended_by IN ('time', 'person', 'calm', 'retired')),
        -- Broker and mission-service do what this row says. Null: they still have to be told.
        settled_at      timestamptz,
        -- It is over, and they were told.
        closed_at       timestamptz,
        -- Grows with each decision and each lease: who acts for an older one writes nothing.
        revision        integer     NOT NULL DEFAULT 1,
        next_action_at  timestamptz,
        CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
        -- Nothing is forgotten: until it is closed something is due, but for a dock that a person keeps out.
        CHECK (closed_at IS NOT NULL OR next_action_at IS NOT NULL OR (since IS NOT NULL AND until IS NULL AND settled_at IS NOT NULL))
      );
      -- One at a time: the end of the last one must have reached the broker before the next begins.
      CREATE UNIQUE INDEX cut_off_open ON fleet.cut_off (dock_sn) WHERE closed_at IS NULL;
      CREATE INDEX cut_off_due ON fleet.cut_off (next_action_at) WHERE next_action_at IS NOT NULL;
      CREATE INDEX cut_off_history ON fleet.cut_off (dock_sn, id DESC);
      CREATE INDEX cut_off_organisation ON fleet.cut_off (organisation_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE fleet.cut_off;');
  }
}
