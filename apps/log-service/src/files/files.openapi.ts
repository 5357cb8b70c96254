import { jsonAnswer, jsonBody, route } from '@aerie/http-api';
import { z } from 'zod';
import { downloadSchema, filePageSchema, fileQuery, fileSchema, newBundle, usageSchema } from './file.schema.js';

/** The routes of FilesController, for callers. */

const tag = 'files';
const params = { id: z.uuid().describe('Id of the file.') };
const path = '/api/v1/log-files';

const unknown = { description: '`unknown_file`.' };
const deleted = { description: '`file_deleted`: the retention policy has deleted its content.' };

export const FILE_ROUTES = [
  route({
    method: 'get',
    path,
    operationId: 'listLogFiles',
    permission: 'logs.read',
    tag,
    summary: 'List archives of logs, newest first',
    query: fileQuery,
    paged: true,
    answers: { 200: jsonAnswer('One page.', filePageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/usage`,
    operationId: 'getLogUsage',
    permission: 'logs.read',
    tag,
    summary: 'What is kept of each dock',
    answers: { 200: jsonAnswer('The docks that have files.', usageSchema) },
  }),
  route({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'getLogFile',
    permission: 'logs.read',
    tag,
    summary: 'Show an archive',
    params,
    answers: { 200: jsonAnswer('The archive; also one whose content was deleted.', fileSchema) },
    problems: { 404: unknown },
  }),
  route({
    method: 'get',
    path: `${path}/{id}/download`,
    operationId: 'getLogFileDownload',
    permission: 'logs.read',
    tag,
    summary: 'How to download an archive',
    description: 'An address that works for a quarter of an hour; each is in the ledger of the storage.',
    params,
    answers: { 200: jsonAnswer('An address.', downloadSchema) },
    problems: { 404: unknown, 409: deleted },
  }),
  route({
    method: 'post',
    path: `${path}/bundle`,
    operationId: 'createLogBundle',
    permission: 'logs.read',
    tag,
    summary: 'Several archives and a manifest as one ZIP',
    description:
      'For the support of a vendor; `manifest.json` tells what each archive is. The ZIP is made while it is sent: where ' +
      'an archive cannot be read any more, the answer is cut and is no whole ZIP.',
    body: jsonBody(newBundle, { fileIds: ['0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11'] }),
    answers: {
      200: {
        description: 'The ZIP.',
        headers: ['Content-Disposition'],
        // Bytes have no schema in OpenAPI 3.1.
        content: { 'application/zip': z.unknown().describe('The ZIP itself.') },
      },
    },
    problems: {
      404: unknown,
      409: deleted,
      422: { description: '`invalid_input`, or `bundle_too_large`: more than 4 GiB; download the files one by one.' },
      503: { description: '`too_many_bundles`: too many are packed now. Or the storage does not answer.' },
    },
  }),
];
