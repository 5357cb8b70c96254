import { auditTables, dropAuditTables } from '@aerie/http-api';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who asked for what, and how it ended: kept in a chain for each organisation that only grows. */
export class Audit1765940100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(auditTables('log'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(dropAuditTables('log'));
  }
}
