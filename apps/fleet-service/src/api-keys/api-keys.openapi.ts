import { jsonAnswer, jsonBody, optionalJsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { keyListQuery, keyPageSchema, keySchema, madeKeySchema, newKey, rotation } from './api-key.schema.js';

/** The routes of ApiKeysController, for callers. */

const tag = 'keys';
const path = '/api/v1/api-keys';
const params = { id: z.uuid().describe('Id of the key.') };

export const KEY_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'createApiKey',
    permission: 'keys.manage',
    tag,
    summary: 'Make an API key',
    description:
      'The answer holds the key, this one time; only its hash is kept. A request that is repeated makes another key: revoke ' +
      'the one that nobody got to see.',
    body: jsonBody(newKey, { name: 'Night patrol', roles: ['planner'], expiresAt: '2027-12-31T00:00:00Z' }),
    answers: { 201: jsonAnswer('The key was made.', madeKeySchema, ['Location']) },
    problems: {
      404: { description: '`unknown_site`: one of `siteIds` is no site of the organisation.' },
      409: { description: '`too_many_keys`: revoke some first.' },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listApiKeys',
    permission: 'keys.read',
    tag,
    summary: 'List API keys',
    description: 'The newest first. Their secrets are not kept.',
    paged: true,
    query: keyListQuery.pick({ valid: true }),
    answers: { 200: jsonAnswer('One page.', keyPageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getApiKey',
    permission: 'keys.read',
    tag,
    summary: 'Show an API key',
    params,
    answers: { 200: jsonAnswer('The key.', keySchema) },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/rotate`,
    operationId: 'rotateApiKey',
    permission: 'keys.manage',
    tag,
    summary: 'Put another key in the place of this one',
    description:
      'The new one has the same name, roles, sites and addresses. The old one goes on being valid for a while.',
    params,
    body: optionalJsonBody(rotation, { keepSeconds: 86_400 }),
    answers: { 201: jsonAnswer('The new key, shown this one time.', madeKeySchema, ['Location']) },
    problems: {
      409: { description: '`key_ended`: it has expired, or was revoked or replaced before; or `too_many_keys`.' },
    },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/revoke`,
    operationId: 'revokeApiKey',
    permission: 'keys.manage',
    tag,
    summary: 'End an API key',
    description: 'It is refused by every service within 60 s. Idempotent.',
    params,
    answers: { 200: jsonAnswer('The key as it is now.', keySchema) },
  }),
];
