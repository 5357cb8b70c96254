import { validateConstraint } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows that were there before the checks of approvals are looked at, while everybody goes on. */
export class ValidatedApprovals1765951100000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await validateConstraint(runner, 'mission.mission', 'mission_state_check');
    await validateConstraint(runner, 'mission.mission', 'mission_is_approved');
  }

  /** A check that is valid does no harm; the migration before takes both away. */
  async down(): Promise<void> {
    return Promise.resolve();
  }
}
