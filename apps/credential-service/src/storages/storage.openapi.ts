import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { doctorReportSchema } from '../doctor/doctor.schema.js';
import { storageInput } from './storage.input.js';
import { storageSchema } from './storage.schema.js';

/** The routes of StorageController, for callers. */

const tag = 'storage';
const path = '/api/v1/storage';

export const STORAGE_ROUTES = [
  route({
    method: 'get',
    path,
    operationId: 'getStorage',
    permission: 'storage.read',
    tag,
    summary: 'Where what the docks of the organisation upload is kept',
    answers: { 200: jsonAnswer('The storage; that of the deployment where none was chosen.', storageSchema, ['ETag']) },
  }),
  route({
    method: 'put',
    path,
    operationId: 'replaceStorage',
    permission: 'storage.manage',
    tag,
    summary: 'Choose another storage',
    description:
      'Works for every set of keys from now on. Docks keep what they were told until they are rebooted. What lies in ' +
      'the storage before stays there. Examine the new one with `POST /storage/doctor`.',
    headers: ['If-Match'],
    body: jsonBody(storageInput, {
      provider: 's3',
      dockEndpoint: 'https://storage.example.com',
      region: 'eu-central-1',
      bucket: 'drones',
      roleArn: 'arn:aws:iam:::role/dock-upload',
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: 'never shown again',
    }),
    answers: { 200: jsonAnswer('The storage as it is now.', storageSchema, ['ETag']) },
  }),
  route({
    method: 'delete',
    path,
    operationId: 'removeStorage',
    permission: 'storage.manage',
    tag,
    summary: 'Go back to the storage of the deployment',
    description: 'Idempotent. The stored secret is deleted.',
    headers: ['If-Match'],
    answers: { 200: jsonAnswer('The storage as it is now.', storageSchema, ['ETag']) },
  }),
  route({
    method: 'post',
    path: `${path}/doctor`,
    operationId: 'examineStorage',
    permission: 'storage.manage',
    tag,
    summary: 'Try the storage as a dock would',
    description:
      'Makes keys, uploads, tries what keys must not be able to do, and cleans up. Each step says what was found and ' +
      'what to change. Takes some seconds and 5 MB.',
    answers: {
      200: jsonAnswer('What was found, step by step; also when the storage is not well.', doctorReportSchema),
    },
  }),
];
