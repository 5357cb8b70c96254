import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Only adds: a service of the previous release goes on working beside it. */
export class WholeMissions1763898000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.mission
        -- How the dock is given the flight: create is the one command of docks older than protocol 1.3.0.
        ADD COLUMN delivery                 text        NOT NULL DEFAULT 'prepare' CHECK (delivery IN ('prepare', 'create')),
        -- Grows with every change of the plan.
        ADD COLUMN edition                  integer     NOT NULL DEFAULT 1,
        ADD COLUMN ready_from               timestamptz,
        ADD COLUMN paused_ms                bigint      NOT NULL DEFAULT 0,
        -- The rules of time that this mission was planned with; a change of the defaults does not move it.
        ADD COLUMN timing                   jsonb       NOT NULL DEFAULT '{}',
        ADD COLUMN battery_above_percent    integer     CHECK (battery_above_percent BETWEEN 0 AND 99),
        ADD COLUMN storage_needed_megabytes integer     CHECK (storage_needed_megabytes >= 0),
        -- Indoor test: where the aircraft pretends to be.
        ADD COLUMN simulate                 jsonb,
        ADD COLUMN flight_area_check        boolean     NOT NULL DEFAULT false,
        -- Where a resumed mission begins, and which mission it goes on with.
        ADD COLUMN break_point              jsonb,
        ADD COLUMN resumed_from             uuid        REFERENCES mission.mission (id),
        -- How often in a row nobody but the policy resumed it.
        ADD COLUMN auto_resume_count        integer     NOT NULL DEFAULT 0,
        -- Last verdict of each stage: plan, prepare, execute. Rule by rule they are in mission.preflight.
        ADD COLUMN verdicts                 jsonb       NOT NULL DEFAULT '{}';
      -- PostgreSQL creates no index for a foreign key.
      CREATE INDEX mission_resumed_from ON mission.mission (resumed_from) WHERE resumed_from IS NOT NULL;
      CREATE INDEX mission_wayline ON mission.mission (wayline_id);
      CREATE INDEX mission_by_time ON mission.mission (organisation_id, (coalesce(execute_at, created_at)), id);
      CREATE INDEX mission_unresolved ON mission.mission (dock_sn) WHERE state = 'outcome_unknown' AND resolution IS NULL;

      ALTER TABLE mission.dock
        -- The flight that the dock spoke of last, ours or not, and when that began.
        ADD COLUMN flight_id text,
        ADD COLUMN flight_at timestamptz;

      ALTER TABLE mission.dock_call
        ADD COLUMN edition      integer NOT NULL DEFAULT 1,
        -- A person's command in flight: who asked for it, and why.
        ADD COLUMN requested_by text,
        ADD COLUMN reason       text;
      -- Commands that are on their way now are of the first plan; from here on only the first release leaves it out.
      ALTER TABLE mission.dock_call ALTER COLUMN edition DROP DEFAULT;
      -- The legacy command starts a flight too: once in an attempt.
      CREATE UNIQUE INDEX dock_call_one_create ON mission.dock_call (mission_id, attempt)
        WHERE method = 'flighttask_create';

      -- A replica of the first release knows nothing of what is new about a mission: it would fly an indoor test in
      -- earnest. It also writes no edition, and by that it is known here; its transaction fails, and a newer replica
      -- takes the mission.
      CREATE FUNCTION mission.fence_first_release() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        m mission.mission%ROWTYPE;
      BEGIN
        IF NEW.edition IS NOT NULL THEN
          RETURN NEW;
        END IF;
        SELECT * INTO m FROM mission.mission WHERE id = NEW.mission_id;
        IF m.simulate IS NOT NULL OR m.break_point IS NOT NULL OR m.delivery <> 'prepare' OR m.kind = 'conditional'
           OR m.storage_needed_megabytes IS NOT NULL OR m.flight_area_check OR m.edition > 1 THEN
          RAISE EXCEPTION 'mission % needs a newer release of mission-service', NEW.mission_id;
        END IF;
        NEW.edition := 1;
        RETURN NEW;
      END $$;
      CREATE TRIGGER fence_first_release BEFORE INSERT ON mission.dock_call
        FOR EACH ROW EXECUTE FUNCTION mission.fence_first_release();

      -- Every place where a flight stopped, as its dock told it.
      CREATE TABLE mission.breakpoint (
        id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        mission_id uuid        NOT NULL REFERENCES mission.mission (id),
        at         timestamptz NOT NULL DEFAULT clock_timestamp(),
        reason     integer,
        point      jsonb       NOT NULL,
        UNIQUE (mission_id, point)
      );

      -- The last go or no-go of each stage, rule by rule.
      CREATE TABLE mission.preflight (
        mission_id uuid        NOT NULL REFERENCES mission.mission (id),
        stage      text        NOT NULL CHECK (stage IN ('plan', 'prepare', 'execute')),
        at         timestamptz NOT NULL,
        verdict    text        NOT NULL,
        rules      jsonb       NOT NULL,
        PRIMARY KEY (mission_id, stage)
      );

      -- What an organisation has decided for all its missions.
      CREATE TABLE mission.policy (
        organisation_id uuid        PRIMARY KEY,
        preflight       jsonb       NOT NULL DEFAULT '{}',
        auto_resume     jsonb       NOT NULL DEFAULT '{}',
        revision        integer     NOT NULL DEFAULT 1,
        updated_by      text        NOT NULL,
        updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE mission.policy, mission.preflight, mission.breakpoint;
      DROP TRIGGER fence_first_release ON mission.dock_call;
      DROP FUNCTION mission.fence_first_release;
      DROP INDEX mission.dock_call_one_create, mission.mission_unresolved, mission.mission_by_time,
        mission.mission_wayline, mission.mission_resumed_from;
      ALTER TABLE mission.dock_call DROP COLUMN reason, DROP COLUMN requested_by, DROP COLUMN edition;
      ALTER TABLE mission.dock DROP COLUMN flight_at, DROP COLUMN flight_id;
      ALTER TABLE mission.mission
        DROP COLUMN verdicts, DROP COLUMN auto_resume_count, DROP COLUMN resumed_from, DROP COLUMN break_point,
        DROP COLUMN flight_area_check, DROP COLUMN simulate, DROP COLUMN storage_needed_megabytes,
        DROP COLUMN battery_above_percent, DROP COLUMN timing, DROP COLUMN paused_ms, DROP COLUMN ready_from, DROP COLUMN edition, DROP COLUMN delivery;
    `);
  }
}
