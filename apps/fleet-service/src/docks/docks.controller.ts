import { Body, Controller, Get, HttpCode, Param, Patch, Post, Put, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal, coordinatesOf } from '@aerie/bus-contract';
import {
  ApiKeyGuard,
  Caller,
  cursorParts,
  demand,
  isCursorInstant,
  readInput,
  unknownDock,
  writeCursor,
} from '@aerie/http-api';
import { ConflictError, InvalidError, isSerialNumber } from '@aerie/kernel';
import { reachesDock } from '@aerie/persistence';
import { type Response } from 'express';
import { DockNotes } from '../dock-state/dock-notes.js';
import { DockPresence, DockStates } from '../dock-state/dock-states.js';
import { levelOf } from '../alarms/alarm.schema.js';
import { ONLINE_WITHIN_MS } from '../dock-state/sight.js';
import { shownProperties } from './dock/shown-properties.js';
import { reportedModelOf } from './dock/model-keys.js';
import { DockPositions, positionOf } from './dock-positions.js';
import { ChangeDock, dockHasConnected } from './change-dock.js';
import { dockChange, dockListQuery, newDock, newPosition, newSerialNumber } from './dock.schema.js';
import { CutOffDocks, notCutOff } from './cut-offs/cut-off-docks.js';
import { OwnCutOffs } from './cut-offs/cut-off.store.js';
import { DockStore, type ShownDockRow } from './dock.store.js';
import { RegisterDock } from './register-dock.js';

/** Where docks find the broker. */
export class DockBrokerAddress {
  constructor(readonly url: string) {}
}

@Controller('api/v1/docks')
@UseGuards(ApiKeyGuard)
export class DocksController {
  constructor(
    private readonly registerDock: RegisterDock,
    private readonly changeDock: ChangeDock,
    private readonly docks: DockStore,
    private readonly states: DockStates,
    private readonly positions: DockPositions,
    private readonly notes: DockNotes,
    private readonly broker: DockBrokerAddress,
    private readonly cutOffs: OwnCutOffs,
    private readonly cutOffDocks: CutOffDocks,
  ) {}

  /** Registers a dock. The answer holds its credentials, this one time. */
  @Post()
  async register(@Caller() caller: Principal, @Body() body: unknown, @Res() response: Response): Promise<void> {
    const dock = readInput(newDock, body);
    const credentials = await this.registerDock.register(caller, {
      ...dock,
      name: dock.name ?? dock.sn,
    });
    const view = await this.view(caller, dock.sn);
    response
      .status(201)
      .location(`/api/v1/docks/${dock.sn}`)
      .json({ ...view, ...this.connectionOf(caller, dock.sn, credentials) });
  }

  @Get()
  async list(@Caller() caller: Principal, @Query() query: unknown): Promise<unknown> {
    const { limit, cursor, retired, siteId } = readInput(dockListQuery, query, 'query');
    const after = readDockCursor(cursor);
    const rows = await this.docks.list(caller, { limit, after, retired, siteId });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const presence = await this.states.presence(shown.map(({ sn }) => sn));
    return {
      items: shown.map((row) => viewOf(row, presence.get(row.sn))),
      nextCursor: rows.length > limit && last ? writeCursor(DOCK_LIST, [last.position, last.sn]) : null,
    };
  }

  @Get(':sn')
  find(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    return this.view(caller, sn);
  }

  /** Renames the dock, corrects the model that it was registered as, or says at which site it is. */
  @Patch(':sn')
  async correct(@Caller() caller: Principal, @Param('sn') sn: string, @Body() body: unknown): Promise<unknown> {
    const change = readInput(dockChange, body);
    if (change.siteId !== undefined) demand(caller, 'sites.manage');
    await this.changeDock.change(caller, sn, change);
    return this.view(caller, sn);
  }

