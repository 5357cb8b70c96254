import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users of docks for a broker that asks us, instead of one that keeps them itself. */
export class BrokerUsers1765500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.broker_user (
        dock_sn       text        PRIMARY KEY REFERENCES fleet.dock (sn) ON DELETE CASCADE,
        -- SHA-256 of salt and password: the password is 32 random bytes, which nobody guesses.
        salt          bytea       NOT NULL,
        password_hash bytea       NOT NULL,
        disabled      boolean     NOT NULL DEFAULT false,
        -- For which aircraft the dock may speak.
        aircraft_sns  text[]      NOT NULL DEFAULT '{}',
        updated_at    timestamptz NOT NULL DEFAULT clock_timestamp()
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE fleet.broker_user');
  }
}
