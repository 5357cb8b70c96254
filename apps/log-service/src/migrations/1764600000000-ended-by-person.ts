import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Only adds: a service of the previous release goes on collecting logs also of flights that a person ended. */
export class EndedByPerson1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Null: the default, which is not to collect logs when a person ended the flight.
      ALTER TABLE log.policy ADD COLUMN collect_when_ended_by_person boolean;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE log.policy DROP COLUMN collect_when_ended_by_person;');
  }
}
