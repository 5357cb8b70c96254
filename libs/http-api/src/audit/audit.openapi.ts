import { jsonAnswer, route } from '../openapi/route.js';
import type { RouteDescription } from '../openapi/types.js';
import { auditFilter, auditPageSchema } from './audit.schema.js';

/** The route that shows the records of one service. */
export const auditRoute = (of: {
  readonly path: string;
  readonly operationId: string;
  /** What its requests are about, as the end of a sentence. */
  readonly about: string;
  /** What else leaves a record. */
  readonly also?: string;
}): RouteDescription =>
  route({
    method: 'get',
    path: of.path,
    operationId: of.operationId,
    permission: 'audit.read',
    tag: 'audit',
    summary: `Show who asked for what about ${of.about}`,
    description:
      `The newest first: requests about ${of.about} that changed something or wanted to, whatever came of them; ` +
      `${of.also ?? 'and requests that were refused with 403'}. A record appears within seconds after its request ended.`,
    paged: true,
    query: auditFilter,
    answers: { 200: jsonAnswer('One page.', auditPageSchema) },
  });
