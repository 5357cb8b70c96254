import { Controller, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import type { Principal } from '@aerie/bus-contract';
import {
  AuditCalls,
  GrpcCaller,
  GrpcKeyGuard,
  GrpcProblemFilter,
  Permitted,
  type Message,
  type ProtoTimestamp,
  msOf,
  only,
  wordOf,
  StreamsOfPermitted,
} from '@aerie/grpc-api';
import {
  pageQuery,
  readCursor,
  readIdempotencyKey,
  readInput,
  AuditedWithItsChange,
  NotAudited,
} from '@aerie/http-api';
import { InvalidError, isUuid } from '@aerie/kernel';
import { type Observable, from, map, mergeMap } from 'rxjs';
import { ResumeMission } from '../missions/breakpoints/resume-mission.js';
import { CancelMission } from '../missions/control/cancel-mission.js';
import { DecideApproval } from '../missions/control/decide-approval.js';
import { unknownMission } from '../missions/views/unknown-mission.js';
import { ControlMission } from '../missions/control/control-mission.js';
import { CONTROL_ACTIONS, type ControlAction } from '../missions/control/controls.js';
import { ResolveMission } from '../missions/control/resolve-mission.js';
import {
  readMissionQuery,
  readNewMission,
  readReschedule,
  resolution,
  resumeFromBreakPoint,
  returnToDock,
  why,
} from '../missions/http/mission.input.js';
import { CreateMission } from '../missions/planning/create-mission.js';
import { RescheduleMission } from '../missions/planning/reschedule-mission.js';
import { MissionReadModel } from '../missions/views/mission.read-model.js';
import type { MissionView } from '../missions/views/mission.view.js';
import { bodyOfNewMission, missionMessage, previewMessage, queryOfList, timelineMessage } from './mission.messages.js';
import { WatchMissions } from './watch-missions.js';

/** The use cases of the HTTP API for other programs; each call is read by the very checks of its route. */
@Controller()
@UseGuards(GrpcKeyGuard)
@UseInterceptors(StreamsOfPermitted, AuditCalls)
@UseFilters(GrpcProblemFilter)
export class MissionGrpcController {
  constructor(
    private readonly createMission: CreateMission,
    private readonly rescheduleMission: RescheduleMission,
    private readonly cancelMission: CancelMission,
    private readonly controlMission: ControlMission,
    private readonly resumeMission: ResumeMission,
    private readonly resolveMission: ResolveMission,
    private readonly decideApproval: DecideApproval,
    private readonly missions: MissionReadModel,
    private readonly watchMissions: WatchMissions,
  ) {}

  @GrpcMethod('MissionService', 'CreateMission')
  @Permitted('missions.plan')
  @AuditedWithItsChange()
  async create(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const body = bodyOfNewMission(message['mission']);
    const idempotencyKey = readIdempotencyKey(textOf(message['idempotencyKey']));
    const request = { route: 'POST /missions', idempotencyKey, body };
    const answer = await this.createMission.answerOnce(caller, request, () =>
      this.createMission.execute(caller, readNewMission(body, Date.now()), request),
    );
    return created(answer);
  }

  @GrpcMethod('MissionService', 'PreviewMission')
  @Permitted('missions.plan')
  @NotAudited()
  async preview(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const input = readNewMission(bodyOfNewMission(message['mission']), Date.now());
    return previewMessage(await this.createMission.preview(caller, input));
  }

  @GrpcMethod('MissionService', 'GetMission')
  @Permitted('missions.read')
  async find(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    return one(await this.view(caller, idOf(message)));
  }

  @GrpcMethod('MissionService', 'ListMissions')
  @Permitted('missions.read')
  async list(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const query = queryOfList(message);
    const { limit, cursor } = readInput(pageQuery, query, 'request');
    const { filter, sort } = readMissionQuery(query);
    const page = await this.missions.list(caller, filter, sort, limit, readCursor(cursor, sort));
    const next = page.nextCursor === null ? {} : { nextPageToken: page.nextCursor };
    return { missions: page.items.map(missionMessage), ...next };
  }

  @GrpcMethod('MissionService', 'RescheduleMission')
  @Permitted('missions.plan')
  @AuditedWithItsChange()
  async reschedule(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const executeAtMs = readReschedule({ executeAt: msOf(message['executeAt'] as ProtoTimestamp) }, Date.now());
    return one(await this.rescheduleMission.execute(caller, idOf(message), executeAtMs, versionOf(message)));
  }

  @GrpcMethod('MissionService', 'CancelMission')
  @Permitted('missions.cancel')
  @AuditedWithItsChange()
  async cancel(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const { reason = null } = readInput(why, only(message, 'reason'), 'request');
    return one(await this.cancelMission.execute(caller, idOf(message), { reason, version: versionOf(message) }));
  }

  @GrpcMethod('MissionService', 'ControlMission')
  @Permitted('missions.stop', 'missions.steer')
  @AuditedWithItsChange()
  async control(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const action = actionOf(message['action']);
    const parameters =
      action === 'return-to-dock'
        ? { homeDockSn: readInput(returnToDock, only(message, 'reason', 'dockSn'), 'request').dockSn }
        : {};
    const { reason = null } = readInput(why, only(message, 'reason'), 'request');
    const request = { action, reason, version: versionOf(message), parameters };
    const { mission, command } = await this.controlMission.execute(caller, idOf(message), request);
    return { mission: missionMessage(mission), commandId: command?.id ?? '', method: command?.method ?? '' };
  }

  @GrpcMethod('MissionService', 'ResumeMission')
  @Permitted('missions.plan')
  @AuditedWithItsChange()
  async resume(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const executeAt = msOf(message['executeAt'] as ProtoTimestamp);
    const body = {
      ...only(message, 'breakPointId', 'name', 'rthAltitudeMeters'),
      ...(executeAt === undefined ? {} : { executeAt }),
    };
    const input = readInput(resumeFromBreakPoint, body, 'request');
    const id = idOf(message);
    const wish = {
      breakPointId: input.breakPointId ?? null,
      executeAtMs: input.executeAt ?? null,
      name: input.name ?? null,
      rthAltitudeMeters: input.rthAltitudeMeters ?? null,
    };
    const idempotencyKey = readIdempotencyKey(textOf(message['idempotencyKey']));
    const route = `POST /missions/${id}/resume-from-breakpoint`;
    const request = { route, idempotencyKey, body };
    const answer = await this.createMission.answerOnce(caller, request, () =>
      this.resumeMission.execute(caller, id, wish, request),
    );
    return created(answer);
  }

  @GrpcMethod('MissionService', 'ResolveMission')
  @Permitted('missions.resolve')
  @AuditedWithItsChange()
  async resolve(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const { note } = readInput(resolution, only(message, 'note'), 'request');
    return one(await this.resolveMission.execute(caller, idOf(message), note, versionOf(message)));
  }

  @GrpcMethod('MissionService', 'ApproveMission')
  @Permitted('missions.approve')
  @AuditedWithItsChange()
  async approve(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const { reason = null } = readInput(why, only(message, 'reason'), 'request');
    return one(await this.decideApproval.approve(caller, idOf(message), { reason, version: versionOf(message) }));
  }

  @GrpcMethod('MissionService', 'RefuseMission')
  @Permitted('missions.approve')
  @AuditedWithItsChange()
  async refuse(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const { reason = null } = readInput(why, only(message, 'reason'), 'request');
    return one(await this.decideApproval.refuse(caller, idOf(message), { reason, version: versionOf(message) }));
  }

  @GrpcMethod('MissionService', 'ListTimeline')
  @Permitted('missions.read')
  async timeline(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Observable<Message>> {
    const id = idOf(message);
    const timeline = await this.missions.timeline(caller, id);
    if (timeline === undefined) throw unknownMission(id);
    return from(timeline.items).pipe(map(timelineMessage));
  }

  @GrpcMethod('MissionService', 'WatchMission')
  @Permitted('missions.read')
  watch(@Payload() message: Message, @GrpcCaller() caller: Principal): Observable<Message> {
    return from(this.view(caller, idOf(message))).pipe(
      mergeMap((first) => this.watchMissions.watch(caller, first)),
      map(one),
    );
  }

  private async view(caller: Principal, id: string): Promise<MissionView> {
    const view = await this.missions.find(caller, id);
    if (view === undefined) throw unknownMission(id);
    return view;
  }
}

const one = (view: MissionView): Message => ({ mission: missionMessage(view) });
function created({ body }: { readonly body: string }): Message {
  const { warnings = [], ...view } = JSON.parse(body) as MissionView & { readonly warnings?: readonly Message[] };
  return { ...one(view), warnings };
}
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function idOf({ id }: Message): string {
  if (typeof id === 'string' && isUuid(id)) return id;
  throw unknownMission(String(id));
}

const versionOf = ({ expectedVersion }: Message): number | null =>
  typeof expectedVersion === 'number' ? expectedVersion : null;

function actionOf(name: unknown): ControlAction {
  const word = wordOf('CONTROL_ACTION', CONTROL_ACTIONS, textOf(name));
  const action = CONTROL_ACTIONS.find((known) => known === word);
  if (action !== undefined) return action;
  throw new InvalidError('invalid_input', 'the request is not valid', {
    fields: [{ field: 'action', message: `must be one of ${CONTROL_ACTIONS.join(', ')}` }],
  });
}
