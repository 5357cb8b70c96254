import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who asked for what, and how it ended: kept in a chain for each organisation that only grows. */
export class Audit1765730000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Entries that are not in a chain yet: written before a request is handled, so that none is lost with a process.
      CREATE TABLE fleet.audit_intake (
        id       uuid        PRIMARY KEY,
        entry    jsonb       NOT NULL,
        began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz,
        status   integer
      );

      -- The end of the chain of each organisation, and where it begins after old months were deleted.
      CREATE TABLE fleet.audit_chain (
        organisation_id uuid   PRIMARY KEY REFERENCES fleet.organisation (id),
        seq             bigint NOT NULL,
        hash            bytea  NOT NULL,
        pruned_seq      bigint NOT NULL DEFAULT 0,
        pruned_hash     bytea  NOT NULL
      );

      CREATE TABLE fleet.audit_record (
        organisation_id uuid        NOT NULL REFERENCES fleet.organisation (id),
        seq             bigint      NOT NULL,
        id              uuid        NOT NULL,
        at              timestamptz NOT NULL,
        by              text        NOT NULL,
        address         text        NOT NULL,
        operation_id    text        NOT NULL,
        resources       jsonb       NOT NULL,
        request_id      text,
        -- Null: the process died before it could note it.
        status          integer,
        kept_at         timestamptz NOT NULL,
        prev_hash       bytea       NOT NULL,
        hash            bytea       NOT NULL,
        PRIMARY KEY (organisation_id, seq)
      );
      CREATE INDEX audit_record_kept_at ON fleet.audit_record (kept_at);
      REVOKE UPDATE, DELETE, TRUNCATE ON fleet.audit_record FROM PUBLIC;

      CREATE FUNCTION fleet.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' AND current_setting('aerie.audit_prune', true) = 'on' THEN RETURN OLD; END IF;
          RAISE EXCEPTION 'audit records are not changed and not deleted' USING ERRCODE = 'insufficient_privilege';
        END $$;
      CREATE TRIGGER audit_record_stays BEFORE UPDATE OR DELETE ON fleet.audit_record
        FOR EACH ROW EXECUTE FUNCTION fleet.refuse_audit_change();
      CREATE TRIGGER audit_record_is_not_emptied BEFORE TRUNCATE ON fleet.audit_record
        FOR EACH STATEMENT EXECUTE FUNCTION fleet.refuse_audit_change();

      -- The one way to delete: the oldest month that ended before so many months, whole. The month that ended last stays
      -- whatever is asked for.
      CREATE FUNCTION fleet.prune_audit(months integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog AS $$
        DECLARE
          oldest timestamptz;
          until  timestamptz;
          gone   bigint;
        BEGIN
          SELECT min(kept_at) INTO oldest FROM fleet.audit_record;
          until := date_trunc('month', oldest AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 month';
          IF oldest IS NULL OR until > date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
            - make_interval(months => greatest(months, 1)) THEN RETURN 0; END IF;
          UPDATE fleet.audit_chain c SET pruned_seq = r.seq, pruned_hash = r.hash
            FROM (SELECT DISTINCT ON (organisation_id) organisation_id, seq, hash FROM fleet.audit_record
                   WHERE kept_at < until ORDER BY organisation_id, seq DESC) r
           WHERE c.organisation_id = r.organisation_id;
          PERFORM set_config('aerie.audit_prune', 'on', true);
          DELETE FROM fleet.audit_record WHERE kept_at < until;
          GET DIAGNOSTICS gone = ROW_COUNT;
          PERFORM set_config('aerie.audit_prune', 'off', true);
          RETURN gone;
        END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION fleet.prune_audit;
      DROP TABLE fleet.audit_record, fleet.audit_chain, fleet.audit_intake;
      DROP FUNCTION fleet.refuse_audit_change;
    `);
  }
}
