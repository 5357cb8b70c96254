import { fullOutbox, leanOutbox } from '@aerie/persistence';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A replica of the previous release finds old rows of the outbox without the index too, only slower. */
export class LeanOutbox1765300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(leanOutbox('fleet'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(fullOutbox('fleet'));
  }
}
