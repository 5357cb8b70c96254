import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Reports of a flight gather in `flight_live`, one line each, and go into the track some twenty at a time. Additive: a
 * replica of the previous release writes each report by itself, leaves the lines that have gathered alone, and reads of
 * a piece its last report.
 */
export class ReportsInPieces1765200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // In this order: what changes with each report stands before the lines that stay, so the WAL has only the former.
    await runner.query(`
      ALTER TABLE mission.flight_live
        ADD COLUMN gathered integer NOT NULL DEFAULT 0,
        ADD COLUMN lines text NOT NULL DEFAULT '';
      ALTER TABLE mission.flight_track ADD COLUMN reports text;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    // Each report by itself again, as the previous release reads them: those that have gathered too.
    await runner.query(`
      WITH pieces AS (
        DELETE FROM mission.flight_track WHERE reports IS NOT NULL RETURNING mission_id, attempt, recorded_at, reports
      ), gathered AS (
        SELECT mission_id, attempt, clock_timestamp() AS recorded_at, line
          FROM mission.flight_live, unnest((string_to_array(lines, E'\n'))[:gathered]) AS line
      ), parts AS (
        SELECT mission_id, attempt, recorded_at, string_to_array(line, ' ') AS part
          FROM (SELECT mission_id, attempt, recorded_at, unnest(string_to_array(reports, E'\n')) AS line FROM pieces
                UNION ALL SELECT mission_id, attempt, recorded_at, line FROM gathered) AS lines
      )
      INSERT INTO mission.flight_track
        (mission_id, attempt, recorded_at, received_at, status, percent, current_step, waypoint_index, media_count)
      SELECT mission_id, attempt, recorded_at, to_timestamp(part[2]::bigint / 1000.0), coalesce(part[8], 'in_progress'),
             nullif(part[4], '-')::float8, nullif(part[5], '-')::float8, nullif(part[6], '-')::float8,
             nullif(part[7], '-')::float8
        FROM parts ORDER BY part[2];
      ALTER TABLE mission.flight_track DROP COLUMN reports;
      ALTER TABLE mission.flight_live DROP COLUMN lines, DROP COLUMN gathered;
    `);
  }
}
