import { makeIndex } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What retention needs to find old rows. */
export class Retention1764900000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    const on = `revocation (revoked_at) WHERE state <> 'pending'`;
    await makeIndex(runner, { schema: 'credential', name: 'revocation_old', on });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX credential.revocation_old;');
  }
}
