import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import type { Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, notThere, readCursor, readInput, toPage } from '@aerie/http-api';
import { InvalidError, isUuid } from '@aerie/kernel';
import { AlarmTexts } from './alarm-texts.js';
import { acknowledgement, alarmChange, alarmListQuery, levelOf, moduleOf } from './alarm.schema.js';
import { type AlarmRow, AlarmStore } from './alarm.store.js';

const positionOf = ({ position, id }: AlarmRow) => ({ createdAt: position, id });

/** Alarms of the caller's organisation. */
@Controller('api/v1/alarms')
@UseGuards(ApiKeyGuard)
export class AlarmsController {
  constructor(
    private readonly alarms: AlarmStore,
    private readonly texts: AlarmTexts,
  ) {}

  @Get()
  async list(@Caller() caller: Principal, @Query() query: unknown): Promise<unknown> {
    const { cursor, ...wanted } = readInput(alarmListQuery, query, 'query');
    const rows = await this.alarms.list(caller, { ...wanted, after: readCursor(cursor) });
    return toPage(rows, wanted.limit, positionOf, (row) => this.viewOf(row));
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<unknown> {
    return this.view(id, isUuid(id) ? await this.alarms.find(caller, id) : undefined);
  }

  /** Somebody has seen it. It stays open until the device no longer has it. */
  @Post(':id/acknowledge')
  @HttpCode(200)
  async acknowledge(@Caller() caller: Principal, @Param('id') id: string, @Body() body: unknown): Promise<unknown> {
    const { note } = readInput(acknowledgement, body ?? {});
    return this.view(id, isUuid(id) ? await this.alarms.acknowledge(caller, id, note) : undefined);
  }

  @Patch(':id')
  async change(@Caller() caller: Principal, @Param('id') id: string, @Body() body: unknown): Promise<unknown> {
    const change = readInput(alarmChange, body);
    const row = isUuid(id) ? await this.alarms.change(caller, id, change) : undefined;
    if (row === 'noMember') throw noMember(change.assignedTo ?? '');
    return this.view(id, row);
  }

  private view(id: string, row: AlarmRow | undefined): unknown {
    if (row === undefined) throw unknownAlarm(id);
    return this.viewOf(row);
  }

  private viewOf(row: AlarmRow): unknown {
    const said = { code: row.code, inTheSky: row.in_the_sky, isDock: row.device_sn === row.dock_sn };
    const indices = { componentIndex: row.component_index, sensorIndex: row.sensor_index };
    return {
      id: row.id,
      dockSn: row.dock_sn,
      deviceSn: row.device_sn,
      code: row.code,
      text: this.texts.of({ ...said, ...indices }),
      level: levelOf(row.level),
      imminent: row.imminent,
      inTheSky: row.in_the_sky,
      module: moduleOf(row.module),
      deviceType: row.device_type,
      ...indices,
      open: row.closed_at === null,
      openedAt: row.opened_at.toISOString(),
      lastSeenAt: row.seen_at.toISOString(),
      closedAt: row.closed_at?.toISOString() ?? null,
      times: row.times,
      acknowledgedAt: row.acknowledged_at?.toISOString() ?? null,
      acknowledgedBy: row.acknowledged_by,
      assignedTo: row.assigned_to,
      note: row.note,
    };
  }
}

const unknownAlarm = (id: string) =>
  notThere({
    ...{ code: 'unknown_alarm', noun: 'alarm', field: 'id', sent: id },
    advice: 'GET /api/v1/alarms lists the alarms',
  });

const noMember = (id: string) =>
  new InvalidError('unknown_member', 'the alarm was not changed', {
    fields: [{ field: 'assignedTo', message: `${id} is no member; GET /api/v1/members lists the members` }],
  });
