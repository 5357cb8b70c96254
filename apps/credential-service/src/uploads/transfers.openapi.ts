import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { downloadInput, downloadSchema, uploadInput, uploadSchema } from './upload.schema.js';

/** The routes of TransfersController, for callers. */

const tag = 'transfers';
const path = '/api/v1/storage';

export const TRANSFER_ROUTES = [
  route({
    method: 'post',
    path: `${path}/uploads`,
    operationId: 'presignUpload',
    permission: 'storage.objects',
    tag,
    summary: 'How to upload one object',
    body: jsonBody(uploadInput, {
      method: 'PUT',
      name: 'survey.zip',
      contentType: 'application/zip',
      sizeBytes: 1_048_576,
    }),
    answers: { 200: jsonAnswer('An address, and what to send with the file.', uploadSchema) },
  }),
  route({
    method: 'post',
    path: `${path}/downloads`,
    operationId: 'presignDownload',
    permission: 'storage.objects',
    tag,
    summary: 'How to download one object',
    description: 'The storage is not asked whether there is such an object: an address without one answers 404.',
    body: jsonBody(downloadInput, {
      objectKey: 'org/11111111-1111-4111-8111-111111111111/dock/4TADL210020011/media/DJI_001/a.jpeg',
    }),
    answers: { 200: jsonAnswer('An address.', downloadSchema) },
  }),
];
