import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a dock reports of a flight that goes on, beside the wide row of its mission: the last of it in `flight_live`, each
 * report in `flight_track`, which is split by day so that old days are dropped whole. Additive: a replica of the previous
 * release writes its reports into the wide row, and each release counts the later of both.
 *
 * Rows of the track go by when they were written, so they always belong to today. Its days are made ahead by
 * `make_flight_track_days` and dropped by `drop_flight_track_days`; where that has failed for a week, rows go into the
 * default partition instead of being refused.
 */
export class FlightReports1764800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE mission.flight_live (
        mission_id  uuid PRIMARY KEY REFERENCES mission.mission (id) ON DELETE CASCADE,
        attempt     integer NOT NULL,
        heard_at    timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        reports     integer NOT NULL,
        recent      text NOT NULL,
        progress    jsonb NOT NULL
      ) WITH (fillfactor = 50);

      CREATE SEQUENCE mission.flight_track_id;
      CREATE TABLE mission.flight_track (
        id             bigint NOT NULL DEFAULT nextval('mission.flight_track_id'),
        mission_id     uuid NOT NULL,
        attempt        integer NOT NULL,
        recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
        received_at    timestamptz NOT NULL,
        status         text NOT NULL,
        percent        double precision,
        current_step   double precision,
        waypoint_index double precision,
        media_count    double precision
      ) PARTITION BY RANGE (recorded_at);
      CREATE INDEX flight_track_mission ON mission.flight_track (mission_id, received_at, id);
      CREATE TABLE mission.flight_track_other PARTITION OF mission.flight_track DEFAULT;
    `);
    await runner.query(`
      CREATE FUNCTION mission.make_flight_track_days(ahead integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC' SET lock_timeout = '300ms' AS $$
      DECLARE
        made integer := 0;
        first date;
        name text;
      BEGIN
        -- Two replicas take turns; the second finds nothing to do. Nobody is kept waiting long: it is tried each hour.
        PERFORM pg_advisory_xact_lock(hashtext('mission.flight_track'));
        FOR offset_days IN 0..ahead LOOP
          first := (clock_timestamp())::date + offset_days;
          name := 'flight_track_' || to_char(first, 'YYYYMMDD');
          CONTINUE WHEN to_regclass('mission.' || name) IS NOT NULL;
          -- Made alone and attached then: writers of the present day are not kept waiting.
          EXECUTE format('CREATE TABLE mission.%I (LIKE mission.flight_track INCLUDING DEFAULTS)', name);
          EXECUTE format('ALTER TABLE mission.flight_track ATTACH PARTITION mission.%I FOR VALUES FROM (%L) TO (%L)',
                         name, first::timestamptz, (first + 1)::timestamptz);
          made := made + 1;
        END LOOP;
        RETURN made;
      END $$;

      CREATE FUNCTION mission.drop_flight_track_days(keep integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC' SET lock_timeout = '300ms' AS $$
      DECLARE
        dropped integer := 0;
        name text;
      BEGIN
        IF keep < 1 THEN RAISE EXCEPTION 'the track is kept for a day at least'; END IF;
        PERFORM pg_advisory_xact_lock(hashtext('mission.flight_track'));
        FOR name IN
          SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'mission.flight_track'::regclass AND c.relname ~ '^flight_track_[0-9]{8}$'
             AND to_date(right(c.relname, 8), 'YYYYMMDD') < (clock_timestamp())::date - keep
        LOOP
          EXECUTE format('DROP TABLE mission.%I', name);
          dropped := dropped + 1;
        END LOOP;
        RETURN dropped;
      END $$;

      SELECT mission.make_flight_track_days(7);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // What flights reported last belongs to their missions, as the previous release writes it.
    await runner.query(`
      UPDATE mission.mission AS m SET heard_at = l.heard_at, progress = l.progress
        FROM mission.flight_live l
       WHERE l.mission_id = m.id AND l.attempt = m.attempt AND (m.heard_at IS NULL OR l.heard_at >= m.heard_at);
      DROP FUNCTION mission.make_flight_track_days(integer);
      DROP FUNCTION mission.drop_flight_track_days(integer);
      DROP TABLE mission.flight_track;
      DROP SEQUENCE mission.flight_track_id;
      DROP TABLE mission.flight_live;
    `);
  }
}
