import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An index for what read a whole table once there are many rows. */
export class Indexes1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Old keys are deleted each minute.
      CREATE INDEX idempotency_key_created_at ON log.idempotency_key (created_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX log.idempotency_key_created_at;');
  }
}
