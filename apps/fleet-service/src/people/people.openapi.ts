import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import {
  acceptance,
  invitationListQuery,
  invitationPageSchema,
  invitationSchema,
  joinedSchema,
  madeInvitationSchema,
  memberChange,
  memberPageSchema,
  memberSchema,
  newInvitation,
  setup,
} from './people.schema.js';

/** The routes of people, for callers. */

const tag = 'people';
const members = '/api/v1/members';
const invitations = '/api/v1/invitations';
const member = { id: z.uuid().describe('Id of the person.') };
const invitation = { id: z.uuid().describe('Id of the invitation.') };
const EMAIL = 'anna@example.com';
const lastAdmin = '`last_org_admin`: nobody else has the role `org_admin`.';
const busy = '`sign_in_busy`: too many passwords are being checked.';
const tooMany = '`too_many_requests`: too many wrong tokens came from this address.';

export const PEOPLE_ROUTES = [
  route({
    method: 'post',
    path: '/api/v1/setup',
    operationId: 'setUpOrganisation',
    public: true,
    tag,
    summary: 'Set up a new organisation',
    description:
      'With the token of `create-setup-link.js`, once. Makes the organisation and its first member, with the role ' +
      '`org_admin`. Who is a member of another organisation already keeps name and password, and sends the password.',
    body: jsonBody(setup, {
      ...{ token: 'aeriesetup_…', organisation: 'Harbour', email: EMAIL, name: 'Anna' },
      password: 'four words make one',
    }),
    answers: { 201: jsonAnswer('The organisation and its first member.', joinedSchema) },
    problems: {
      401: { description: '`wrong_password`: of a person who is there already.' },
      404: { description: '`unknown_token`: it was used, has expired or never was.' },
      409: { description: '`organisation_exists`, or `person_changed`: try again.' },
      429: { description: tooMany },
      503: { description: busy },
    },
  }),
  route({
    method: 'post',
    path: `${invitations}/accept`,
    operationId: 'acceptInvitation',
    public: true,
    tag,
    summary: 'Accept an invitation',
    description: 'With its token, once. Makes the person a member.',
    body: jsonBody(acceptance, { token: 'aerieinvite_…', name: 'Anna', password: 'four words make one' }),
    answers: { 201: jsonAnswer('The new member.', joinedSchema) },
    problems: {
      401: { description: '`wrong_password`: of a person who is a member of another organisation.' },
      404: { description: '`unknown_token`: it was used, revoked, has expired or never was.' },
      409: { description: '`already_member`, `too_many_members`, or `person_changed`: try again.' },
      429: { description: tooMany },
      503: { description: busy },
    },
  }),
  route({
    method: 'get',
    path: members,
    operationId: 'listMembers',
    permission: 'people.read',
    tag,
    summary: 'List members',
    description: 'The newest first.',
    paged: true,
    answers: { 200: jsonAnswer('One page.', memberPageSchema) },
  }),
  route({
    method: 'get',
    path: `${members}/{id}`,
    operationId: 'getMember',
    permission: 'people.read',
    tag,
    summary: 'Show a member',
    params: member,
    answers: { 200: jsonAnswer('The member.', memberSchema) },
  }),
  route({
    method: 'patch',
    path: `${members}/{id}`,
    operationId: 'changeMember',
    permission: 'people.manage',
    tag,
    summary: 'Say what a member may do',
    description: 'The roles are replaced, in every service within 60 s.',
    params: member,
    body: jsonBody(memberChange, { roles: ['pilot'] }),
    answers: { 200: jsonAnswer('The member as it is now.', memberSchema) },
    problems: { 409: { description: lastAdmin } },
  }),
  route({
    method: 'delete',
    path: `${members}/{id}`,
    operationId: 'removeMember',
    permission: 'people.manage',
    tag,
    summary: 'Remove a member',
    description:
      'The person may do nothing in the organisation any more. Who is a member of no other one chooses a new password ' +
      'when invited again.',
    params: member,
    answers: { 200: jsonAnswer('The member as it was.', memberSchema) },
    problems: { 409: { description: lastAdmin } },
  }),
  route({
    method: 'post',
    path: invitations,
    operationId: 'createInvitation',
    permission: 'people.manage',
    tag,
    summary: 'Invite a person',
    description:
      'The answer holds the token, this one time. Aerie sends no mail: hand the token to the person and to nobody else, ' +
      'because whoever has it becomes that member.',
    body: jsonBody(newInvitation, { email: EMAIL, roles: ['pilot'] }),
    answers: { 201: jsonAnswer('The invitation.', madeInvitationSchema) },
    problems: {
      404: { description: '`unknown_site`: one of `siteIds` is no site of the organisation.' },
      409: { description: '`already_member`, or `too_many_invitations`: revoke some first.' },
    },
  }),
  route({
    method: 'get',
    path: invitations,
    operationId: 'listInvitations',
    permission: 'people.read',
    tag,
    summary: 'List invitations',
    description: 'The newest first. Their tokens are not kept.',
    paged: true,
    query: invitationListQuery.pick({ open: true }),
    answers: { 200: jsonAnswer('One page.', invitationPageSchema) },
  }),
  route({
    method: 'post',
    path: `${invitations}/{id}/revoke`,
    operationId: 'revokeInvitation',
    permission: 'people.manage',
    tag,
    summary: 'Take an invitation back',
    description: 'Idempotent. One that was accepted stays accepted: remove the member.',
    params: invitation,
    answers: { 200: jsonAnswer('The invitation as it is now.', invitationSchema) },
  }),
];
