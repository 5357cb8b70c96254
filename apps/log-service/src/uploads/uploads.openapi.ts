import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { newUpload, uploadQuery } from './upload.input.js';
import {
  timelineSchema,
  uploadConflictSchema,
  uploadDetailSchema,
  uploadPageSchema,
  uploadSchema,
} from './store/upload.schema.js';

/** The routes of UploadsController, for callers. */

const tag = 'uploads';
const params = { id: z.uuid().describe('Id of the upload.') };
const path = '/api/v1/log-uploads';

export const UPLOAD_ROUTES = [
  route({
    method: 'post',
    path,
    operationId: 'createLogUpload',
    permission: 'logs.collect',
    tag,
    summary: 'Ask for logs of a dock',
    description:
      'Accepts an upload. The dock is asked as soon as it is there and neither flies nor is needed by a mission; each ' +
      'file is verified once it is in the storage.',
    headers: ['Idempotency-Key'],
    body: jsonBody(newUpload, { dockSn: '7CTDM3D00B5XYZ', latest: { count: 3, modules: ['dock'] } }),
    answers: { 201: jsonAnswer('The upload was accepted, and is stored.', uploadSchema, ['ETag', 'Location']) },
    problems: {
      404: { description: '`unknown_dock`.' },
      422: { description: '`invalid_input`, `invalid_idempotency_key` or `idempotency_key_reused`.' },
    },
  }),
  route({
    method: 'get',
    path,
    operationId: 'listLogUploads',
    permission: 'logs.read',
    tag,
    summary: 'List log uploads, newest first',
    query: uploadQuery,
    paged: true,
    answers: { 200: jsonAnswer('One page.', uploadPageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getLogUpload',
    permission: 'logs.read',
    tag,
    summary: 'Show a log upload with its attempts',
    params,
    answers: { 200: jsonAnswer('The upload.', uploadDetailSchema, ['ETag']) },
    problems: { 404: { description: '`unknown_upload`.' } },
  }),
  route({
    method: 'get',
    path: `${path}/{id}/timeline`,
    operationId: 'getLogUploadTimeline',
    permission: 'logs.read',
    tag,
    summary: 'All that happened to a log upload',
    description:
      'Messages, timers, decisions and refusals, oldest first. Never a key. Kept for a time after the end of an upload, as the ' +
      'deployment sets it; afterwards `prunedAt` says since when it is gone.',
    params,
    answers: { 200: jsonAnswer('The timeline.', timelineSchema) },
    problems: { 404: { description: '`unknown_upload`.' } },
  }),
  route({
    method: 'post',
    path: `${path}/{id}/cancel`,
    operationId: 'cancelLogUpload',
    permission: 'logs.collect',
    tag,
    summary: 'Call a log upload off',
    description:
      'Idempotent. A dock that exports is told, and until it has stopped the upload is `stopping`. What is complete by ' +
      'then stays.',
    params,
    headers: ['If-Match'],
    answers: { 200: jsonAnswer('The upload, canceled or stopping.', uploadSchema, ['ETag']) },
    problems: {
      404: { description: '`unknown_upload`.' },
      409: { description: '`upload_state`: it has ended in another way.', schema: uploadConflictSchema },
    },
  }),
];
