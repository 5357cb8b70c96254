import { Body, Controller, Get, Headers, HttpCode, Param, Patch, Post, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import {
  ApiKeyGuard,
  Caller,
  type Page,
  type StoredAnswer,
  etagOf,
  pageQuery,
  readCursor,
  readIdempotencyKey,
  readIfMatch,
  readInput,
  AuditedWithItsChange,
  NotAudited,
} from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import { type Response } from 'express';
import { ResumeMission } from '../breakpoints/resume-mission.js';
import { CancelMission } from '../control/cancel-mission.js';
import { DecideApproval } from '../control/decide-approval.js';
import { unknownMission } from '../views/unknown-mission.js';
import { ResolveMission } from '../control/resolve-mission.js';
import {
  createQuery,
  readMissionQuery,
  readNewMission,
  readReschedule,
  resolution,
  resumeFromBreakPoint,
  why,
} from './mission.input.js';
import { CreateMission, type Preview } from '../planning/create-mission.js';
import { RescheduleMission } from '../planning/reschedule-mission.js';
import { MissionReadModel } from '../views/mission.read-model.js';
import { type MissionView } from '../views/mission.view.js';

@Controller('api/v1/missions')
@UseGuards(ApiKeyGuard)
export class MissionsController {
  constructor(
    private readonly createMission: CreateMission,
    private readonly rescheduleMission: RescheduleMission,
    private readonly cancelMission: CancelMission,
    private readonly decideApproval: DecideApproval,
    private readonly resolveMission: ResolveMission,
    private readonly resumeMission: ResumeMission,
    private readonly missions: MissionReadModel,
  ) {}

  /** Accepts a mission. With an `Idempotency-Key`, a repeat gets the first answer and makes no second mission. */
  @Post()
  @AuditedWithItsChange()
  async create(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Query() query: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const request = { route: 'POST /missions', idempotencyKey: readIdempotencyKey(key), body };
    if (readInput(createQuery, query, 'query').dryRun === true) {
      const preview: Preview = await this.createMission.preview(caller, readNewMission(body, Date.now()));
      response.status(200).json(preview);
      return;
    }
    const answer = await this.createMission.answerOnce(caller, request, () =>
      this.createMission.execute(caller, readNewMission(body, Date.now()), request),
    );
    sendCreated(response, answer);
  }

  /** All checks of a new mission; nothing is written. */
  @Post('preview')
  @HttpCode(200)
  @NotAudited()
  preview(@Caller() caller: Principal, @Body() body: unknown): Promise<Preview> {
    return this.createMission.preview(caller, readNewMission(body, Date.now()));
  }

  @Get()
  list(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<MissionView>> {
    const { limit, cursor } = readInput(pageQuery, query, 'query');
    const { filter, sort } = readMissionQuery(query);
    return this.missions.list(caller, filter, sort, limit, readCursor(cursor, sort));
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<MissionView> {
    const mission = isUuid(id) ? await this.missions.find(caller, id) : undefined;
    if (mission === undefined) throw unknownMission(id);
    return mission;
  }

  /** Moves a timed mission to another time, as long as its dock was not told to start. */
  @Patch(':id')
  @AuditedWithItsChange()
  async reschedule(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<MissionView> {
    const executeAtMs = readReschedule(body, Date.now());
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownMission(id);
    return this.rescheduleMission.execute(caller, id, executeAtMs, version);
  }

  /** Calls a mission off before it starts. Idempotent; 409 with what can be done instead once the dock was told to start. */
  @Post(':id/cancel')
  @HttpCode(200)
  @AuditedWithItsChange()
  async cancel(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<MissionView> {
    const { reason = null } = readInput(why, body ?? {});
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownMission(id);
    return this.cancelMission.execute(caller, id, { reason, version });
  }

  /** Another person than the one who planned it approves it. Idempotent for that person. */
  @Post(':id/approve')
  @HttpCode(200)
  @AuditedWithItsChange()
  async approve(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<MissionView> {
    const { reason = null } = readInput(why, body ?? {});
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownMission(id);
    return this.decideApproval.approve(caller, id, { reason, version });
  }

  /** A mission that awaits approval does not get it, and ends. Idempotent for who refused it. */
  @Post(':id/refuse')
  @HttpCode(200)
  @AuditedWithItsChange()
  async refuse(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<MissionView> {
    const { reason = null } = readInput(why, body ?? {});
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownMission(id);
    return this.decideApproval.refuse(caller, id, { reason, version });
  }

  /** A new mission that goes on where this one stopped. */
  @Post(':id/resume-from-breakpoint')
  @AuditedWithItsChange()
  async resumeFromBreakPoint(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const idempotencyKey = readIdempotencyKey(key);
    const { breakPointId = null, executeAt = null, ...input } = readInput(resumeFromBreakPoint, body ?? {});
    if (!isUuid(id)) throw unknownMission(id);
    const wish = {
      breakPointId,
      executeAtMs: executeAt,
      name: input.name ?? null,
      rthAltitudeMeters: input.rthAltitudeMeters ?? null,
    };
    const request = { route: `POST /missions/${id}/resume-from-breakpoint`, idempotencyKey, body: body ?? {} };
    const answer = await this.createMission.answerOnce(caller, request, () =>
      this.resumeMission.execute(caller, id, wish, request),
    );
    sendCreated(response, answer);
  }

  /** A person has looked at a dock whose flight ended in a way that nobody knows; it may fly by itself again. */
  @Post(':id/resolve')
  @HttpCode(200)
  @AuditedWithItsChange()
  async resolve(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<MissionView> {
    const { note } = readInput(resolution, body);
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownMission(id);
    return this.resolveMission.execute(caller, id, note, version);
  }
}

function sendCreated(response: Response, { status, body }: StoredAnswer): void {
  const { id, version } = JSON.parse(body) as { id: string; version: number };
  response.status(status).location(`/api/v1/missions/${id}`).setHeader('ETag', etagOf(version));
  response.type('application/json').send(body);
}
