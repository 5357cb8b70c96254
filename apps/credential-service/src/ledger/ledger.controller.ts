import { Body, Controller, Get, HttpCode, Post, Query, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, type Page, pageQuery, readCursor, readInput } from '@aerie/http-api';
import { RevokeKeys } from '../revocation/revoke-keys.js';
import { type RevocationView, revokeInput } from '../revocation/revocation.schema.js';
import { readIssueQuery } from './issue.query.js';
import type { IssueView } from './issue.schema.js';
import { Ledger } from './ledger.js';

/** What was given out, and what was called back. */
@Controller('api/v1/storage')
@UseGuards(ApiKeyGuard)
export class LedgerController {
  constructor(
    private readonly ledger: Ledger,
    private readonly revokeKeys: RevokeKeys,
  ) {}

  @Get('issues')
  list(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<IssueView>> {
    const { filter, limit, cursor } = readIssueQuery(query);
    return this.ledger.list(caller.organisationId, filter, limit, readCursor(cursor));
  }

  @Post('revoke')
  @HttpCode(200)
  revoke(@Caller() caller: Principal, @Body() body: unknown): Promise<RevocationView> {
    const { dockSn = null, formerDock, reason } = readInput(revokeInput, body);
    return this.revokeKeys.execute(caller, { dockSn, formerDock, reason });
  }

  @Get('revocations')
  revocations(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<RevocationView>> {
    const { limit, cursor } = readInput(pageQuery, query, 'query');
    return this.revokeKeys.list(caller.organisationId, limit, readCursor(cursor));
  }
}
