import { randomUUID } from 'node:crypto';
import type { AuditEntry } from '@aerie/http-api';
import { currentRequestId } from '@aerie/observability';

/** Entry of a request without a bearer, once the person or the identity provider is known. */
export const personEntry = (
  ids: { readonly organisationId: string } & ({ readonly personId: string } | { readonly providerId: string }),
  operationId: string,
  address: string,
  resources: AuditEntry['resources'] = {},
): AuditEntry => ({
  ...{ id: randomUUID(), organisationId: ids.organisationId, address, operationId, resources },
  by: 'personId' in ids ? `person:${ids.personId}` : `provider:${ids.providerId}`,
  ...{ requestId: currentRequestId() ?? null, atMs: Date.now() },
});
