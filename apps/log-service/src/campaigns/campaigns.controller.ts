import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { type Principal } from '@aerie/bus-contract';
import {
  ApiKeyGuard,
  Caller,
  type Page,
  etagOf,
  pageQuery,
  readCursor,
  readIdempotencyKey,
  readIfMatch,
  readInput,
  AuditedWithItsChange,
} from '@aerie/http-api';
import { isUuid } from '@aerie/kernel';
import type { CampaignWish } from '@aerie/log-core';
import { type Response } from 'express';
import { campaignDockQuery, campaignQuery, readNewCampaign } from './campaign.input.js';
import { CampaignReadModel } from './campaign.read-model.js';
import { type CampaignView } from './campaign.view.js';
import { ControlCampaign, unknownCampaign } from './control-campaign.js';
import { CreateCampaign } from './create-campaign.js';

@Controller('api/v1/log-campaigns')
@UseGuards(ApiKeyGuard)
export class CampaignsController {
  constructor(
    private readonly createCampaign: CreateCampaign,
    private readonly controlCampaign: ControlCampaign,
    private readonly campaigns: CampaignReadModel,
  ) {}

  @Post()
  @AuditedWithItsChange()
  async create(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const request = { route: 'POST /log-campaigns', key: readIdempotencyKey(key), body };
    const answer = await this.createCampaign.answerOnce(caller, request, () =>
      this.createCampaign.execute(caller, readNewCampaign(body, Date.now()), request),
    );
    const { id, version } = JSON.parse(answer.body) as CampaignView;
    response.status(answer.status).location(`/api/v1/log-campaigns/${id}`).setHeader('ETag', etagOf(version));
    response.type('application/json').send(answer.body);
  }

  @Get()
  list(@Caller() caller: Principal, @Query() query: unknown): Promise<Page<CampaignView>> {
    const { limit, cursor } = readInput(pageQuery, query, 'query');
    const { state } = readInput(campaignQuery, query, 'query');
    return this.campaigns.list(caller, state, limit, readCursor(cursor));
  }

  @Get(':id')
  async find(@Caller() caller: Principal, @Param('id') id: string): Promise<CampaignView> {
    const campaign = isUuid(id) ? await this.campaigns.find(caller, id) : undefined;
    if (campaign === undefined) throw unknownCampaign(id);
    return campaign;
  }

  /** What became of each dock. */
  @Get(':id/docks')
  async docks(@Caller() caller: Principal, @Param('id') id: string, @Query() query: unknown) {
    const asked = readInput(campaignDockQuery, query, 'query');
    const page = isUuid(id) ? await this.campaigns.docks(caller, id, asked) : undefined;
    if (page === undefined) throw unknownCampaign(id);
    return page;
  }

  @Post(':id/pause')
  @HttpCode(200)
  @AuditedWithItsChange()
  pause(@Caller() caller: Principal, @Param('id') id: string, @Headers('if-match') ifMatch: string | undefined) {
    return this.control(caller, id, 'pause', ifMatch);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @AuditedWithItsChange()
  resume(@Caller() caller: Principal, @Param('id') id: string, @Headers('if-match') ifMatch: string | undefined) {
    return this.control(caller, id, 'resume', ifMatch);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @AuditedWithItsChange()
  cancel(@Caller() caller: Principal, @Param('id') id: string, @Headers('if-match') ifMatch: string | undefined) {
    return this.control(caller, id, 'cancel', ifMatch);
  }

  private async control(
    caller: Principal,
    id: string,
    wish: CampaignWish,
    ifMatch: string | undefined,
  ): Promise<CampaignView> {
    const version = readIfMatch(ifMatch);
    if (!isUuid(id)) throw unknownCampaign(id);
    return this.controlCampaign.execute(caller, id, wish, version);
  }
}
