import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readInput } from '@aerie/http-api';
import { DataSource } from 'typeorm';
import type { AuditRow } from './audit-chain.js';
import { auditQuery } from './audit.schema.js';

/** The audit trail of the caller's organisation. */
@Controller('api/v1/audit')
@UseGuards(ApiKeyGuard)
export class AuditController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  async list(@Caller() { organisationId }: Principal, @Query() query: unknown): Promise<unknown> {
    const { limit, cursor, ...filter } = readInput(auditQuery, query, 'query');
    const rows = await this.dataSource.query<AuditRow[]>(
      `SELECT * FROM fleet.audit_record
        WHERE organisation_id = $1 AND ($2::bigint IS NULL OR seq < $2)
          AND ($3::text IS NULL OR by = $3) AND ($4::text IS NULL OR operation_id = $4)
          AND ($5::text IS NULL OR jsonb_path_exists(resources, '$.* ? (@ == $id)', jsonb_build_object('id', $5::text)))
          AND ($6::boolean IS NULL OR coalesce(status IN (401, 403), false) = $6)
          AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
        ORDER BY seq DESC LIMIT $9`,
      [
        ...[organisationId, cursor ?? null, filter.by ?? null, filter.operationId ?? null, filter.resourceId ?? null],
        ...[filter.refused ?? null, filter.from ?? null, filter.until ?? null, limit + 1],
      ],
    );
    const shown = rows.slice(0, limit);
    return { items: shown.map(viewOf), nextCursor: rows.length > limit ? (shown.at(-1)?.seq ?? null) : null };
  }
}

const viewOf = (row: AuditRow) => ({
  id: row.id,
  seq: Number(row.seq),
  at: row.at.toISOString(),
  by: row.by,
  address: row.address,
  operationId: row.operation_id,
  resources: row.resources,
  requestId: row.request_id,
  status: row.status,
  hash: row.hash.toString('hex'),
});
