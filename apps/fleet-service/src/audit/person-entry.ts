import { randomUUID } from 'node:crypto';
import type { AuditEntry } from '@aerie/http-api';
import { currentRequestId } from '@aerie/observability';

/** Of a request without a bearer, once it is known which person sent it. */
export const personEntry = (
  ids: { readonly personId: string; readonly organisationId: string },
  operationId: string,
  address: string,
): AuditEntry => ({
  ...{ id: randomUUID(), organisationId: ids.organisationId, by: `person:${ids.personId}`, address, operationId },
  ...{ resources: {}, requestId: currentRequestId() ?? null, atMs: Date.now() },
});