  /** For a dock that was registered under a wrong serial number and never connected. New credentials, this one time. */
  @Post(':sn/serial-number')
  @HttpCode(200)
  async correctSn(@Caller() caller: Principal, @Param('sn') wrongSn: string, @Body() body: unknown): Promise<unknown> {
    const { sn } = readInput(newSerialNumber, body);
    await this.view(caller, wrongSn);
    if (sn === wrongSn) throw sameSn(sn);
    const presence = (await this.states.presence([wrongSn])).get(wrongSn);
    if (presence != null && presence.lastSeenAt !== null) throw dockHasConnected(wrongSn);
    const credentials = await this.changeDock.correctSn(caller, wrongSn, sn);
    return { ...(await this.view(caller, sn)), ...this.connectionOf(caller, sn, credentials) };
  }

  /** Takes the dock out of service. Its missions and logs stay. */
  @Post(':sn/retire')
  @HttpCode(200)
  async retire(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    await this.changeDock.retire(caller, sn);
    return this.view(caller, sn);
  }

  /** When and why the dock was cut off, the latest first. */
  @Get(':sn/cut-offs')
  async listCutOffs(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    await this.view(caller, sn);
    const rows = await this.cutOffs.history(caller, sn);
    return {
      items: rows.map((row) => ({
        since: row.since.toISOString(),
        until: row.until?.toISOString() ?? null,
        reason: row.reason,
        endedAt: row.ended_at?.toISOString() ?? null,
        endedBy: row.ended_by,
      })),
    };
  }

  /** Lets a dock in again that was cut off, at once. */
  @Post(':sn/cut-off/end')
  @HttpCode(200)
  async endCutOff(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    await this.view(caller, sn);
    if (!(await this.cutOffs.endByPerson(caller, sn))) throw notCutOff(sn);
    this.cutOffDocks.runSoon();
    return this.view(caller, sn);
  }

  /** Keeps a dock out that was cut off, until a person ends it. */
  @Post(':sn/cut-off/keep')
  @HttpCode(200)
  async keepCutOff(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    await this.view(caller, sn);
    if (!(await this.cutOffs.keep(caller, sn))) throw notCutOff(sn);
    this.cutOffDocks.runSoon();
    return this.view(caller, sn);
  }

  /** The aircraft of a dock, and those that came and went. */
  @Get(':sn/aircraft')
  async aircraft(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    const { online } = await this.view(caller, sn);
    const { aircraft, moves } = await this.docks.aircraftOf(caller, sn);
    return {
      items: aircraft.map((row) => ({
        sn: row.sn,
        online: row.online && online,
        modelKey: row.model_key,
        since: row.updated_at.toISOString(),
      })),
      moves: moves.map((row) => ({
        aircraftSn: row.aircraft_sn,
        // Where it came from or went to may be none of the docks that the caller reaches.
        fromDockSn: reached(caller, row.from_dock_sn),
        toDockSn: reached(caller, row.to_dock_sn),
        reason: row.reason,
        at: row.moved_at.toISOString(),
      })),
    };
  }

  /** Frees an aircraft that is no longer in the dock. */
  @Post(':sn/aircraft/:aircraftSn/release')
  @HttpCode(200)
  async releaseAircraft(
    @Caller() caller: Principal,
    @Param('sn') sn: string,
    @Param('aircraftSn') aircraftSn: string,
  ): Promise<unknown> {
    await this.changeDock.releaseAircraft(caller, sn, aircraftSn);
    return this.view(caller, sn);
  }

  /** The freshest value of every property that the dock and its aircraft told, with its age. */
  @Get(':sn/state')
  async state(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    const dock = await this.docks.find(caller, sn);
    if (dock === undefined) throw unknownDock('sn', sn);
    const [state] = await this.states.read([sn]);
    const aircraft = dock.aircraft_sn === null ? undefined : (await this.states.read([dock.aircraft_sn]))[0];
    const online = (await this.states.presence([sn])).get(sn);
    return {
      sn,
      online: online?.online ?? false,
      lastSeenAt: online?.lastSeenAt ?? null,
      properties: shownProperties('dock', state?.properties ?? {}),
      aircraft:
        dock.aircraft_sn === null
          ? null
          : { sn: dock.aircraft_sn, properties: shownProperties('aircraft', aircraft?.properties ?? {}) },
      notes: await this.notes.of(sn),
    };
  }

