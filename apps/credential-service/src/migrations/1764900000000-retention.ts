import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What retention needs to find old rows. */
export class Retention1764900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX revocation_old ON credential.revocation (revoked_at) WHERE state <> 'pending';`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX credential.revocation_old;');
  }
}
