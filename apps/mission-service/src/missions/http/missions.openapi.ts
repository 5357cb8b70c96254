import { jsonAnswer, jsonBody, optionalJsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { missionConflictSchema } from './control.schema.js';
import {
  createQuery,
  missionQuery,
  newMissionOfKinds,
  reschedule,
  resolution,
  resumeFromBreakPoint,
  why,
} from './mission.input.js';
import { previewSchema } from './preview.schema.js';
import { createdMissionSchema, missionPageSchema, missionSchema } from '../views/mission.schema.js';

/** The routes of MissionsController, for callers. */

const tag = 'missions';
export const missionId = z.uuid().describe('Id of the mission.');
const params = { id: missionId };
const path = '/api/v1/missions';

const newMissionBody = jsonBody(newMissionOfKinds, {
  dockSn: '7CTDM3D00B5XYZ',
  waylineId: '0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11',
  kind: 'timed',
  executeAt: '2027-05-01T08:30:00+02:00',
  rthAltitudeMeters: 80,
  name: 'Roof of hall 3',
});

const created = jsonAnswer('The mission was accepted, and is stored.', createdMissionSchema, ['ETag', 'Location']);

export const MISSION_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'createMission',
    permission: 'missions.plan',
    tag,
    summary: 'Plan a mission',
    description:
      'Accepts a mission and reserves its dock. With `dryRun` it only says what would become of it, as `/missions/preview` does.',
    query: createQuery,
    headers: ['Idempotency-Key'],
    body: newMissionBody,
    answers: {
      200: jsonAnswer('With `dryRun`: the preview.', previewSchema),
      201: created,
    },
    problems: {
      404: { description: '`unknown_dock` or `unknown_wayline`.' },
      409: {
        description:
          '`dock_taken`: another mission has the dock at that time. `wayline_archived`: that wayline is no longer planned.',
        schema: missionConflictSchema,
      },
      422: {
        description:
          '`invalid_input`, `dock_cannot` (what its model or protocol does not have), `other_aircraft` (the route was made ' +
          'for another aircraft than the dock has), `invalid_idempotency_key` or `idempotency_key_reused`.',
      },
    },
  }),
  route({
    method: 'post',
    path: `${path}/preview`,
    operationId: 'previewMission',
    permission: 'missions.plan',
    tag,
    summary: 'Say what would become of a mission',
    description: 'All checks of a new mission, with the same body. Nothing is written.',
    body: newMissionBody,
    answers: { 200: jsonAnswer('The preview.', previewSchema) },
    problems: {
      404: { description: '`unknown_dock` or `unknown_wayline`.' },
      422: {
        description:
          '`invalid_input`, `dock_cannot` (what its model or protocol does not have) or `other_aircraft` (the route was ' +
          'made for another aircraft than the dock has).',
      },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listMissions',
    permission: 'missions.read',
    tag,
    summary: 'List missions',
    query: missionQuery,
    paged: true,
    answers: { 200: jsonAnswer('One page.', missionPageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getMission',
    permission: 'missions.read',
    tag,
    summary: 'Show a mission',
    params,
    answers: { 200: jsonAnswer('The mission.', missionSchema, ['ETag']) },
  }),
  route({
    method: 'patch',
    path: `${path}/{id}`,
    operationId: 'rescheduleMission',
    permission: 'missions.plan',
    tag,
    summary: 'Move a timed mission to another time',
    description: 'As long as its dock was not told to start. A dock that holds it already gets it again.',
    params,
    headers: ['If-Match'],
    body: jsonBody(reschedule, { executeAt: '2027-05-01T09:00:00+02:00' }),
    answers: { 200: jsonAnswer('The mission with its new time.', missionSchema, ['ETag']) },
    problems: {
      409: {
        description: '`dock_taken`, or `mission_state`: it is too late to change its time.',
        schema: missionConflictSchema,
      },
      422: { description: '`invalid_input`, or `not_timed`: a mission of another kind has no time to change.' },
    },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/cancel`,
    operationId: 'cancelMission',
    permission: 'missions.cancel',
    tag,
    summary: 'Call a mission off before it starts',
    description: 'Idempotent. A mission that its dock holds is `canceling` until the dock has confirmed it.',
    params,
    headers: ['If-Match'],
    body: optionalJsonBody(why, { reason: 'There is a concert next door.' }),
    answers: { 200: jsonAnswer('The mission, canceled or canceling.', missionSchema, ['ETag']) },
    problems: {
      409: {
        description: '`mission_state`: the dock was told to start, or it has ended. `choices` is what can be asked.',
        schema: missionConflictSchema,
      },
    },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/approve`,
    operationId: 'approveMission',
    permission: 'missions.approve',
    tag,
    summary: 'Approve a mission that another person has planned',
    description:
      'For a mission that is `awaiting_approval`. `If-Match` must name the version that was read: an approval is for one ' +
      'plan, and falls when the mission is moved to another time. Late, it starts the mission as if it were planned now. ' +
      'Idempotent for the same person.',
    params,
    headers: ['If-Match'],
    body: optionalJsonBody(why, { reason: 'The site is closed to visitors.' }),
    answers: { 200: jsonAnswer('The mission, scheduled.', missionSchema, ['ETag']) },
    problems: {
      403: {
        description:
          '`approver_not_a_person`: a key approves nothing. `approver_has_planned`: the caller planned the mission or moved ' +
          'it last, in person or with a key that the caller made. `not_permitted`.',
      },
      409: {
        description:
          '`mission_state`: it awaits no approval, or too little of its start window is left. `planner_unknown`: nobody can say ' +
          'which people are behind the key that planned it.',
        schema: missionConflictSchema,
      },
      422: { description: '`invalid_input`, also without one version in `If-Match`.' },
    },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/refuse`,
    operationId: 'refuseMission',
    permission: 'missions.approve',
    tag,
    summary: 'Refuse to approve a mission, which ends it',
    description:
      'For a mission that is `awaiting_approval`: it is `canceled` with the cause `approval_refused`. Idempotent.',
    params,
    headers: ['If-Match'],
    body: optionalJsonBody(why, { reason: 'Too close to the concert.' }),
    answers: { 200: jsonAnswer('The mission, canceled.', missionSchema, ['ETag']) },
    problems: {
      409: { description: '`mission_state`: it awaits no approval.', schema: missionConflictSchema },
    },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/resume-from-breakpoint`,
    operationId: 'resumeFromBreakPoint',
    permission: 'missions.plan',
    tag,
    summary: 'Plan a mission that goes on where this one stopped',
    params,
    headers: ['Idempotency-Key'],
    body: optionalJsonBody(resumeFromBreakPoint, { executeAt: '2027-05-01T09:30:00+02:00' }),
    answers: { 201: created },
    problems: {
      409: {
        description: '`mission_state`: it has not ended. `no_breakpoint`: there is no place to go on. `dock_taken`.',
        schema: missionConflictSchema,
      },
    },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/resolve`,
    operationId: 'resolveMission',
    permission: 'missions.resolve',
    tag,
    summary: 'Say that a person has looked',
    description:
      'For a mission whose outcome nobody knows: its dock may fly by itself again. The outcome stays unknown; the ' +
      'first resolution stands, and a repeat shows it.',
    params,
    headers: ['If-Match'],
    body: jsonBody(resolution, { note: 'It stands in its dock, unharmed.' }),
    answers: { 200: jsonAnswer('The mission with its resolution.', missionSchema, ['ETag']) },
    problems: {
      409: { description: '`mission_state`: its outcome is not unknown.', schema: missionConflictSchema },
    },
  }),
];
