import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import { ApiKeyGuard, Caller, type Page, pageQuery, readCursor, readIdempotencyKey, readInput } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { type Response } from 'express';
import { CancelMission, unknownMission } from './cancel-mission.js';
import { CreateMission } from './create-mission.js';
import { missionFilter, readNewMission, resolution } from './mission.input.js';
import { ResolveMission } from './resolve-mission.js';
import { MissionReadModel, type TimelineView } from './store/mission.read-model.js';
import { type MissionView } from './store/mission.view.js';

@Controller('api/v1/missions')
@UseGuards(ApiKeyGuard)
export class MissionsController {
  constructor(
    private readonly createMission: CreateMission,
    private readonly cancelMission: CancelMission,
    private readonly resolveMission: ResolveMission,
    private readonly missions: MissionReadModel,
  ) {}

  /** Accepts a mission. With an `Idempotency-Key`, a repeat gets the first answer and makes no second mission. */
  @Post()
  async create(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const idempotencyKey = readIdempotencyKey(key);
    const input = readNewMission(body, Date.now());
    const answer = await this.createMission.execute(caller, input, { idempotencyKey, body });
    const { id } = JSON.parse(answer.body) as { id: string };
    response.status(answer.status).location(`/api/v1/missions/${id}`).type('application/json').send(answer.body);
  }

  @Get()
  list(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<MissionView>> {
    const { limit, cursor } = readInput(pageQuery, query, 'query');
    const { dockSn, state } = readInput(missionFilter, query, 'query');
    return this.missions.list(caller.organisationId, { dockSn, state }, limit, readCursor(cursor));
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<MissionView> {
    const mission = isUuid(id) ? await this.missions.find(caller.organisationId, id) : undefined;
    if (mission === undefined) throw unknownMission(id);
    return mission;
  }

  /** Calls a mission off before it starts. Idempotent; 409 once the dock has been told to start. */
  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@Caller() caller: Principal, @Param('id') id: string): Promise<MissionView> {
    if (!isUuid(id)) throw unknownMission(id);
    return this.cancelMission.execute(caller, id);
  }

  /** A person has looked at a dock whose flight ended in a way that nobody knows; it may fly by itself again. */
  @Post(':id/resolve')
  @HttpCode(200)
  async resolve(@Caller() caller: Principal, @Param('id') id: string, @Body() body: unknown): Promise<MissionView> {
    const { note } = readInput(resolution, body);
    if (!isUuid(id)) throw unknownMission(id);
    return this.resolveMission.execute(caller, id, note);
  }

  /** Everything that happened to the mission, oldest first. */
  @Get(':id/timeline')
  async timeline(@Caller() caller: Principal, @Param('id') id: string): Promise<{ items: TimelineView[] }> {
    const items = isUuid(id) ? await this.missions.timeline(caller.organisationId, id) : undefined;
    if (items === undefined) throw unknownMission(id);
    return { items };
  }
}
