import { idempotencyTable } from '@aerie/http-api';
import { inboxOutboxTables } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateMission1763683200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- For the exclusion constraint over a text and a range.
      CREATE EXTENSION IF NOT EXISTS btree_gist;

      -- A route, immutable. The bytes lie in object storage under their own hash.
      CREATE TABLE mission.wayline (
        id                  uuid        PRIMARY KEY,
        organisation_id     uuid        NOT NULL,
        name                text        NOT NULL,
        sha256              text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        -- The dock checks it; MD5 is what the protocol asks for, never an identity.
        md5                 text        NOT NULL CHECK (md5 ~ '^[0-9a-f]{32}$'),
        size_bytes          integer     NOT NULL CHECK (size_bytes > 0),
        object_key          text        NOT NULL,
        exit_on_rc_lost     text        NOT NULL CHECK (exit_on_rc_lost IN ('continue', 'executeLostAction')),
        aircraft_model_key  text        NOT NULL,
        planned_duration_ms integer     NOT NULL CHECK (planned_duration_ms >= 0),
        summary             jsonb       NOT NULL,
        warnings            jsonb       NOT NULL,
        -- GeoJSON of what flies.
        route               jsonb       NOT NULL,
        created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (organisation_id, sha256),
        UNIQUE (organisation_id, id)
      );
      CREATE INDEX wayline_list ON mission.wayline (organisation_id, created_at DESC, id DESC);

      -- The docks that have missions. Locking its row comes before locking any of its missions.
      CREATE TABLE mission.dock (
        sn                  text        PRIMARY KEY,
        organisation_id     uuid        NOT NULL,
        model               text        NOT NULL,
        protocol_generation text        NOT NULL,
        -- Last message of the dock that this service handled, to within five seconds.
        heard_at            timestamptz,
        UNIQUE (organisation_id, sn)
      );

      CREATE TABLE mission.mission (
        id                   uuid        PRIMARY KEY,
        organisation_id      uuid        NOT NULL,
        dock_sn              text        NOT NULL,
        wayline_id           uuid        NOT NULL,
        name                 text        NOT NULL,
        kind                 text        NOT NULL CHECK (kind IN ('immediate', 'timed', 'conditional')),
        state                text        NOT NULL CHECK (state IN (
          'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'paused', 'canceling',
          'succeeded', 'partially_done', 'failed', 'rejected', 'canceled', 'timed_out', 'missed', 'outcome_unknown')),
        revision             integer     NOT NULL,
        execute_at           timestamptz,
        prepare_at           timestamptz NOT NULL,
        -- No execute leaves at or after this.
        deadline             timestamptz,
        ready_until          timestamptz,
        prepare_count        integer     NOT NULL,
        -- Number of the execute attempt.
        attempt              integer     NOT NULL,
        undo_count           integer     NOT NULL,
        since                timestamptz NOT NULL,
        started_at           timestamptz,
        heard_at             timestamptz,
        -- When somebody has to look at it again. "Never forgotten" is one index scan over this.
        next_action_at       timestamptz,
        cause_code           text,
        cause_dock_result    integer,
        -- MD5 of the file that the dock accepted; execute is claimed only when it is still the mission's file.
        prepared_fingerprint text,
        rth_altitude_meters  integer     NOT NULL CHECK (rth_altitude_meters BETWEEN 20 AND 1500),
        exit_on_rc_lost      text        NOT NULL CHECK (exit_on_rc_lost IN ('continue', 'executeLostAction')),
        positioning          text        NOT NULL CHECK (positioning IN ('gps', 'rtk')),
        -- Last progress that the dock reported.
        progress             jsonb,
        -- What the dock said of a mission whose outcome had been called unknown.
        resolution           jsonb,
        created_by           text        NOT NULL,
        created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
        FOREIGN KEY (organisation_id, wayline_id) REFERENCES mission.wayline (organisation_id, id),
        FOREIGN KEY (organisation_id, dock_sn) REFERENCES mission.dock (organisation_id, sn),
        CONSTRAINT mission_is_never_forgotten CHECK (
          (next_action_at IS NULL) = (state IN (
            'succeeded', 'partially_done', 'failed', 'rejected', 'canceled', 'timed_out', 'missed', 'outcome_unknown')))
      );
      CREATE INDEX mission_due ON mission.mission (next_action_at) WHERE next_action_at IS NOT NULL;
      CREATE INDEX mission_list ON mission.mission (organisation_id, created_at DESC, id DESC);
      CREATE INDEX mission_of_dock ON mission.mission (dock_sn, created_at DESC);
      -- One flight at a time, whatever any program believes.
      CREATE UNIQUE INDEX mission_one_flight_of_dock ON mission.mission (dock_sn)
        WHERE state IN ('starting', 'executing', 'paused');

      -- One command to a dock and its reply.
      CREATE TABLE mission.dock_call (
        tid             uuid        PRIMARY KEY,
        mission_id      uuid        NOT NULL REFERENCES mission.mission (id),
        dock_sn         text        NOT NULL,
        method          text        NOT NULL,
        -- Attempt of the mission for execute, else 0.
        attempt         integer     NOT NULL,
        claimed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- Nothing leaves at or after this.
        not_after       timestamptz NOT NULL,
        send_outcome    text        CHECK (send_outcome IN ('refused', 'written', 'unknown')),
        send_reason     text,
        sent_at         timestamptz,
        reply_result    integer,
        reply_at        timestamptz,
        -- Set only for commands that are harmless to repeat and that no state of a mission repeats by itself.
        next_attempt_at timestamptz,
        send_count      integer     NOT NULL DEFAULT 0
      );
      CREATE INDEX dock_call_mission ON mission.dock_call (mission_id);
      CREATE INDEX dock_call_repeat ON mission.dock_call (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
      -- Execute is asked for once in an attempt.
      CREATE UNIQUE INDEX dock_call_one_execute ON mission.dock_call (mission_id, attempt)
        WHERE method = 'flighttask_execute';

      -- A dock does one thing at a time; logs are exported under a reservation too.
      CREATE TABLE mission.dock_reservation (
        dock_sn     text      NOT NULL,
        during      tstzrange NOT NULL,
        holder_kind text      NOT NULL CHECK (holder_kind IN ('mission', 'log_upload')),
        holder_id   uuid      NOT NULL,
        PRIMARY KEY (holder_kind, holder_id),
        CONSTRAINT dock_reservation_one_at_a_time EXCLUDE USING gist (dock_sn WITH =, during WITH &&)
      );

      -- Everything that happened to a mission, in order: messages, timers, decisions, refusals.
      CREATE TABLE mission.timeline (
        id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        mission_id uuid        NOT NULL REFERENCES mission.mission (id),
        at         timestamptz NOT NULL DEFAULT clock_timestamp(),
        kind       text        NOT NULL CHECK (kind IN ('decision', 'refusal', 'message_in', 'message_out', 'note')),
        -- Name of the event, message or note.
        what       text        NOT NULL,
        from_state text,
        to_state   text,
        revision   integer,
        detail     jsonb       NOT NULL
      );
      CREATE INDEX timeline_mission ON mission.timeline (mission_id, id);
    `);
    await runner.query(inboxOutboxTables('mission'));
    await runner.query(idempotencyTable('mission'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE mission.idempotency_key, mission.outbox, mission.inbox, mission.timeline, mission.dock_reservation,
        mission.dock_call, mission.mission, mission.dock, mission.wayline;
    `);
  }
}
