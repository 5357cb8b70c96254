import { jsonAnswer, route } from '@aerie/http-api';
import { timelineQuery } from './history.controller.js';
import { missionId } from './missions.openapi.js';
import { preflightStagesSchema } from './preflight.schema.js';
import {
  breakPointsSchema,
  commandsSchema,
  timelineSchema,
  timelineTextSchema,
  trackSchema,
} from '../views/history.schema.js';

/** The routes of HistoryController, for callers. */

const tag = 'history';
const params = { id: missionId };
const path = '/api/v1/missions/{id}';

export const HISTORY_ROUTES = [
  route({
    method: 'get',
    path: `${path}/timeline`,
    operationId: 'getTimeline',
    permission: 'missions.read',
    tag,
    summary: 'All that happened to a mission',
    description:
      'Messages, timers, decisions and refusals, oldest first. `Accept: application/x-ndjson` works as well. Timelines are ' +
      'kept for a time after the end of a mission, as the deployment sets it; afterwards `prunedAt` says since when they ' +
      'are gone, and the first entry is the note `detailPruned`.',
    params,
    query: timelineQuery,
    answers: {
      200: {
        description: 'The timeline, at most 20 000 entries.',
        headers: ['Content-Disposition'],
        content: { 'application/json': timelineSchema, 'application/x-ndjson': timelineTextSchema },
      },
    },
  }),
  route({
    method: 'get',
    path: `${path}/track`,
    operationId: 'getTrack',
    permission: 'missions.read',
    tag,
    summary: 'Every report of the flight',
    description:
      'What the dock reported while it flew, as it came in. Reports are kept for some days, as the deployment sets it; ' +
      'the timeline has each step and each tenth of a flight for longer. `keptFrom` says since when they are kept.',
    params,
    answers: { 200: jsonAnswer('The reports, oldest first, at most 20 000.', trackSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/preflight`,
    operationId: 'getPreflight',
    permission: 'missions.read',
    tag,
    summary: 'The last go or no-go of each stage, rule by rule',
    params,
    answers: { 200: jsonAnswer('The stages that were judged.', preflightStagesSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/commands`,
    operationId: 'listCommands',
    permission: 'missions.read',
    tag,
    summary: 'Every command that was sent to the dock, and its answer',
    params,
    answers: { 200: jsonAnswer('The commands, oldest first.', commandsSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/breakpoints`,
    operationId: 'listBreakPoints',
    permission: 'missions.read',
    tag,
    summary: 'Every place where the flight stopped',
    params,
    answers: { 200: jsonAnswer('The places, oldest first.', breakPointsSchema) },
  }),
];
