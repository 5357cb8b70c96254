import { assembleOpenApi, route, auditRecordSchema, auditRoute } from '@aerie/http-api';
import { z } from 'zod';
import { doctorReportSchema, stepSchema } from '../doctor/doctor.schema.js';
import { LEDGER_ROUTES } from '../ledger/ledger.openapi.js';
import { issueSchema } from '../ledger/issue.schema.js';
import { revocationSchema, revokeInput } from '../revocation/revocation.schema.js';
import { storageInput } from '../storages/storage.input.js';
import { STORAGE_ROUTES } from '../storages/storage.openapi.js';
import { storageSchema } from '../storages/storage.schema.js';
import { TRANSFER_ROUTES } from '../uploads/transfers.openapi.js';
import { downloadInput, downloadSchema, uploadInput, uploadSchema } from '../uploads/upload.schema.js';

const OPENAPI_ROUTES = [
  route({
    method: 'get',
    path: '/api/v1/storage/openapi.json',
    operationId: 'getStorageOpenApi',
    tag: 'about',
    summary: 'This document',
    public: true,
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        content: { 'application/json': z.record(z.string(), z.unknown()).describe('OpenAPI 3.1.') },
      },
    },
  }),
];

const AUDIT_ROUTE = auditRoute({
  path: '/api/v1/storage-audit',
  operationId: 'listStorageAuditRecords',
  about: 'storage',
});

/** Every route of this service. A test holds it against the controllers. */
export const ROUTES = [...STORAGE_ROUTES, ...LEDGER_ROUTES, ...TRANSFER_ROUTES, AUDIT_ROUTE, ...OPENAPI_ROUTES];

/** The API of this service as OpenAPI 3.1; docs/api/credential.openapi.json is a copy. */
export const CREDENTIAL_API = assembleOpenApi({
  title: 'Aerie: storage and keys',
  version: '1',
  description:
    'Where docks upload to, what was given out to them, and how to call it back. Instants are RFC 3339; units are in the ' +
    'names of fields. Errors are problem+json (RFC 9457) with a stable `code`. Fields may be added at any time; a client ' +
    'must ignore those that it does not know. Keys themselves are given to docks only. docs/storage.md tells the rest.',
  tags: [
    { name: 'storage', description: 'The bucket of the organisation.' },
    { name: 'ledger', description: 'What was given out, and what was called back.' },
    { name: 'transfers', description: 'Addresses of single objects.' },
    { name: 'audit', description: 'Who asked for what, and what was refused.' },
    { name: 'about', description: 'The API itself.' },
  ],
  routes: ROUTES,
  requestSchemas: { NewStorage: storageInput, Revoke: revokeInput, NewUpload: uploadInput, NewDownload: downloadInput },
  responseSchemas: {
    AuditRecord: auditRecordSchema,
    Storage: storageSchema,
    DoctorReport: doctorReportSchema,
    DoctorStep: stepSchema,
    Issue: issueSchema,
    Revocation: revocationSchema,
    Upload: uploadSchema,
    Download: downloadSchema,
  },
});
