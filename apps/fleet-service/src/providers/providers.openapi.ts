import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { madeSessionSchema } from '../sessions/session.schema.js';
import { newProvider, providerChange, providerListSchema, providerSchema, callbackQuery } from './provider.schema.js';

/** The routes of identity providers, for callers. */

const tag = 'providers';
const path = '/api/v1/identity-providers';
const params = { id: z.uuid().describe('Id of the provider.') };
const off = '`providers_off`: `FLEET_KEY_FILE` and `FLEET_SIGN_IN_RETURN_URL` are not set';
const example = {
  ...{ name: 'Harbour', issuer: 'https://login.example.com/realms/harbour', clientId: 'aerie', clientSecret: '…' },
};

export const PROVIDER_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'createIdentityProvider',
    permission: 'people.manage',
    tag,
    summary: 'Connect an identity provider',
    description: 'OpenID Connect. Metadata and keys are fetched at once; a provider that does not answer is refused.',
    body: jsonBody(newProvider, example),
    answers: { 201: jsonAnswer('The provider.', providerSchema) },
    problems: {
      409: { description: '`too_many_providers`: remove some first.' },
      503: { description: `${off}; \`provider_unavailable\`: the provider does not answer.` },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listIdentityProviders',
    permission: 'people.read',
    tag,
    summary: 'List identity providers',
    answers: { 200: jsonAnswer('The providers.', providerListSchema) },
    problems: { 503: { description: `${off}.` } },
  }),
  route({
    method: 'patch',
    path: `${path}/{id}`,
    operationId: 'changeIdentityProvider',
    permission: 'people.manage',
    tag,
    summary: 'Change an identity provider',
    description:
      'The issuer cannot be changed, because members are linked to its subjects. Connect another provider instead.',
    params,
    body: jsonBody(providerChange, { clientSecret: '…' }),
    answers: { 200: jsonAnswer('The provider as it is now.', providerSchema) },
    problems: { 503: { description: `${off}.` } },
  }),
  route({
    method: 'delete',
    path: `${path}/{id}`,
    operationId: 'removeIdentityProvider',
    permission: 'people.manage',
    tag,
    summary: 'Remove an identity provider',
    description: 'Ends the sessions that began with it, in every service within 60 s. Members stay members.',
    params,
    answers: { 200: jsonAnswer('The provider as it was.', providerSchema) },
    problems: { 503: { description: `${off}.` } },
  }),
  route({
    method: 'get',
    path: '/api/v1/sign-in/oidc/callback/{organisationId}',
    operationId: 'finishProviderSignIn',
    public: true,
    tag,
    summary: 'Finish a sign-in by an identity provider',
    description:
      'Redirect URI of the providers of an organisation; a page of the same host may pass the query on instead. The answer shows the token of a ' +
      'session once, as `POST /sessions` does. Requires the cookie of `beginProviderSignIn`.',
    params: { organisationId: z.uuid().describe('Id of the organisation.') },
    query: callbackQuery,
    answers: { 200: jsonAnswer('The session.', madeSessionSchema, ['Cache-Control', 'Set-Cookie']) },
    problems: {
      401: { description: '`sign_in_refused`: `detail` says why.' },
      409: { description: '`too_many_members`: the organisation is full.' },
      429: { description: '`too_many_requests`: too many refused sign-ins from this address.' },
      503: {
        description: `${off}; \`provider_unavailable\`: the provider does not answer; \`client_rejected\`: the provider rejects the client id or secret.`,
      },
    },
  }),
  route({
    method: 'get',
    path: '/api/v1/sign-in/oidc/{id}',
    operationId: 'beginProviderSignIn',
    public: true,
    tag,
    summary: 'Begin a sign-in by an identity provider',
    description: 'Redirects the browser to the provider. The callback must arrive within 10 minutes.',
    params,
    answers: {
      302: {
        description: 'Authorization URL of the provider.',
        content: {},
        headers: ['Location', 'Cache-Control', 'Set-Cookie'],
      },
    },
    problems: {
      429: { description: '`too_many_requests`: too many unknown ids from this address.' },
      503: { description: `${off}; \`provider_unavailable\`: the provider does not answer.` },
    },
  }),
];