  /** For a dock that does not know where it is. One that says its position now is not contradicted. */
  @Put(':sn/position')
  async enterPosition(@Caller() caller: Principal, @Param('sn') sn: string, @Body() body: unknown): Promise<unknown> {
    const position = readInput(newPosition, body);
    if ((await this.docks.find(caller, sn)) === undefined) throw unknownDock('sn', sn);
    const [state] = await this.states.read([sn], ['latitude', 'longitude']);
    const { latitude, longitude } = state?.properties ?? {};
    const isFresh = latitude !== undefined && latitude.agoMs < ONLINE_WITHIN_MS;
    if (isFresh && coordinatesOf(latitude.value, longitude?.value) !== null) throw dockKnowsPosition(sn);
    if (!(await this.positions.enter(caller, sn, position))) throw unknownDock('sn', sn);
    return this.view(caller, sn);
  }

  /** New MQTT password and binding code; the old ones stop working. */
  @Post(':sn/credentials')
  @HttpCode(200)
  async renew(@Caller() caller: Principal, @Param('sn') sn: string): Promise<unknown> {
    return this.connectionOf(caller, sn, await this.registerDock.renew(caller, sn));
  }

  private connectionOf(caller: Principal, sn: string, credentials: { mqttPassword: string; bindingCode: string }) {
    return {
      mqttUrl: this.broker.url,
      mqttUser: sn,
      mqttPassword: credentials.mqttPassword,
      organisationId: caller.organisationId,
      bindingCode: credentials.bindingCode,
    };
  }

  private async view(caller: Principal, sn: string) {
    const row = await this.docks.find(caller, sn);
    if (row === undefined) throw unknownDock('sn', sn);
    return viewOf(row, (await this.states.presence([sn])).get(sn));
  }
}

const reached = (caller: Principal, dockSn: string | null): string | null =>
  dockSn !== null && reachesDock(caller, dockSn) ? dockSn : null;

function viewOf(row: ShownDockRow, presence: DockPresence | undefined) {
  const reportedModel = reportedModelOf(row);
  return {
    sn: row.sn,
    name: row.name,
    siteId: row.site_id,
    model: row.model,
    reportedModel,
    modelMismatch: reportedModel !== null && reportedModel !== row.model,
    protocolGeneration: row.protocol_generation,
    online: presence?.online ?? false,
    lastSeenAt: presence?.lastSeenAt ?? null,
    aircraft:
      row.aircraft_sn === null
        ? null
        : {
            sn: row.aircraft_sn,
            // What its dock said last counts only as long as the dock is heard.
            online: row.aircraft_online === true && presence?.online === true,
            modelKey: row.aircraft_model_key,
          },
    position: positionOf(row),
    cutOff:
      row.cut_off_since === null
        ? null
        : {
            since: row.cut_off_since.toISOString(),
            until: row.cut_off_until?.toISOString() ?? null,
            reason: row.cut_off_reason ?? '',
          },
    alarms: { open: row.open_alarms, worst: row.open_alarms === 0 ? null : levelOf(row.worst_alarm) },
    boundAt: row.bound_at?.toISOString() ?? null,
    retiredAt: row.retired_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}

function sameSn(sn: string): ConflictError {
  const message = `is ${sn} already; send the right serial number`;
  return new ConflictError('same_sn', `failed to correct the serial number of ${sn}`, {
    fields: [{ field: 'sn', message }],
  });
}

function dockKnowsPosition(sn: string): ConflictError {
  const message = 'cannot be entered while the dock says its position itself; correct it at the dock';
  return new ConflictError('position_from_dock', `failed to enter the position of ${sn}`, {
    fields: [{ field: 'latitude', message }],
  });
}

const DOCK_LIST = 'docks';

function readDockCursor(cursor: string | undefined): { createdAt: string; sn: string } | null {
  if (cursor === undefined) return null;
  const [createdAt, sn] = cursorParts(DOCK_LIST, cursor) ?? [];
  if (createdAt === undefined || sn === undefined || !isCursorInstant(createdAt) || !isSerialNumber(sn)) {
    throw new InvalidError('invalid_input', 'the query is not valid', {
      fields: [{ field: 'cursor', message: 'is no cursor of this list; begin at the first page without it' }],
    });
  }
  return { createdAt, sn };
}
