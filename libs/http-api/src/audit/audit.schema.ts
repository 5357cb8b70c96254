import { instantInput } from '../instant.js';
import { pageSchema } from '../openapi/lists.js';
import { spanInOrder } from '../query-input.js';
import { z } from 'zod';

/** What callers send and get of the audit trail. Strict, and a test holds real answers against it. */

const MOST = 100;

export const auditFilter = z.strictObject({
  by: z
    .string()
    .regex(/^(key|person|provider):[\da-f-]{36}$/)
    .optional()
    .describe(
      'Only requests of this key or person: `key:` or `person:`, and an id. `provider:` and an id: refused sign-ins of unknown people.',
    ),
  operationId: z
    .string()
    .max(MOST)
    .optional()
    .describe(
      'Only requests of this route, by its name in the API document, or of this method of gRPC: `MissionService/CancelMission`.',
    ),
  resourceId: z.string().max(MOST).optional().describe('Only requests about what has this id.'),
  refused: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true`: only what was refused with 401 or 403. `false`: only the rest.'),
  from: instantInput.optional().describe('Not before this, RFC 3339.'),
  until: instantInput.optional().describe('Before this, RFC 3339.'),
});

export type AuditFilter = z.output<typeof auditFilter>;

export const auditQuery = z
  .strictObject({
    ...auditFilter.shape,
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z
      .string()
      .regex(/^\d{1,18}$/)
      .optional(),
  })
  .check(spanInOrder);

export const auditRecordSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the record.'),
    seq: z.int().describe('Its place in the chain of the organisation, from 1.'),
    at: z.iso.datetime().describe('When the request came. RFC 3339, UTC.'),
    by: z
      .string()
      .describe(
        'Who sent it: `key:` or `person:`, and an id. `provider:` and an id: an unknown person from this identity provider.',
      ),
    address: z.string().describe('From where.'),
    operationId: z
      .string()
      .describe('The route, by its name in the API document; over gRPC the method, as `MissionService/CancelMission`.'),
    resources: z.record(z.string(), z.string()).describe('What it was about: the ids in its path, or of what it made.'),
    requestId: z.string().nullable().describe('`X-Request-Id` of its answer; null over gRPC.'),
    status: z
      .int()
      .nullable()
      .describe(
        'Status of its answer; over gRPC that which HTTP would have answered. Null: nobody knows, because the process died over it.',
      ),
    hash: z.string().describe('SHA-256 of the record and of the one before it, hexadecimal.'),
  })
  .describe('A request that changed something, or that was refused.');
export const auditPageSchema = pageSchema(auditRecordSchema, 'One page of records.');
