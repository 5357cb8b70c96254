import { inboxOutboxTables } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateFleet1763683200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.organisation (
        id         uuid        PRIMARY KEY,
        name       text        NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      -- One organisation for now; every row already belongs to one.
      INSERT INTO fleet.organisation (id, name) VALUES (gen_random_uuid(), 'default');

      CREATE TABLE fleet.api_key (
        id              uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        name            text        NOT NULL,
        -- sha256 of the whole key. Keys are 32 random bytes, so a slow hash would protect nothing.
        secret_hash     bytea       NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        revoked_at      timestamptz
      );
      CREATE INDEX api_key_organisation ON fleet.api_key (organisation_id);

      CREATE TABLE fleet.dock (
        sn                  text        PRIMARY KEY CHECK (sn ~ '^[A-Za-z0-9_-]{1,64}$'),
        organisation_id     uuid        NOT NULL REFERENCES fleet.organisation (id),
        model               text        NOT NULL CHECK (model IN ('dock1', 'dock2', 'dock3')),
        protocol_generation text        NOT NULL,
        name                text        NOT NULL,
        -- sha256 of the one-time code with which the dock binds itself; null once it has.
        binding_code_hash   bytea,
        bound_at            timestamptz,
        -- Null until the broker has a user for it; until then it is not registered.
        provisioned_at      timestamptz,
        -- The last topology that the dock told, as normalised.
        topology            jsonb,
        topology_at         timestamptz,
        created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at          timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX dock_list ON fleet.dock (organisation_id, created_at DESC, sn);

      -- Which dock speaks for an aircraft. One row for an aircraft: it is in one place.
      CREATE TABLE fleet.aircraft (
        sn              text        PRIMARY KEY CHECK (sn ~ '^[A-Za-z0-9_-]{1,64}$'),
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        dock_sn         text        NOT NULL REFERENCES fleet.dock (sn) ON DELETE CASCADE,
        -- False once its dock told a topology without it; only then may another dock claim it.
        online          boolean     NOT NULL,
        -- The broker lets the dock publish under this serial number.
        granted_at      timestamptz,
        updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX aircraft_dock ON fleet.aircraft (dock_sn);

      -- Properties that devices send only when they change. The live hash in Redis is filled from here.
      CREATE TABLE fleet.device_property (
        sn          text        NOT NULL,
        property    text        NOT NULL,
        value       jsonb       NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (sn, property)
      );

      -- Messages of docks that no service asked for: kept, so that nothing that a dock says is lost.
      CREATE TABLE fleet.kept_message (
        id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organisation_id uuid        REFERENCES fleet.organisation (id),
        sn              text        NOT NULL,
        channel         text        NOT NULL,
        method          text,
        raw             text        NOT NULL,
        received_at     timestamptz NOT NULL
      );
      CREATE INDEX kept_message_received_at ON fleet.kept_message (received_at);
    `);
    await runner.query(inboxOutboxTables('fleet'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE fleet.outbox, fleet.inbox, fleet.kept_message, fleet.device_property, fleet.aircraft, fleet.dock,
        fleet.api_key, fleet.organisation;
    `);
  }
}
