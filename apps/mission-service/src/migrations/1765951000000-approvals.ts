import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Missions that need the approval of another person, and the policy that says which ones do. A replica of the previous
 * release does not look for missions that are `awaiting_approval`. One that moves an approved mission to another time
 * would keep the approval: the second check refuses what it writes. Both checks are validated in the next migration.
 */
export class Approvals1765951000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.policy ADD COLUMN approval jsonb NOT NULL DEFAULT '{}';
      ALTER TABLE mission.mission
        -- Null: it needs no approval.
        ADD COLUMN approval jsonb,
        DROP CONSTRAINT mission_state_check,
        ${APPROVAL_CHECKS.map(({ name, check }) => `ADD CONSTRAINT ${name} CHECK (${check}) NOT VALID`).join(', ')};
    `);
  }

  /** What awaits approval ends, and gives its dock back: the release before would know no other state for it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM mission.dock_reservation r USING mission.mission m
       WHERE m.state = 'awaiting_approval' AND r.holder_kind = 'mission' AND r.holder_id = m.id;
      UPDATE mission.mission
         SET state = 'missed', cause_code = 'window_closed', next_action_at = NULL, revision = revision + 1,
             since = clock_timestamp(), updated_at = clock_timestamp()
       WHERE state = 'awaiting_approval';
      ALTER TABLE mission.mission
        DROP CONSTRAINT mission_is_approved,
        DROP COLUMN approval,
        DROP CONSTRAINT mission_state_check,
        ADD CONSTRAINT mission_state_check CHECK (state IN (${STATES})) NOT VALID;
      ALTER TABLE mission.policy DROP COLUMN approval;
    `);
  }
}

const STATES = `'scheduled', 'preparing', 'waiting_ready', 'prepared', 'starting', 'executing', 'paused', 'canceling',
  'succeeded', 'partially_done', 'failed', 'rejected', 'canceled', 'timed_out', 'missed', 'outcome_unknown'`;

export const APPROVAL_CHECKS = [
  { name: 'mission_state_check', check: `state IN ('awaiting_approval', ${STATES})` },
  // A dock is told of a mission from these states alone.
  {
    name: 'mission_is_approved',
    check: `approval IS NULL OR state NOT IN ('scheduled', 'preparing', 'waiting_ready', 'prepared')
      OR (approval->>'givenEdition')::integer IS NOT DISTINCT FROM edition`,
  },
] as const;
