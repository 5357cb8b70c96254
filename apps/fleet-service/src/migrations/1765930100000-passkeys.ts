import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Passkeys of people. */
export class Passkeys1765930100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.passkey (
        id            uuid        PRIMARY KEY,
        person_id     uuid        NOT NULL REFERENCES fleet.person (id) ON DELETE CASCADE,
        -- Base64url, at most 1,023 bytes.
        credential_id text        NOT NULL UNIQUE CHECK (char_length(credential_id) BETWEEN 1 AND 1364),
        -- COSE. There is nothing secret in this table.
        public_key    bytea       NOT NULL CHECK (octet_length(public_key) <= 8192),
        -- As the authenticator said last; 0: it does not count.
        sign_count    bigint      NOT NULL,
        transports    text[]      NOT NULL,
        name          text        NOT NULL,
        synced        boolean     NOT NULL,
        created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
        last_used_at  timestamptz
      );
      CREATE INDEX passkey_person ON fleet.passkey (person_id);

      CREATE FUNCTION fleet.person_of_passkey(credential text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS 'SELECT person_id FROM fleet.passkey WHERE credential_id = credential';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION fleet.person_of_passkey; DROP TABLE fleet.passkey');
  }
}
