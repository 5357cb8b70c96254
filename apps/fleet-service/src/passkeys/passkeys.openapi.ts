import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { madeSessionSchema, organisationRequiredSchema } from '../sessions/session.schema.js';
import {
  newPasskey,
  optionsSchema,
  optionsWish,
  passkeyListSchema,
  passkeySchema,
  passkeySignIn,
  removedPasskeySchema,
} from './passkey.schema.js';

/** The routes of passkeys, for callers. */

const tag = 'passkeys';
const own = '/api/v1/me/passkeys';
const sign = '/api/v1/sessions/passkey';
const off = '`passkeys_off`: `FLEET_PASSKEY_ORIGINS` is not set';
const away = '`passkeys_away`: Redis does not answer';
const notPerson =
  '`not_permitted`, `not_a_person`: an API key has no passkeys, or `not_by_provider`: the session began with an identity provider.';
const challengeId = '6c84fb90-12c4-41e1-840d-25f1e09b8d1a';
const credential = { id: 'Y3JlZA', rawId: 'Y3JlZA', type: 'public-key' } as const;

export const PASSKEY_ROUTES = [
  route({
    method: 'post',
    path: `${sign}/options`,
    operationId: 'beginPasskeySignIn',
    public: true,
    tag,
    summary: 'Begin to sign in with a passkey',
    answers: { 201: jsonAnswer('What to hand to `navigator.credentials.get`.', optionsSchema) },
    problems: {
      429: { description: '`too_many_requests`: too many sign-ins were begun at this address.' },
      503: { description: `${off}; ${away}.` },
    },
  }),
  route({
    method: 'post',
    path: sign,
    operationId: 'signInWithPasskey',
    public: true,
    tag,
    summary: 'Sign in with a passkey',
    description: 'Answers as `POST /api/v1/sessions` does.',
    body: jsonBody(passkeySignIn, {
      challengeId,
      credential: {
        ...{ ...credential, clientExtensionResults: {} },
        response: { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA' },
      },
    }),
    answers: { 201: jsonAnswer('The session.', madeSessionSchema) },
    problems: {
      401: { description: '`wrong_passkey`: unknown, removed, for another page, or its challenge is over.' },
      409: {
        description:
          '`organisation_required`: send the `organisationId` of one of `organisations`, with a new challenge.',
        schema: organisationRequiredSchema,
      },
      429: { description: '`too_many_requests`: too many that do not verify came from this address.' },
      503: { description: `${off}; ${away}.` },
    },
  }),
  route({
    method: 'get',
    path: own,
    operationId: 'listPasskeys',
    permission: 'account.read',
    tag,
    summary: 'List one’s own passkeys',
    answers: { 200: jsonAnswer('The passkeys.', passkeyListSchema) },
    problems: { 403: { description: notPerson }, 503: { description: `${off}.` } },
  }),
  route({
    method: 'post',
    path: `${own}/options`,
    operationId: 'beginPasskey',
    permission: 'account.manage',
    tag,
    summary: 'Begin to add a passkey',
    body: jsonBody(optionsWish, { currentPassword: 'four words make one' }),
    answers: { 201: jsonAnswer('What to hand to `navigator.credentials.create`.', optionsSchema) },
    problems: {
      401: { description: '`wrong_password`: the current password is another one.' },
      403: { description: notPerson },
      429: { description: '`too_many_requests`: too many wrong passwords.' },
      503: { description: `${off}; ${away}; \`sign_in_busy\`: too many passwords are being checked.` },
    },
  }),
  route({
    method: 'post',
    path: own,
    operationId: 'addPasskey',
    permission: 'account.manage',
    tag,
    summary: 'Add a passkey',
    body: jsonBody(newPasskey, {
      ...{ challengeId, name: 'Phone' },
      credential: {
        ...{ ...credential, clientExtensionResults: {} },
        response: { clientDataJSON: 'e30', attestationObject: 'AAAA' },
      },
    }),
    answers: { 201: jsonAnswer('The passkey.', passkeySchema) },
    problems: {
      403: { description: notPerson },
      409: { description: '`too_many_passkeys`: remove some first; `passkey_exists`: it was added before.' },
      503: { description: `${off}; ${away}.` },
    },
  }),
  route({
    method: 'delete',
    path: `${own}/{id}`,
    operationId: 'removePasskey',
    permission: 'account.manage',
    tag,
    summary: 'Remove a passkey of one’s own',
    description: 'Ends all other sessions of the person, as whoever has the passkey may be in one.',
    params: { id: z.uuid().describe('Id of the passkey.') },
    answers: { 200: jsonAnswer('The passkey as it was.', removedPasskeySchema) },
    problems: { 403: { description: notPerson }, 503: { description: `${off}.` } },
  }),
];
