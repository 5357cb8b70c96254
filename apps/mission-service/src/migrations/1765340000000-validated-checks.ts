import { validateConstraint } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows that were there before a constraint was added are looked at, while everybody goes on. */
export class ValidatedChecks1765340000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const { table, name } of CHECKS) await validateConstraint(runner, table, name);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { table, name, check } of CHECKS) {
      await runner.query(`
        ALTER TABLE ${table} DROP CONSTRAINT ${name}, ADD CONSTRAINT ${name} CHECK (${check}) NOT VALID`);
    }
  }
}

const CHECKS = [
  {
    table: 'mission.mission',
    name: 'mission_has_a_deadline',
    check: `deadline IS NOT NULL OR next_action_at IS NULL OR kind = 'conditional'`,
  },
  { table: 'mission.mission', name: 'mission_planned_duration_ms_check', check: 'planned_duration_ms >= 0' },
  {
    table: 'mission.dock_call',
    name: 'dock_call_hand_state_check',
    check: `hand_state IN ('waiting', 'handed', 'withdrawn')`,
  },
] as const;
