import { jsonAnswer, optionalJsonBody, problemSchema, route } from '@aerie/http-api';
import { z } from 'zod';
import { listingSchema, newListing } from './listing.schema.js';

/** The routes of ListingsController, for callers. */

/** What a 504 says beside what every problem says. */
export const silentDockSchema = problemSchema
  .extend({ dockResult: z.int().nullable().optional().describe("The dock's own result code, where it said no.") })
  .describe('The dock did not answer, or said no.');

export const LISTING_ROUTES = [
  route({
    method: 'post',
    path: '/api/v1/docks/{sn}/log-listings',
    operationId: 'createLogListing',
    permission: 'logs.collect',
    tag: 'listings',
    summary: 'Ask a dock which logs it has',
    description:
      'Asks the dock now and waits for its answer, which takes some seconds; nothing of it is kept. Logs of an aircraft ' +
      'can be read only while it runs.',
    params: { sn: z.string().describe('Serial number of the dock.') },
    body: optionalJsonBody(newListing, { modules: ['dock', 'aircraft'] }),
    answers: { 200: jsonAnswer('What the dock lists.', listingSchema) },
    problems: {
      404: { description: '`unknown_dock`.' },
      503: { description: '`too_many_wait`: too many callers wait for docks. Or the registry does not answer.' },
      504: {
        description: '`dock_silent`: the dock is away, did not answer in time, or refused to list.',
        schema: silentDockSchema,
      },
    },
  }),
];
