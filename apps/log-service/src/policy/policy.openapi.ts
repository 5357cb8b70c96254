import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { policyInput, policySchema } from './policy.schema.js';

/** The routes of PolicyController, for callers. */

const tag = 'policy';
const path = '/api/v1/log-policy';

export const POLICY_ROUTES = [
  route({
    method: 'get',
    path,
    operationId: 'getLogPolicy',
    permission: 'log_policy.read',
    tag,
    summary: 'Show the policy for logs',
    answers: { 200: jsonAnswer('The policy; the defaults where nothing was decided.', policySchema, ['ETag']) },
  }),
  route({
    method: 'put',
    path,
    operationId: 'replaceLogPolicy',
    permission: 'log_policy.manage',
    tag,
    summary: 'Replace the policy for logs',
    description:
      'What is left out is back at its default. Uploads that were asked for before keep to what held then; retention ' +
      'holds for all files at once.',
    headers: ['If-Match'],
    body: jsonBody(policyInput, {
      collectOnFailure: true,
      collectWhenEndedByPerson: false,
      collectModules: ['dock', 'aircraft'],
      missionsFirst: true,
      retentionDays: 365,
    }),
    answers: { 200: jsonAnswer('The policy as it is now.', policySchema, ['ETag']) },
  }),
];
