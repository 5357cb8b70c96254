import type { Prune, SchemaRights } from '@aerie/persistence';
import { ORGANISATION } from '@aerie/persistence';

/** The tables, for a migration of a service: fleet-service made its own first, and they are the same. */
export const auditTables = (schema: string): string => `
  -- Entries that are not in a chain yet. A row with \`ended_at\` ends the request that its entry names.
  CREATE TABLE ${schema}.audit_intake (
    id       uuid        PRIMARY KEY,
    entry    jsonb       NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    status   integer
  );

  -- The end of the chain of each organisation, and where it begins after old months were deleted.
  CREATE TABLE ${schema}.audit_chain (
    organisation_id uuid   PRIMARY KEY,
    seq             bigint NOT NULL,
    hash            bytea  NOT NULL,
    pruned_seq      bigint NOT NULL DEFAULT 0,
    pruned_hash     bytea  NOT NULL
  );

  CREATE TABLE ${schema}.audit_record (
    organisation_id uuid        NOT NULL,
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
  CREATE INDEX audit_record_kept_at ON ${schema}.audit_record (kept_at);

  CREATE FUNCTION ${schema}.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND current_setting('aerie.audit_prune', true) = 'on' THEN RETURN OLD; END IF;
      RAISE EXCEPTION 'audit records are not changed and not deleted' USING ERRCODE = 'insufficient_privilege';
    END $$;
  CREATE TRIGGER audit_record_stays BEFORE UPDATE OR DELETE ON ${schema}.audit_record
    FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse_audit_change();
  CREATE TRIGGER audit_record_is_not_emptied BEFORE TRUNCATE ON ${schema}.audit_record
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.refuse_audit_change();

  -- The one way to delete: the oldest month that ended before so many months, whole. The month that ended last stays
  -- whatever is asked for.
  CREATE FUNCTION ${schema}.prune_audit(months integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog AS $$
    DECLARE
      oldest timestamptz;
      until  timestamptz;
      gone   bigint;
    BEGIN
      SELECT min(kept_at) INTO oldest FROM ${schema}.audit_record;
      until := date_trunc('month', oldest AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 month';
      IF oldest IS NULL OR until > date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        - make_interval(months => greatest(months, 1)) THEN RETURN 0; END IF;
      UPDATE ${schema}.audit_chain c SET pruned_seq = r.seq, pruned_hash = r.hash
        FROM (SELECT DISTINCT ON (organisation_id) organisation_id, seq, hash FROM ${schema}.audit_record
               WHERE kept_at < until ORDER BY organisation_id, seq DESC) r
       WHERE c.organisation_id = r.organisation_id;
      PERFORM set_config('aerie.audit_prune', 'on', true);
      DELETE FROM ${schema}.audit_record WHERE kept_at < until;
      GET DIAGNOSTICS gone = ROW_COUNT;
      PERFORM set_config('aerie.audit_prune', 'off', true);
      RETURN gone;
    END $$;
`;

export const dropAuditTables = (schema: string): string => `
  DROP FUNCTION ${schema}.prune_audit;
  DROP TABLE ${schema}.audit_record, ${schema}.audit_chain, ${schema}.audit_intake;
  DROP FUNCTION ${schema}.refuse_audit_change;
`;

/** Requests add entries and read records. A record is made of an entry and is never changed; old months go by a function of the migrator's. */
export const AUDIT_RIGHTS: Pick<SchemaRights, 'tables'> & Required<Pick<SchemaRights, 'functions'>> = {
  tables: {
    audit_chain: { api: 'select', engine: 'select insert update' },
    audit_intake: {
      ...{ api: 'insert', engine: 'select delete lock:id' },
      reachedWhere: `(entry->>'organisationId')::uuid = ${ORGANISATION}`,
    },
    audit_record: { api: 'select', engine: 'select insert' },
  },
  functions: { 'prune_audit(integer)': ['engine'] },
};

/** Old months, whole. */
export const auditPrune = (schema: string, months: number): Prune => ({
  name: 'audit_record',
  async batch(tx) {
    const row = await tx.one<{ gone: string }>(`SELECT ${schema}.prune_audit($1) AS gone`, [months]);
    const gone = Number(row?.gone);
    return { rows: { audit_record: gone }, more: gone > 0 };
  },
});
