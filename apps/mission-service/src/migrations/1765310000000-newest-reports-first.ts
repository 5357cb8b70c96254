import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The key of what a flight reported last ends with how many reports there were, in the track and gathered. A transaction that is held open, as a backup
 * holds one, keeps every version of a row; by the mission alone each lookup went through all of them, a page for every
 * few reports. By this key the newest is found first, and the others are not looked at. Each mission has one row still: its
 * writers hold the lock of the mission. A replica of the previous release goes on by the mission alone, as the first
 * column.
 */
export class NewestReportsFirst1765310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.flight_live DROP CONSTRAINT flight_live_pkey, ADD PRIMARY KEY (mission_id, reports, gathered);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mission.flight_live DROP CONSTRAINT flight_live_pkey, ADD PRIMARY KEY (mission_id);
    `);
  }
}
