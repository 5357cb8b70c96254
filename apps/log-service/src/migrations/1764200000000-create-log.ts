import { idempotencyTable } from '@aerie/http-api';
import { inboxOutboxTables } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLog1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Log uploads over many docks.
      CREATE TABLE log.campaign (
        id               uuid        PRIMARY KEY,
        organisation_id  uuid        NOT NULL,
        name             text        NOT NULL,
        state            text        NOT NULL CHECK (state IN ('running', 'paused', 'finished', 'stopped', 'canceled')),
        revision         integer     NOT NULL,
        -- Which docks were asked for; those that were found are in campaign_dock.
        filter           jsonb       NOT NULL,
        selection        jsonb       NOT NULL,
        docks_per_minute integer     NOT NULL CHECK (docks_per_minute > 0),
        concurrent       integer     NOT NULL CHECK (concurrent > 0),
        bytes_per_second bigint      CHECK (bytes_per_second > 0),
        hours            jsonb,
        threshold        jsonb       NOT NULL,
        -- What had ended when somebody resumed it after failures.
        forgiven         jsonb       NOT NULL DEFAULT '{"done": 0, "failed": 0}',
        next_start_at    timestamptz NOT NULL,
        until_at         timestamptz,
        -- Null once nothing of it runs any more.
        next_action_at   timestamptz,
        cause            text,
        created_by       text        NOT NULL,
        created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK (state NOT IN ('running', 'paused') OR next_action_at IS NOT NULL)
      );
      CREATE INDEX campaign_due ON log.campaign (next_action_at) WHERE next_action_at IS NOT NULL;
      CREATE INDEX campaign_list ON log.campaign (organisation_id, created_at, id);

      -- One request for log files of one dock.
      CREATE TABLE log.upload (
        id                  uuid        PRIMARY KEY,
        organisation_id     uuid        NOT NULL,
        dock_sn             text        NOT NULL,
        aircraft_sn         text,
        model               text        NOT NULL,
        protocol_generation text        NOT NULL,
        origin              text        NOT NULL CHECK (origin IN ('person', 'mission', 'campaign')),
        -- The mission whose failure it was begun for, once for each mission.
        mission_id          uuid,
        -- The mission that its files are shown with.
        attached_to         uuid,
        campaign_id         uuid        REFERENCES log.campaign (id),
        selection           jsonb       NOT NULL,
        state               text        NOT NULL CHECK (state IN (
          'requested', 'listing', 'listed', 'starting', 'pulling', 'zipping', 'uploading', 'stopping', 'verifying',
          'stored', 'partly_stored', 'failed', 'canceled', 'timed_out')),
        revision            integer     NOT NULL,
        files               jsonb       NOT NULL,
        list_count          integer     NOT NULL,
        attempt             integer     NOT NULL,
        failures            integer     NOT NULL,
        held_count          integer     NOT NULL,
        dock_may_export     boolean     NOT NULL,
        -- A stop that was sent no later than this proves nothing.
        stops_count_from    timestamptz,
        -- The dock has said that it does not begin with the present attempt.
        is_refused          boolean     NOT NULL DEFAULT false,
        dock_until          timestamptz,
        yield_at            timestamptz,
        stop_for            text        CHECK (stop_for IN ('operator', 'mission', 'deadline', 'retry', 'unexpected')),
        stop_count          integer     NOT NULL,
        attempt_ends_by     timestamptz,
        since               timestamptz NOT NULL,
        heard_at            timestamptz,
        deadline            timestamptz NOT NULL,
        next_action_at      timestamptz,
        cause_code          text,
        cause_dock_result   integer,
        -- The rules of time that it was asked for with; a change of the defaults does not move it.
        timing              jsonb       NOT NULL,
        -- Whether a mission may take its dock.
        yields              boolean     NOT NULL,
        created_by          text        NOT NULL,
        created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- Never forgotten: what is not over has an instant at which it is looked at.
        CHECK ((next_action_at IS NULL) = (state IN ('stored', 'partly_stored', 'failed', 'canceled', 'timed_out')))
      );
      CREATE INDEX upload_due ON log.upload (next_action_at) WHERE next_action_at IS NOT NULL;
      CREATE INDEX upload_list ON log.upload (organisation_id, created_at, id);
      CREATE INDEX upload_dock ON log.upload (dock_sn, created_at, id);
      -- What a failed mission left is collected once, and a dock is in a campaign once.
      CREATE UNIQUE INDEX upload_of_mission ON log.upload (mission_id) WHERE mission_id IS NOT NULL;
      CREATE INDEX upload_attached ON log.upload (attached_to) WHERE attached_to IS NOT NULL;
      CREATE UNIQUE INDEX upload_of_campaign ON log.upload (campaign_id, dock_sn) WHERE campaign_id IS NOT NULL;
      -- The reservation sees to it; this is the last word.
      CREATE UNIQUE INDEX upload_one_export ON log.upload (dock_sn) WHERE dock_may_export;

      CREATE TABLE log.campaign_dock (
        campaign_id uuid NOT NULL REFERENCES log.campaign (id),
        dock_sn     text NOT NULL,
        state       text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'skipped')),
        upload_id   uuid REFERENCES log.upload (id),
        -- Why it failed or was skipped.
        cause       text,
        -- It was away when its turn came: others go first.
        not_before  timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at    timestamptz,
        PRIMARY KEY (campaign_id, dock_sn)
      );
      CREATE INDEX campaign_dock_state ON log.campaign_dock (campaign_id, state, not_before, dock_sn);
      CREATE UNIQUE INDEX campaign_dock_upload ON log.campaign_dock (upload_id) WHERE upload_id IS NOT NULL;

      -- One start of an export. Its id is the bid of all its messages, so that late words of an older one are known.
      CREATE TABLE log.attempt (
        id           uuid        PRIMARY KEY,
        upload_id    uuid        NOT NULL REFERENCES log.upload (id),
        number       integer     NOT NULL,
        -- Where its keys work; known once they were issued. The keys themselves are nowhere.
        prefix       text,
        keys_end_at  timestamptz,
        started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at     timestamptz,
        ended_cause  text,
        ended_result integer,
        UNIQUE (upload_id, number)
      );

      -- The dock is asked for, or had, in mission-service; not wanted: to be given back.
      CREATE TABLE log.dock_hold (
        upload_id   uuid        PRIMARY KEY REFERENCES log.upload (id),
        dock_sn     text        NOT NULL,
        wanted      boolean     NOT NULL,
        -- Revision of the upload when the dock was first asked for: a late release gives back nothing that is newer.
        generation  integer     NOT NULL,
        next_try_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- A take that was not answered yet may come true until then.
        asked_until timestamptz
      );
      CREATE INDEX dock_hold_unwanted ON log.dock_hold (next_try_at) WHERE NOT wanted;

      -- A command to a dock and its reply.
      CREATE TABLE log.dock_call (
        tid             uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL,
        -- Null: a person wants to see the list.
        upload_id       uuid        REFERENCES log.upload (id),
        dock_sn         text        NOT NULL,
        method          text        NOT NULL,
        attempt         integer     NOT NULL,
        claimed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        not_after       timestamptz NOT NULL,
        requested_by    text,
        send_outcome    text,
        send_reason     text,
        sent_at         timestamptz,
        reply_result    integer,
        reply_at        timestamptz,
        -- What was listed, for whoever waits for it; gone after an hour.
        reply           jsonb
      );
      CREATE INDEX dock_call_upload ON log.dock_call (upload_id) WHERE upload_id IS NOT NULL;
      CREATE INDEX dock_call_listing ON log.dock_call (claimed_at) WHERE upload_id IS NULL;
      -- A start is asked for once in an attempt.
      CREATE UNIQUE INDEX dock_call_one_start ON log.dock_call (upload_id, attempt) WHERE method = 'fileupload_start';

      -- An archive that was seen in the storage.
      CREATE TABLE log.file (
        id              uuid        PRIMARY KEY,
        upload_id       uuid        NOT NULL REFERENCES log.upload (id),
        organisation_id uuid        NOT NULL,
        dock_sn         text        NOT NULL,
        device_sn       text        NOT NULL,
        module          text        NOT NULL CHECK (module IN ('dock', 'aircraft')),
        mission_id      uuid,
        attempt         integer     NOT NULL,
        boot_indexes    jsonb       NOT NULL,
        object_key      text        NOT NULL UNIQUE,
        size_bytes      bigint      NOT NULL,
        etag            text        NOT NULL,
        -- As the dock reported it.
        fingerprint     text,
        -- Of the content, where it was read.
        sha256          text,
        -- How sure it is that the object is what the dock has.
        proof           text        NOT NULL CHECK (proof IN ('fingerprint', 'size', 'presence')),
        stored_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- Of the object, by the retention of its organisation. The row stays as evidence.
        deleted_at      timestamptz,
        -- The storage did not give it up.
        delete_again_at timestamptz,
        UNIQUE (upload_id, module)
      );
      CREATE INDEX file_list ON log.file (organisation_id, stored_at, id);
      CREATE INDEX file_dock ON log.file (organisation_id, dock_sn);
      CREATE INDEX file_mission ON log.file (mission_id) WHERE mission_id IS NOT NULL;
      CREATE INDEX file_kept ON log.file (organisation_id, delete_again_at NULLS FIRST, stored_at) WHERE deleted_at IS NULL;

      -- Everything that happened to an upload, in order.
      CREATE TABLE log.timeline (
        id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        upload_id  uuid        NOT NULL REFERENCES log.upload (id),
        at         timestamptz NOT NULL DEFAULT clock_timestamp(),
        kind       text        NOT NULL CHECK (kind IN ('decision', 'refusal', 'message_in', 'message_out', 'note')),
        what       text        NOT NULL,
        from_state text,
        to_state   text,
        revision   integer,
        detail     jsonb       NOT NULL
      );
      CREATE INDEX timeline_upload ON log.timeline (upload_id, id);

      -- What an organisation has decided for all its logs.
      CREATE TABLE log.policy (
        organisation_id    uuid        PRIMARY KEY,
        -- Null where the deployment decides.
        collect_on_failure boolean,
        collect_modules    jsonb,
        missions_first     boolean,
        retention_days     integer     CHECK (retention_days > 0),
        revision           integer     NOT NULL DEFAULT 1,
        updated_by         text        NOT NULL,
        updated_at         timestamptz NOT NULL DEFAULT clock_timestamp()
      );
    `);
    await runner.query(inboxOutboxTables('log'));
    await runner.query(idempotencyTable('log'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE log.idempotency_key, log.outbox, log.inbox, log.policy, log.timeline, log.file, log.dock_call,
        log.dock_hold, log.attempt, log.campaign_dock, log.upload, log.campaign;
    `);
  }
}
