import type { ApiDatabase } from '@aerie/persistence';
import type { AuditRow } from './audit-chain.js';
import type { AuditFilter } from './audit.schema.js';

/** The records of an organisation, newest first. */
export class AuditRecords {
  constructor(
    private readonly database: ApiDatabase,
    private readonly schema: string,
  ) {}

  list(
    organisationId: string,
    filter: AuditFilter,
    { limit, before }: { readonly limit: number; readonly before: string | null },
  ): Promise<AuditRow[]> {
    return this.database.of(organisationId).query<AuditRow>(
      `SELECT * FROM ${this.schema}.audit_record
        WHERE organisation_id = $1 AND ($2::bigint IS NULL OR seq < $2)
          AND ($3::text IS NULL OR by = $3) AND ($4::text IS NULL OR operation_id = $4)
          AND ($5::text IS NULL OR jsonb_path_exists(resources, '$.* ? (@ == $id)', jsonb_build_object('id', $5::text)))
          AND ($6::boolean IS NULL OR coalesce(status IN (401, 403), false) = $6)
          AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
        ORDER BY seq DESC LIMIT $9`,
      [
        ...[organisationId, before, filter.by ?? null, filter.operationId ?? null, filter.resourceId ?? null],
        ...[filter.refused ?? null, filter.from ?? null, filter.until ?? null, limit],
      ],
    );
  }
}
