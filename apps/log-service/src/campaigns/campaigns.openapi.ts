import type { Permission } from '@aerie/bus-contract';
import { type RouteDescription, type RouteParts, jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { campaignDockQuery, campaignQuery, newCampaign } from './campaign.input.js';
import { campaignConflictSchema, campaignDocksSchema, campaignPageSchema, campaignSchema } from './campaign.schema.js';

/** The routes of CampaignsController, for callers. */

const tag = 'campaigns';
const params = { id: z.uuid().describe('Id of the campaign.') };
const path = '/api/v1/log-campaigns';

const unknown = { description: '`unknown_campaign`.' };

type Control = Pick<RouteParts, 'operationId' | 'summary' | 'description'> & {
  readonly permission: Permission;
  readonly wish: string;
};
const control = ({ wish, ...words }: Control): RouteDescription =>
  route({
    ...words,
    method: 'post',
    path: `${path}/{id}/${wish}`,
    tag,
    params,
    headers: ['If-Match'],
    answers: { 200: jsonAnswer('The campaign as it is now.', campaignSchema, ['ETag']) },
    problems: {
      404: unknown,
      409: { description: '`campaign_state`: it is over, or nothing of this.', schema: campaignConflictSchema },
    },
  });

export const CAMPAIGN_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'createLogCampaign',
    permission: 'log_campaigns.manage',
    tag,
    summary: 'Ask for logs of many docks',
    description:
      'The docks that fit now are written down, and each gets its turn, as fast as the campaign may go. A dock that is ' +
      'away gets its turn again.',
    headers: ['Idempotency-Key'],
    body: jsonBody(newCampaign, {
      name: 'Logs of May, all roofs',
      docks: { models: ['dock2', 'dock3'], nameContains: 'roof' },
      logs: { window: { from: '2027-05-01T00:00:00Z', until: '2027-06-01T00:00:00Z' } },
      docksPerMinute: 5,
      concurrent: 20,
      hours: { from: '22:00', until: '04:30' },
    }),
    answers: { 201: jsonAnswer('The campaign was accepted, and is stored.', campaignSchema, ['ETag', 'Location']) },
    problems: {
      404: { description: '`unknown_dock`: one of `docks.sns`.' },
      422: {
        description:
          '`invalid_input`, `no_docks` (the filter fits none), `invalid_idempotency_key` or `idempotency_key_reused`.',
      },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listLogCampaigns',
    permission: 'log_campaigns.read',
    tag,
    summary: 'List campaigns, newest first',
    query: campaignQuery,
    paged: true,
    answers: { 200: jsonAnswer('One page.', campaignPageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getLogCampaign',
    permission: 'log_campaigns.read',
    tag,
    summary: 'Show a campaign and how far it has come',
    params,
    answers: { 200: jsonAnswer('The campaign.', campaignSchema, ['ETag']) },
    problems: { 404: unknown },
  }),
  route({
    method: 'get',
    path: `${path}/{id}/docks`,
    operationId: 'listLogCampaignDocks',
    permission: 'log_campaigns.read',
    tag,
    summary: 'What became of each dock of a campaign',
    params,
    query: campaignDockQuery,
    answers: { 200: jsonAnswer('One page.', campaignDocksSchema) },
    problems: { 404: unknown },
  }),
  control({
    wish: 'pause',
    operationId: 'pauseLogCampaign',
    permission: 'log_campaigns.manage',
    summary: 'Let no further dock begin',
    description: 'Idempotent. Docks that export go on.',
  }),
  control({
    wish: 'resume',
    operationId: 'resumeLogCampaign',
    permission: 'log_campaigns.manage',
    summary: 'Let a campaign go on',
    description: 'Idempotent. Also after failures have stopped it: they count no more.',
  }),
  control({
    wish: 'cancel',
    operationId: 'cancelLogCampaign',
    permission: 'log_campaigns.manage',
    summary: 'Call a campaign off',
    description: 'Idempotent. Docks whose turn has not come are left out, and those that export are called off.',
  }),
];
