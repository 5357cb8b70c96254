import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sessions of people who signed in. */
export class Sessions1765720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.session (
        id              uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL,
        person_id       uuid        NOT NULL,
        -- sha256 of the whole token. Tokens are 32 random bytes, so a slow hash would protect nothing.
        secret_hash     bytea       NOT NULL,
        -- From where the person signed in.
        address         text        NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- Exact to a minute.
        last_used_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
        ends_at         timestamptz NOT NULL,
        ended_at        timestamptz,
        -- Who is removed has no sessions, also after coming back.
        FOREIGN KEY (organisation_id, person_id) REFERENCES fleet.member ON DELETE CASCADE
      );
      CREATE INDEX session_person ON fleet.session (person_id, created_at DESC);
      CREATE INDEX session_member ON fleet.session (organisation_id, person_id);
      CREATE INDEX session_ends_at ON fleet.session (ends_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE fleet.session;');
  }
}
