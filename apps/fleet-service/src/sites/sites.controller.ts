import { Body, Controller, Delete, Get, Param, Patch, Post, Query, Res, UseGuards } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, readCursor, readInput, toPage } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { type Response } from 'express';
import { newSite, siteChange, siteListQuery } from './site.schema.js';
import { type SiteRow, SiteStore } from './site.store.js';
import { unknownSite } from './unknown-site.js';

/** Sites of the caller's organisation. */
@Controller('api/v1/sites')
@UseGuards(ApiKeyGuard)
export class SitesController {
  constructor(private readonly sites: SiteStore) {}

  @Post()
  async make(@Caller() caller: Principal, @Body() body: unknown, @Res() response: Response): Promise<void> {
    const row = await this.sites.make(caller, readInput(newSite, body));
    response.status(201).location(`/api/v1/sites/${row.id}`).json(viewOf(row));
  }

  @Get()
  async list(@Caller() caller: Principal, @Query() query: unknown): Promise<unknown> {
    const { limit, cursor } = readInput(siteListQuery, query, 'query');
    const rows = await this.sites.list(caller, { limit, after: readCursor(cursor) });
    return toPage(rows, limit, ({ position, id }) => ({ createdAt: position, id }), viewOf);
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const row = isUuid(id) ? await this.sites.find(caller, id) : undefined;
    if (row === undefined) throw unknownSite('id', id);
    return viewOf(row);
  }

  @Patch(':id')
  async change(@Caller() caller: Principal, @Param('id') id: string, @Body() body: unknown): Promise<unknown> {
    const change = readInput(siteChange, body);
    const row = isUuid(id) ? await this.sites.change(caller, id, change) : null;
    if (row === null) throw unknownSite('id', id);
    return viewOf(row);
  }

  @Delete(':id')
  async remove(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    const row = isUuid(id) ? await this.sites.remove(caller, id) : null;
    if (row === null) throw unknownSite('id', id);
    return viewOf(row);
  }
}

const viewOf = (row: SiteRow) => ({
  id: row.id,
  name: row.name,
  timeZone: row.time_zone,
  latitude: row.latitude,
  longitude: row.longitude,
  docks: row.docks,
  createdAt: row.created_at.toISOString(),
});
