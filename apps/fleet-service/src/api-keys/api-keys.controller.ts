import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal, ROLES } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, notThere, pastMessage, readCursor, readInput, toPage } from '@aerie/http-api';
import { InvalidError, isUuid } from '@aerie/kernel';
import { type Response } from 'express';
import { keyListQuery, newKey, rotation } from './api-key.schema.js';
import { shownRights } from '../sites/holders.js';
import { ApiKeyStore, type KeyRow, type MadeKey } from './api-key.store.js';

/** API keys of the caller's organisation. */
@Controller('api/v1/api-keys')
@UseGuards(ApiKeyGuard)
export class ApiKeysController {
  constructor(private readonly keys: ApiKeyStore) {}

  /** The answer holds the key, this one time. */
  @Post()
  async make(@Caller() caller: Principal, @Body() body: unknown, @Res() response: Response): Promise<void> {
    const wanted = readInput(newKey, body);
    refusePast(wanted.expiresAt);
    send(response, await this.keys.make(caller, wanted));
  }

  @Get()
  async list(@Caller() caller: Principal, @Query() query: unknown): Promise<unknown> {
    const { limit, cursor, valid = null } = readInput(keyListQuery, query, 'query');
    const rows = await this.keys.list(caller.organisationId, { limit, after: readCursor(cursor), valid });
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), viewOf);
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const row = isUuid(id) ? await this.keys.find(caller.organisationId, id) : undefined;
    if (row === undefined) throw unknownKey(id);
    return viewOf(row);
  }

  /** A new key in the place of this one; the answer holds it, this one time. */
  @Post(':id/rotate')
  async rotate(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Res() response: Response,
  ): Promise<void> {
    const { keepSeconds, expiresAt } = readInput(rotation, body ?? {});
    refusePast(expiresAt);
    const made = isUuid(id) ? await this.keys.rotate(caller, id, { keepMs: keepSeconds * 1_000, expiresAt }) : null;
    if (made === null) throw unknownKey(id);
    send(response, made);
  }

  @Post(':id/revoke')
  @HttpCode(200)
  async revoke(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const row = isUuid(id) ? await this.keys.revoke(caller, id) : null;
    if (row === null) throw unknownKey(id);
    return viewOf(row);
  }
}

/** What is shown once is kept by nobody on the way. */
function send(response: Response, { key, row }: MadeKey): void {
  const location = `/api/v1/api-keys/${row.id}`;
  response
    .status(201)
    .location(location)
    .json({ ...viewOf(row), key });
}

const unknownKey = (id: string) =>
  notThere({
    ...{ code: 'unknown_key', noun: 'API key', field: 'id', sent: id },
    advice: 'GET /api/v1/api-keys lists the keys',
  });

function refusePast(expiresAt: Date | null): void {
  if (expiresAt === null || expiresAt.getTime() > Date.now()) return;
  const message = pastMessage(expiresAt, Date.now());
  throw new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field: 'expiresAt', message }] });
}

const viewOf = (row: KeyRow) => ({
  id: row.id,
  name: row.name,
  ...shownRights({ ...row, roles: row.roles ?? ROLES }),
  valid: row.valid,
  expiresAt: row.expires_at?.toISOString() ?? null,
  addresses: row.addresses,
  lastUsedAt: row.last_used_at?.toISOString() ?? null,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  revokedAt: row.revoked_at?.toISOString() ?? null,
  revokedBy: row.revoked_by,
  replaces: row.replaces,
});
