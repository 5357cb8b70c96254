import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Identity providers of organisations, and the members that their subjects are linked to. */
export class IdentityProviders1765920100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fleet.identity_provider (
        id               uuid        PRIMARY KEY,
        organisation_id  uuid        NOT NULL REFERENCES fleet.organisation (id),
        name             text        NOT NULL,
        issuer           text        NOT NULL,
        client_id        text        NOT NULL,
        -- Sealed with the key of this name, and bound to this row.
        secret_key_id    text        NOT NULL,
        secret_sealed    bytea       NOT NULL,
        -- Roles for people without an invitation, and the email domains they need. Null: an invitation is required.
        newcomer_roles   text[]      CHECK (cardinality(newcomer_roles) > 0),
        newcomer_domains text[]      CHECK (cardinality(newcomer_domains) > 0),
        revision         integer     NOT NULL DEFAULT 1,
        created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        created_by       text        NOT NULL,
        CHECK ((newcomer_roles IS NULL) = (newcomer_domains IS NULL))
      );
      CREATE INDEX identity_provider_list ON fleet.identity_provider (organisation_id, created_at);

      -- A subject is unique at its issuer, and a provider never changes its issuer.
      CREATE TABLE fleet.identity (
        organisation_id uuid        NOT NULL,
        provider_id     uuid        NOT NULL REFERENCES fleet.identity_provider (id) ON DELETE CASCADE,
        subject         text        NOT NULL,
        person_id       uuid        NOT NULL,
        linked_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (provider_id, subject),
        -- One subject for each member: an email address may be reassigned at the provider.
        UNIQUE (provider_id, person_id),
        -- Removing a member removes the link.
        FOREIGN KEY (organisation_id, person_id) REFERENCES fleet.member ON DELETE CASCADE
      );
      CREATE INDEX identity_member ON fleet.identity (organisation_id, person_id);

      -- Ids of sign-ins whose callback has arrived, so that each is used once. Pending ones are sealed in cookies.
      CREATE TABLE fleet.used_sign_in (
        id              uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL,
        used_at         timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX used_sign_in_used_at ON fleet.used_sign_in (used_at);

      -- Provider with which the session began; null: password. No reference, because it outlives the provider.
      ALTER TABLE fleet.session ADD COLUMN provider_id uuid;

      CREATE FUNCTION fleet.organisation_of_provider(provider_id uuid) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS 'SELECT organisation_id FROM fleet.identity_provider WHERE id = provider_id';
    `);
  }

  /** Ends sessions that began with a provider: an earlier release would treat them as password sessions. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION fleet.organisation_of_provider;
      UPDATE fleet.session SET ended_at = clock_timestamp() WHERE provider_id IS NOT NULL AND ended_at IS NULL;
      ALTER TABLE fleet.session DROP COLUMN provider_id;
      DROP TABLE fleet.used_sign_in, fleet.identity, fleet.identity_provider;
    `);
  }
}
