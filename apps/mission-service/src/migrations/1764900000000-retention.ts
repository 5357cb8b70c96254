import { makeIndex } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What retention needs to find old rows. Additive: a replica of the previous release writes no column that is new, and
 * prunes what it pruned. Nobody waits while the indexes are made.
 */
export class Retention1764900000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.mission
        -- When retention began to delete the detail of the mission: its timeline, its commands, its preflight.
        ADD COLUMN IF NOT EXISTS detail_pruned_at timestamptz,
        -- False once all of it is gone.
        ADD COLUMN IF NOT EXISTS detail_kept      boolean NOT NULL DEFAULT true;
    `);
    const schema = 'mission';
    // Ended missions, the oldest first. One whose outcome nobody knows yet is none of them. Each column of it that
    // changes with a decision is in another index already.
    const ended = `mission (detail_kept, since)
        WHERE next_action_at IS NULL AND NOT (state = 'outcome_unknown' AND resolution IS NULL)`;
    await makeIndex(runner, { schema, name: 'mission_ended', on: ended });
    // Reservations whose holder never gave the dock back.
    await makeIndex(runner, { schema, name: 'dock_reservation_over', on: 'dock_reservation (upper(during))' });
    // Empty, except where making the days of the track has failed for a week.
    const other = { name: 'flight_track_other_recorded_at', on: 'flight_track_other (recorded_at)' };
    await makeIndex(runner, { schema, ...other });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX mission.flight_track_other_recorded_at, mission.dock_reservation_over, mission.mission_ended;
      ALTER TABLE mission.mission DROP COLUMN detail_kept, DROP COLUMN detail_pruned_at;
    `);
  }
}
