import { jsonAnswer, route } from '@aerie/http-api';
import { auditFilter, auditPageSchema } from './audit.schema.js';

export const AUDIT_ROUTES = [
  route({
    method: 'get',
    path: '/api/v1/audit',
    operationId: 'listAuditRecords',
    permission: 'audit.read',
    tag: 'audit',
    summary: 'Show who asked for what',
    description:
      'The newest first: requests about docks, keys and people that changed something, whatever came of them; sign-ins; and ' +
      'requests that were refused with 401, where the key is known, or 403. A record appears within seconds after its request ended.',
    paged: true,
    query: auditFilter,
    answers: { 200: jsonAnswer('One page.', auditPageSchema) },
  }),
];
