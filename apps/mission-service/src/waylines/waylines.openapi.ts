import { type AnswerDescription, jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { routeGeoJsonSchema, waylinePageSchema, waylineSchema } from './wayline.schema.js';
import { uploadQuery, waylineChange, waylineListQuery } from './waylines.controller.js';

/** The routes of WaylinesController, for callers. */

const tag = 'waylines';
const path = '/api/v1/waylines';
const params = { id: z.uuid().describe('Id of the wayline.') };

// Bytes have no schema in OpenAPI 3.1; the limits are in the words.
const kmz = z.unknown().describe('The KMZ itself, at most 10 MiB.');
const form = z
  .object({
    file: z.unknown().describe('The KMZ, at most 10 MiB. The first file counts, whatever its field is called.'),
  })
  .describe('A form with one file.');

const stored = (description: string): AnswerDescription => jsonAnswer(description, waylineSchema, ['Location']);

export const WAYLINE_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'uploadWayline',
    permission: 'waylines.upload',
    tag,
    summary: 'Store a route file',
    description: 'The file is checked first; docs/waylines.md lists what is refused.',
    query: uploadQuery,
    body: {
      content: {
        'application/vnd.google-earth.kmz': { schema: kmz },
        'application/octet-stream': { schema: kmz },
        'application/zip': { schema: kmz },
        'application/x-zip-compressed': { schema: kmz },
        // What `curl --data-binary` says of every file.
        'application/x-www-form-urlencoded': { schema: kmz },
        'multipart/form-data': { schema: form },
      },
    },
    answers: {
      200: stored('The same bytes were stored before; this is that wayline, under its name, and no longer archived.'),
      201: stored('The wayline was stored.'),
    },
    problems: {
      413: { description: '`kmz_too_large`.' },
      422: { description: '`invalid_kmz`: `errors` names file, line and element.' },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listWaylines',
    permission: 'waylines.read',
    tag,
    summary: 'List waylines',
    paged: true,
    query: waylineListQuery.pick({ archived: true }),
    answers: { 200: jsonAnswer('One page.', waylinePageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getWayline',
    permission: 'waylines.read',
    tag,
    summary: 'Show a wayline',
    params,
    answers: { 200: jsonAnswer('The wayline.', waylineSchema) },
  }),
  route({
    method: 'patch',
    path: `${path}/{id}`,
    operationId: 'changeWayline',
    permission: 'waylines.manage',
    tag,
    summary: 'Rename or archive a wayline',
    description: 'An archived wayline is not listed and cannot be planned; missions that were planned with it fly.',
    params,
    body: jsonBody(waylineChange, { archived: true }),
    answers: { 200: jsonAnswer('The wayline.', waylineSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}/route`,
    operationId: 'getWaylineRoute',
    permission: 'waylines.read',
    tag,
    summary: 'What flies, for a map',
    params,
    answers: { 200: { description: 'GeoJSON.', content: { 'application/geo+json': routeGeoJsonSchema } } },
  }),
];
