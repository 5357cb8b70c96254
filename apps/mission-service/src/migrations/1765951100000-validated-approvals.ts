import { validateConstraint } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { APPROVAL_CHECKS } from './1765951000000-approvals.js';

/** Rows that were there before the checks of approvals are looked at, while everybody goes on. */
export class ValidatedApprovals1765951100000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const { name } of APPROVAL_CHECKS) await validateConstraint(runner, 'mission.mission', name);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name, check } of APPROVAL_CHECKS) {
      await runner.query(`
        ALTER TABLE mission.mission DROP CONSTRAINT ${name}, ADD CONSTRAINT ${name} CHECK (${check}) NOT VALID`);
    }
  }
}
