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
  defined,
  StreamsOfPermitted,
} from '@aerie/grpc-api';
import { pageQuery, readCursor, readIdempotencyKey, readInput, AuditedWithItsChange } from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import type { CampaignWish } from '@aerie/log-core';
import { campaignDockQuery, campaignQuery, readNewCampaign } from '../campaigns/campaign.input.js';
import { CampaignReadModel } from '../campaigns/campaign.read-model.js';
import type { CampaignView } from '../campaigns/campaign.view.js';
import { ControlCampaign, unknownCampaign } from '../campaigns/control-campaign.js';
import { CreateCampaign } from '../campaigns/create-campaign.js';
import { ChangePolicy } from '../policy/change-policy.js';
import { policyInput } from '../policy/policy.schema.js';
import { PolicyStore } from '../policy/policy.store.js';
import {
  bodyOfCampaign,
  bodyOfPolicy,
  campaignDockMessage,
  campaignMessage,
  policyMessage,
  queryOfCampaigns,
  queryOfDocks,
} from './campaigns.messages.js';
import { idOf, textOf, versionOf } from './requests.js';

/** Campaigns and the policy for other programs; each call is read by the very checks of its HTTP route. */
@Controller()
@UseGuards(GrpcKeyGuard)
@UseInterceptors(StreamsOfPermitted, AuditCalls)
@UseFilters(GrpcProblemFilter)
export class CampaignsGrpcController {
  constructor(
    private readonly createCampaign: CreateCampaign,
    private readonly controlCampaign: ControlCampaign,
    private readonly campaigns: CampaignReadModel,
    private readonly policies: PolicyStore,
    private readonly changePolicy: ChangePolicy,
  ) {}

  @GrpcMethod('LogService', 'CreateLogCampaign')
  @Permitted('log_campaigns.manage')
  @AuditedWithItsChange()
  async create(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const body = bodyOfCampaign(message['campaign']);
    const key = readIdempotencyKey(textOf(message['idempotencyKey']));
    const request = { route: 'POST /log-campaigns', key, body };
    const answer = await this.createCampaign.answerOnce(caller, request, () =>
      this.createCampaign.execute(caller, readNewCampaign(body, Date.now()), request),
    );
    return one(JSON.parse(answer.body) as CampaignView);
  }

  @GrpcMethod('LogService', 'GetLogCampaign')
  @Permitted('log_campaigns.read')
  async find(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const id = idOf(message);
    const campaign = isUuid(id) ? await this.campaigns.find(caller, id) : undefined;
    if (campaign === undefined) throw unknownCampaign(id);
    return one(campaign);
  }

  @GrpcMethod('LogService', 'ListLogCampaigns')
  @Permitted('log_campaigns.read')
  async list(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const query = queryOfCampaigns(message);
    const { limit, cursor } = readInput(pageQuery, query, 'request');
    const { state } = readInput(campaignQuery, query, 'request');
    const page = await this.campaigns.list(caller, state, limit, readCursor(cursor));
    return defined({ campaigns: page.items.map(campaignMessage), nextPageToken: page.nextCursor });
  }

  @GrpcMethod('LogService', 'ListLogCampaignDocks')
  @Permitted('log_campaigns.read')
  async docks(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const id = idOf(message);
    const asked = readInput(campaignDockQuery, queryOfDocks(message), 'request');
    const page = isUuid(id) ? await this.campaigns.docks(caller, id, asked) : undefined;
    if (page === undefined) throw unknownCampaign(id);
    return defined({ docks: page.items.map(campaignDockMessage), nextPageToken: page.nextCursor });
  }

  @GrpcMethod('LogService', 'PauseLogCampaign')
  @Permitted('log_campaigns.manage')
  @AuditedWithItsChange()
  pause(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    return this.control(caller, message, 'pause');
  }

  @GrpcMethod('LogService', 'ResumeLogCampaign')
  @Permitted('log_campaigns.manage')
  @AuditedWithItsChange()
  resume(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    return this.control(caller, message, 'resume');
  }

  @GrpcMethod('LogService', 'CancelLogCampaign')
  @Permitted('log_campaigns.manage')
  @AuditedWithItsChange()
  cancel(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    return this.control(caller, message, 'cancel');
  }

  @GrpcMethod('LogService', 'GetLogPolicy')
  @Permitted('log_policy.read')
  async policy(_message: unknown, @GrpcCaller() caller: Principal): Promise<Message> {
    return { policy: policyMessage(await this.policies.of(caller.organisationId)) };
  }

  @GrpcMethod('LogService', 'ReplaceLogPolicy')
  @Permitted('log_policy.manage')
  @AuditedWithItsChange()
  async replacePolicy(@Payload() message: Message, @GrpcCaller() caller: Principal): Promise<Message> {
    const decision = readInput(policyInput, bodyOfPolicy(message['policy']), 'request');
    return { policy: policyMessage(await this.changePolicy.execute(caller, decision, versionOf(message))) };
  }

  private async control(caller: Principal, message: Message, wish: CampaignWish): Promise<Message> {
    const [id, version] = [idOf(message), versionOf(message)];
    if (!isUuid(id)) throw unknownCampaign(id);
    return one(await this.controlCampaign.execute(caller, id, wish, version));
  }
}

const one = (view: CampaignView): Message => ({ campaign: campaignMessage(view) });
