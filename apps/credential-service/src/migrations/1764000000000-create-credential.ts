import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCredential1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The storage that an organisation chose. No row: that of the deployment.
      CREATE TABLE credential.storage (
        organisation_id  uuid        PRIMARY KEY,
        revision         integer     NOT NULL CHECK (revision > 0),
        provider         text        NOT NULL CHECK (provider IN ('aws', 'ali', 's3')),
        dock_endpoint    text        NOT NULL,
        service_endpoint text        NOT NULL,
        sts_endpoint     text,
        iam_endpoint     text,
        region           text        NOT NULL,
        bucket           text        NOT NULL,
        path_style       boolean     NOT NULL,
        role_arn         text        NOT NULL,
        external_id      text,
        access_key_id    text        NOT NULL,
        -- Sealed by a key that is not in this database, and bound to this row.
        secret_key_id    text        NOT NULL,
        secret_sealed    bytea       NOT NULL,
        lifetime_seconds integer     NOT NULL CHECK (lifetime_seconds BETWEEN 3600 AND 43200),
        changed_by       text        NOT NULL,
        changed_at       timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      -- Versions go on where they were when an organisation comes back to a storage of its own.
      CREATE TABLE credential.storage_revision (
        organisation_id  uuid        PRIMARY KEY,
        revision         integer     NOT NULL
      );

      -- The ledger: everything that was given out and opens a storage for a while. Never what opens it.
      CREATE TABLE credential.issue (
        id              uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL,
        kind            text        NOT NULL CHECK (kind IN ('keys', 'download', 'upload')),
        dock_sn         text,
        -- Of keys: the prefix below which they work, with its slash. Of an address: the key of the object.
        object_prefix   text        NOT NULL,
        actions         text[]      NOT NULL,
        provider        text        NOT NULL,
        -- 0: the storage of the deployment.
        storage_version integer     NOT NULL,
        -- No secret: the provider's own log names it too. Null of an address.
        access_key_id   text,
        asked_by        text        NOT NULL,
        reason          text        NOT NULL,
        issued_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at      timestamptz NOT NULL
      );
      CREATE INDEX issue_list ON credential.issue (organisation_id, issued_at DESC, id DESC);
      CREATE INDEX issue_of_dock ON credential.issue (organisation_id, dock_sn, issued_at DESC, id DESC)
        WHERE dock_sn IS NOT NULL;
      CREATE INDEX issue_of_key ON credential.issue (access_key_id) WHERE access_key_id IS NOT NULL;
      CREATE INDEX issue_old ON credential.issue (issued_at);

      -- What was called back. Keys that were made before not_before are not given out again, whoever remembers them.
      CREATE TABLE credential.revocation (
        id              uuid        PRIMARY KEY,
        organisation_id uuid        NOT NULL,
        -- Null: all docks of the organisation.
        dock_sn         text,
        -- The storage that is told; another one is told by another row.
        storage_version integer     NOT NULL,
        -- Other storages for which keys still lived: [{storageVersion, keysUntil}]. Nobody tells them.
        untold          jsonb       NOT NULL DEFAULT '[]',
        not_before      timestamptz NOT NULL,
        reason          text        NOT NULL,
        revoked_by      text        NOT NULL,
        revoked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        state           text        NOT NULL CHECK (state IN ('pending', 'denied', 'abandoned')),
        denied_at       timestamptz,
        attempts        integer     NOT NULL DEFAULT 0,
        -- What the provider said when it was asked last, in its own code.
        last_error      text,
        next_action_at  timestamptz,
        CHECK ((state = 'pending') = (next_action_at IS NOT NULL))
      );
      CREATE INDEX revocation_list ON credential.revocation (organisation_id, revoked_at DESC, id DESC);
      CREATE INDEX revocation_recent ON credential.revocation (organisation_id, not_before);
      CREATE INDEX revocation_pending ON credential.revocation (next_action_at) WHERE state = 'pending';

      -- What docks said that they have uploaded, each file once. Nobody has looked into the storage for it.
      CREATE TABLE credential.upload_claim (
        -- Whose the dock was when it said so first.
        organisation_id uuid        NOT NULL,
        dock_sn         text        NOT NULL,
        -- The longest key that a storage takes.
        object_key      text        NOT NULL CHECK (octet_length(object_key) BETWEEN 1 AND 1024),
        -- As the dock names it. Null: flown by hand.
        flight_id       text        CHECK (char_length(flight_id) BETWEEN 1 AND 128),
        -- outside: not in the folder of that dock, which its keys cannot have left.
        verdict         text        NOT NULL CHECK (verdict IN ('inside', 'outside')),
        -- All that the dock said of the file.
        reported        jsonb       NOT NULL,
        claimed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (dock_sn, object_key)
      );
      CREATE INDEX upload_claim_old ON credential.upload_claim (claimed_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP TABLE credential.upload_claim, credential.revocation, credential.issue, credential.storage_revision,
         credential.storage`,
    );
  }
}
