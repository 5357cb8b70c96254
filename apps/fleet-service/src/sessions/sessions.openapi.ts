import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import {
  madeSessionSchema,
  meSchema,
  organisationRequiredSchema,
  passwordChange,
  passwordChangedSchema,
  sessionListSchema,
  sessionSchema,
  signInInput,
} from './session.schema.js';

/** The routes of sessions, for callers. */

const tag = 'sessions';
const path = '/api/v1/sessions';
const busy = '`sign_in_busy`: too many passwords are being checked.';
const notPerson = '`not_permitted`, or `not_a_person`: an API key has no sessions and no password.';

export const SESSION_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'signIn',
    public: true,
    tag,
    summary: 'Sign in',
    description:
      'The answer holds a token, this one time, that is sent as `Authorization: Bearer <token>`, as an API key is. It may do ' +
      'what the roles of the person in this organisation permit.',
    body: jsonBody(signInInput, { email: 'anna@example.com', password: 'four words make one' }),
    answers: { 201: jsonAnswer('The session.', madeSessionSchema) },
    problems: {
      401: { description: '`wrong_password`: the email or the password is wrong.' },
      409: {
        description: '`organisation_required`: send the `organisationId` of one of `organisations`.',
        schema: organisationRequiredSchema,
      },
      429: { description: '`too_many_requests`: too many wrong passwords came from this address.' },
      503: { description: busy },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listSessions',
    permission: 'account.read',
    tag,
    summary: 'List one’s own sessions',
    description: 'Those that are valid, in all organisations of the person, the newest first.',
    answers: { 200: jsonAnswer('The sessions.', sessionListSchema) },
    problems: { 403: { description: notPerson } },
  }),
  route({
    method: 'delete',
    path: `${path}/{id}`,
    operationId: 'endSession',
    permission: 'account.manage',
    tag,
    summary: 'End a session of one’s own',
    description: 'Its token is refused by every service within 60 s. To sign out, end the one of the request.',
    params: { id: z.uuid().describe('Id of the session.') },
    answers: { 200: jsonAnswer('The session as it was.', sessionSchema) },
    problems: { 403: { description: notPerson } },
  }),
  route({
    method: 'get',
    path: '/api/v1/me',
    operationId: 'getMe',
    permission: 'account.read',
    tag,
    summary: 'Say who one is',
    answers: { 200: jsonAnswer('The caller.', meSchema) },
  }),
  route({
    method: 'put',
    path: '/api/v1/me/password',
    operationId: 'changePassword',
    permission: 'account.manage',
    tag,
    summary: 'Change one’s own password',
    description: 'Ends all other sessions of the person.',
    body: jsonBody(passwordChange, {
      currentPassword: 'four words make one',
      newPassword: 'five other words make one',
    }),
    answers: { 200: jsonAnswer('It was changed.', passwordChangedSchema) },
    problems: {
      401: { description: '`wrong_password`: the current password is another one.' },
      403: { description: notPerson },
      409: { description: '`person_changed`: try again.' },
      503: { description: busy },
    },
  }),
];
