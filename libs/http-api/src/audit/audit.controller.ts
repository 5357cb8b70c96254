import { Controller, Get, Query, type Type, UseGuards } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller } from '../api-key.guard.js';
import { readInput } from '../read-input.js';
import type { AuditRow } from './audit-chain.js';
import { AuditRecords } from './audit-records.js';
import { auditQuery } from './audit.schema.js';

/** Shows the audit trail of the caller's organisation, at the path that the service has for it. */
export function auditControllerAt(path: string): Type<object> {
  @Controller(path)
  @UseGuards(ApiKeyGuard)
  class AuditController {
    constructor(private readonly records: AuditRecords) {}

    @Get()
    async list(@Caller() { organisationId }: Principal, @Query() query: unknown): Promise<unknown> {
      const { limit, cursor, ...filter } = readInput(auditQuery, query, 'query');
      const rows = await this.records.list(organisationId, filter, { limit: limit + 1, before: cursor ?? null });
      const shown = rows.slice(0, limit);
      return { items: shown.map(viewOf), nextCursor: rows.length > limit ? (shown.at(-1)?.seq ?? null) : null };
    }
  }
  return AuditController;
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
