import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { policyInput } from './policy.input.js';
import { policySchema } from './policy.schema.js';

/** The routes of PolicyController, for callers. */

const tag = 'policy';
const path = '/api/v1/mission-policy';

export const POLICY_ROUTES = [
  route({
    method: 'get',
    path,
    operationId: 'getMissionPolicy',
    permission: 'mission_policy.read',
    tag,
    summary: 'What the organisation has decided for all its missions',
    answers: { 200: jsonAnswer('The policy; defaults where nothing was decided.', policySchema, ['ETag']) },
  }),
  route({
    method: 'put',
    path,
    operationId: 'replaceMissionPolicy',
    permission: 'mission_policy.manage',
    tag,
    summary: 'Replace the policy',
    description:
      'What is left out is back at its default. Works for every start from now on; `approval` for missions that are planned ' +
      'from now on.',
    headers: ['If-Match'],
    body: jsonBody(policyInput, {
      preflight: { wind: { maximumMetersPerSecond: 8 } },
      autoResume: { onBreakReasons: [773], atMost: 2, afterMs: 1_800_000 },
      approval: { missions: 'planned', lifetimeHours: 24 },
    }),
    answers: { 200: jsonAnswer('The policy as it is now.', policySchema, ['ETag']) },
  }),
];
