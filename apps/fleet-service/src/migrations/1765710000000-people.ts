import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People, the organisations that they are members of, and the tokens with which they become members. */
export class People1765710000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.person (
        id            uuid        PRIMARY KEY,
        -- As it was written; only ASCII letters, so that lower() folds as everybody does.
        email         text        NOT NULL CHECK (length(email) <= 254),
        name          text        NOT NULL,
        -- argon2id with its parameters. Null: cannot sign in with a password, as who is a member of nothing.
        password_hash text,
        created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE UNIQUE INDEX person_email ON fleet.person (lower(email));

      CREATE TABLE fleet.member (
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        person_id       uuid        NOT NULL REFERENCES fleet.person (id),
        roles           text[]      NOT NULL CHECK (cardinality(roles) > 0),
        invited_by      text        NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (organisation_id, person_id)
      );
      CREATE INDEX member_person ON fleet.member (person_id);

      CREATE TABLE fleet.invitation (
        id              uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        email           text        NOT NULL,
        roles           text[]      NOT NULL CHECK (cardinality(roles) > 0),
        -- sha256 of the whole token. Tokens are 32 random bytes, so a slow hash would protect nothing.
        secret_hash     bytea       NOT NULL,
        expires_at      timestamptz NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        created_by      text        NOT NULL,
        accepted_at     timestamptz,
        accepted_by     uuid        REFERENCES fleet.person (id),
        revoked_at      timestamptz,
        revoked_by      text
      );
      CREATE INDEX invitation_list ON fleet.invitation (organisation_id, created_at DESC, id DESC);

      -- For the first member of an organisation that there is not yet.
      CREATE TABLE fleet.setup_link (
        id              uuid        PRIMARY KEY,
        secret_hash     bytea       NOT NULL,
        expires_at      timestamptz NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        used_at         timestamptz,
        organisation_id uuid        REFERENCES fleet.organisation (id)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE fleet.setup_link, fleet.invitation, fleet.member, fleet.person;');
  }
}
