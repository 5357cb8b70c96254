import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What retention needs to find old rows. Additive: a replica of the previous release writes no column that is new, and
 * prunes what it pruned. Writers wait while the index over missions is made: seconds for millions.
 */
export class Retention1764900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.mission
        -- When retention began to delete the detail of the mission: its timeline, its commands, its preflight.
        ADD COLUMN detail_pruned_at timestamptz,
        -- False once all of it is gone.
        ADD COLUMN detail_kept      boolean NOT NULL DEFAULT true;

      -- Ended missions, the oldest first. One whose outcome nobody knows yet is none of them. Each column of it that
      -- changes with a decision is in another index already.
      CREATE INDEX mission_ended ON mission.mission (detail_kept, since)
        WHERE next_action_at IS NULL AND NOT (state = 'outcome_unknown' AND resolution IS NULL);

      -- Reservations whose holder never gave the dock back.
      CREATE INDEX dock_reservation_over ON mission.dock_reservation (upper(during));

      -- Empty, except where making the days of the track has failed for a week.
      CREATE INDEX flight_track_other_recorded_at ON mission.flight_track_other (recorded_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX mission.flight_track_other_recorded_at, mission.dock_reservation_over, mission.mission_ended;
      ALTER TABLE mission.mission DROP COLUMN detail_kept, DROP COLUMN detail_pruned_at;
    `);
  }
}
