import { makeIndex } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An index for what read a whole table once there are many rows. */
export class Indexes1764300000000 implements MigrationInterface {
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // Old keys are deleted each minute.
    const on = 'idempotency_key (created_at)';
    await makeIndex(runner, { schema: 'log', name: 'idempotency_key_created_at', on });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX log.idempotency_key_created_at;');
  }
}
