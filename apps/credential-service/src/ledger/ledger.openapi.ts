import { jsonAnswer, jsonBody, pageSchema, route } from '@aerie/http-api';
import { z } from 'zod';
import { revocationSchema, revokeInput } from '../revocation/revocation.schema.js';
import { issueQuery } from './issue.query.js';
import { issueSchema } from './issue.schema.js';

/** The routes of LedgerController, for callers. */

const tag = 'ledger';
const path = '/api/v1/storage';

/** Why keys cannot be called back, beside what every problem says. */
const cannotSchema = z
  .looseObject({
    code: z.enum(['revocation_not_supported', 'too_many_revocations']).describe('Stable word for programs.'),
    reason: z.string().describe('Why, and what can be done instead.'),
    keysLiveSeconds: z
      .int()
      .optional()
      .describe('Where it is not supported: the longest that keys which are out there live, seconds.'),
  })
  .describe('It cannot be done so; nothing was written.');

export const LEDGER_ROUTES = [
  route({
    method: 'get',
    path: `${path}/issues`,
    operationId: 'listIssues',
    permission: 'storage.read',
    tag,
    summary: 'Everything that was given out, newest first',
    query: issueQuery,
    paged: true,
    answers: { 200: jsonAnswer('One page.', pageSchema(issueSchema, 'Entries, newest first.')) },
  }),
  route({
    method: 'post',
    path: `${path}/revoke`,
    operationId: 'revokeKeys',
    permission: 'storage.manage',
    tag,
    summary: 'Call keys back',
    description:
      'Keys that are remembered are given out no more, and the storage is told to refuse all that were made before. ' +
      'Docks get new ones when they ask, which most do after a reboot. Addresses of single objects cannot be called ' +
      'back; they end by themselves.',
    body: jsonBody(revokeInput, { dockSn: '4TADL210020011', reason: 'the dock was stolen' }),
    answers: { 200: jsonAnswer('What was called back; `pending` until the storage has taken it.', revocationSchema) },
    problems: {
      404: { description: '`unknown_dock`: no dock of the organisation has this serial number.' },
      409: {
        description:
          '`revocation_not_supported`: the storage cannot do that. `too_many_revocations`: call all docks back at once.',
        schema: cannotSchema,
      },
    },
  }),
  route({
    method: 'get',
    path: `${path}/revocations`,
    operationId: 'listRevocations',
    permission: 'storage.read',
    tag,
    summary: 'What was called back, newest first',
    paged: true,
    answers: { 200: jsonAnswer('One page.', pageSchema(revocationSchema, 'Revocations, newest first.')) },
  }),
];
