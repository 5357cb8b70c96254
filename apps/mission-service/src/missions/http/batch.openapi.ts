import { jsonAnswer, jsonBody, problemSchema, route } from '@aerie/http-api';
import { z } from 'zod';
import { MAX_BATCH_BYTES, newMissionsOfKinds } from './batch.input.js';
import { missionConflictSchema } from './control.schema.js';
import { createdMissionSchema } from '../views/mission.schema.js';

export const resultSchema = z
  .union([
    z.strictObject({
      status: z.literal(201).describe('Accepted, and stored.'),
      mission: createdMissionSchema.describe('As `POST /missions` answers it.'),
    }),
    z.strictObject({
      status: z.int().describe('The status with which `POST /missions` refuses it, e.g. 409.'),
      problem: missionConflictSchema.describe('Why it was refused.'),
    }),
  ])
  .describe('What became of one mission.');

const batchSchema = z
  .strictObject({ results: z.array(resultSchema).describe('One for each mission, in the order of the request.') })
  .describe('What became of the missions.');

const refusedSchema = problemSchema
  .extend({
    refused: z
      .array(
        z.strictObject({
          index: z.int().describe('Its place in the request; 0 is the first.'),
          problem: missionConflictSchema.describe('Why it was refused.'),
        }),
      )
      .optional()
      .describe('The missions that were refused.'),
  })
  .describe('One or more of the missions cannot be planned, so none of them was.');

/** The route of BatchController, for callers. */
export const BATCH_ROUTES = [
  route({
    method: 'post',
    path: '/api/v1/missions/batch',
    operationId: 'createMissions',
    permission: 'missions.plan',
    tag: 'missions',
    summary: 'Plan many missions',
    description:
      'Up to 500 missions in one request; each gets the verdict that it would get alone, in the order of the request. With ' +
      '`allOrNothing` all of them are planned, or none is. With an `Idempotency-Key` a repeat of the request gets the same ' +
      'missions; those that were refused are tried again.',
    headers: ['Idempotency-Key'],
    body: jsonBody(newMissionsOfKinds, {
      missions: [
        {
          dockSn: '7CTDM3D00B5XYZ',
          waylineId: '0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11',
          kind: 'timed',
          executeAt: '2027-05-01T08:30:00+02:00',
          rthAltitudeMeters: 80,
        },
        {
          dockSn: '7CTDM3D00B6XYZ',
          waylineId: '0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11',
          kind: 'timed',
          executeAt: '2027-05-01T08:30:00+02:00',
          rthAltitudeMeters: 80,
        },
      ],
    }),
    maxBodyBytes: MAX_BATCH_BYTES,
    answers: { 200: jsonAnswer('A verdict for each mission.', batchSchema) },
    problems: {
      409: {
        description: '`batch_refused`: with `allOrNothing`, one or more of them were refused.',
        schema: refusedSchema,
      },
    },
  }),
];
