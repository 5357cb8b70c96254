import { assembleOpenApi, route, auditRecordSchema, auditRoute } from '@aerie/http-api';
import { z } from 'zod';
import { newCampaign } from '../campaigns/campaign.input.js';
import { campaignConflictSchema, campaignDockSchema, campaignSchema } from '../campaigns/campaign.schema.js';
import { CAMPAIGN_ROUTES } from '../campaigns/campaigns.openapi.js';
import { downloadSchema, fileSchema, newBundle } from '../files/file.schema.js';
import { FILE_ROUTES } from '../files/files.openapi.js';
import { listingSchema, newListing } from '../listings/listing.schema.js';
import { LISTING_ROUTES, silentDockSchema } from '../listings/listings.openapi.js';
import { POLICY_ROUTES } from '../policy/policy.openapi.js';
import { policyInput, policySchema } from '../policy/policy.schema.js';
import {
  causeSchema,
  timelineEntrySchema,
  uploadConflictSchema,
  uploadDetailSchema,
  uploadSchema,
} from '../uploads/store/upload.schema.js';
import { newUpload } from '../uploads/upload.input.js';
import { UPLOAD_ROUTES } from '../uploads/uploads.openapi.js';

const OPENAPI_ROUTES = [
  route({
    method: 'get',
    path: '/api/v1/log-uploads/openapi.json',
    operationId: 'getLogOpenApi',
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
  path: '/api/v1/log-audit',
  operationId: 'listLogAuditRecords',
  about: 'logs',
});

/** Every route of this service. A test holds it against the controllers. */
export const ROUTES = [
  ...LISTING_ROUTES,
  ...UPLOAD_ROUTES,
  ...FILE_ROUTES,
  ...CAMPAIGN_ROUTES,
  ...POLICY_ROUTES,
  AUDIT_ROUTE,
  ...OPENAPI_ROUTES,
];

/** The API of this service as OpenAPI 3.1; docs/api/log.openapi.json is a copy. */
export const LOG_API = assembleOpenApi({
  title: 'Aerie: logs of docks and aircraft',
  version: '1',
  description:
    'Which logs docks have, how they come into the storage, and what is kept of them. Instants are RFC 3339; units are ' +
    'in the names of fields. Errors are problem+json (RFC 9457) with a stable `code`. Fields may be added at any time; a ' +
    'client must ignore those that it does not know. docs/logs.md tells the rest.',
  tags: [
    { name: 'listings', description: 'What a dock has, at this moment.' },
    { name: 'uploads', description: 'From a wish for logs of one dock to verified files.' },
    { name: 'files', description: 'Archives in the storage.' },
    { name: 'campaigns', description: 'Uploads over many docks, at a pace that their uplinks bear.' },
    { name: 'policy', description: 'What holds for all logs of an organisation.' },
    { name: 'audit', description: 'Who asked for what, and what was refused.' },
    { name: 'about', description: 'The API itself.' },
  ],
  routes: ROUTES,
  requestSchemas: {
    NewLogListing: newListing,
    NewLogUpload: newUpload,
    NewLogBundle: newBundle,
    NewLogCampaign: newCampaign,
    NewLogPolicy: policyInput,
  },
  responseSchemas: {
    AuditRecord: auditRecordSchema,
    LogListing: listingSchema,
    SilentDock: silentDockSchema,
    LogUpload: uploadSchema,
    LogUploadDetail: uploadDetailSchema,
    LogUploadConflict: uploadConflictSchema,
    LogTimelineEntry: timelineEntrySchema,
    Cause: causeSchema,
    LogFile: fileSchema,
    LogDownload: downloadSchema,
    LogCampaign: campaignSchema,
    LogCampaignDock: campaignDockSchema,
    LogCampaignConflict: campaignConflictSchema,
    LogPolicy: policySchema,
  },
});
