import { instantInput, pageQuery, readInput, spanInOrder } from '@aerie/http-api';
import { z } from 'zod';
import type { IssueFilter } from './ledger.js';

/** What the ledger can be searched by. */
export const issueQuery = z.object({
  dockSn: z.string().min(1).max(64).optional().describe('Only what was for this dock.'),
  kind: z.enum(['keys', 'download', 'upload']).optional().describe('Only this kind.'),
  accessKeyId: z.string().min(1).max(128).optional().describe('Only these keys.'),
  prefix: z.string().min(1).max(512).optional().describe('Only what lies below this prefix.'),
  from: instantInput.optional().describe('Given out at or after this instant, RFC 3339.'),
  until: instantInput.optional().describe('Given out before this instant, RFC 3339.'),
});

export function readIssueQuery(query: unknown): { filter: IssueFilter; limit: number; cursor: string | undefined } {
  const { limit, cursor, ...filter } = readInput(issueQuery.extend(pageQuery.shape).check(spanInOrder), query, 'query');
  return { filter, limit, cursor };
}
