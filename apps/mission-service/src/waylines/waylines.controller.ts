import { unknownWayline } from './unknown-wayline.js';
import { Body, Controller, Get, Param, Patch, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, type Page, pageQuery, readCursor, readInput } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { type Request, type Response } from 'express';
import { z } from 'zod';
import { readUpload } from './read-upload.js';
import type { Warning } from './kmz/index.js';
import { StoreWayline } from './store-wayline.js';
import { type WaylineRow, WaylineStore } from './wayline.store.js';

export const uploadQuery = z.object({
  name: z.string().trim().min(1).max(100).optional().describe('For people. Default: the name of the file.'),
});

export const waylineListQuery = z.strictObject({
  ...pageQuery.shape,
  archived: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('`true` lists the archived ones instead of those that can be planned.'),
});

export const waylineChange = z
  .strictObject({
    name: z.string().trim().min(1).max(100).optional().describe('For people.'),
    archived: z.boolean().optional().describe('`true`: it can no longer be planned. `false`: it can again.'),
  })
  .refine(({ name, archived }) => name !== undefined || archived !== undefined, {
    path: ['name'],
    message: 'must be sent, or archived: there is nothing to change',
  });

@Controller('api/v1/waylines')
@UseGuards(ApiKeyGuard)
export class WaylinesController {
  constructor(
    private readonly storeWayline: StoreWayline,
    private readonly waylines: WaylineStore,
  ) {}

  /** Takes a KMZ as the raw body or as a file of a multipart form. 200 where the same bytes were stored before. */
  @Post()
  async upload(
    @Caller() caller: Principal,
    @Query() query: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { name } = readInput(uploadQuery, query, 'query');
    const { bytes, fileName } = await readUpload(request);
    const stored = await this.storeWayline.execute(caller, bytes, name ?? fileName ?? 'wayline');
    const { row, isNew, nowWarnings } = stored;
    const view = viewOf(row);
    response
      .status(isNew ? 201 : 200)
      .location(`/api/v1/waylines/${row.id}`)
      .json({ ...view, warnings: [...nowWarnings, ...view.warnings] });
  }

  @Get()
  list(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<WaylineView>> {
    const { limit, cursor, archived } = readInput(waylineListQuery, query, 'query');
    return this.waylines.list(caller.organisationId, { limit, after: readCursor(cursor), archived }, viewOf);
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<WaylineView> {
    return viewOf(await this.row(caller, id));
  }

  /** Renames it, archives it, or takes it back out. What is planned with it flies all the same. */
  @Patch(':id')
  async change(@Caller() caller: Principal, @Param('id') id: string, @Body() body: unknown): Promise<WaylineView> {
    const change = readInput(waylineChange, body);
    const row = isUuid(id) ? await this.waylines.change(caller.organisationId, id, change) : undefined;
    if (row === undefined) throw unknownWayline('id', id);
    return viewOf(row);
  }

  /** What flies, as GeoJSON: a line for each route and a point for each waypoint. */
  @Get(':id/route')
  async route(@Caller() caller: Principal, @Param('id') id: string, @Res() response: Response): Promise<void> {
    const { route } = await this.row(caller, id);
    response.type('application/geo+json').send(JSON.stringify(route));
  }

  private async row(caller: Principal, id: string): Promise<WaylineRow> {
    const row = isUuid(id) ? await this.waylines.find(caller.organisationId, id) : undefined;
    if (row !== undefined) return row;
    throw unknownWayline('id', id);
  }
}

type WaylineView = ReturnType<typeof viewOf>;

function viewOf(row: WaylineRow) {
  return {
    id: row.id,
    name: row.name,
    sha256: row.sha256,
    md5: row.md5,
    sizeBytes: row.size_bytes,
    aircraftModelKey: row.aircraft_model_key,
    exitOnRcLost: row.exit_on_rc_lost,
    plannedDurationSeconds: row.planned_duration_ms / 1_000,
    summary: row.summary,
    // As it was written: warnings of the reader.
    warnings: row.warnings as readonly Warning[],
    createdAt: row.created_at.toISOString(),
    archivedAt: row.archived_at?.toISOString() ?? null,
  };
}
