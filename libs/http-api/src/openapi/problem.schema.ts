import { z } from 'zod';
import type { ProblemStatus } from './types.js';

/** What `problemOf` gives, for callers. Loose: a problem may say more, each route says what. */
export const problemSchema = z
  .looseObject({
    type: z.string().describe('`urn:aerie:problem:` and the code.'),
    title: z.string().describe('What kind of problem it is, for people.'),
    status: z.int().describe('The status of the answer, again.'),
    detail: z.string().optional().describe('What was wrong this time, for people.'),
    code: z.string().describe('Stable word for programs.'),
    errors: z
      .array(
        z.strictObject({
          field: z.string().describe('The field, header or parameter, as the caller wrote it; parts joined by dots.'),
          message: z.string().describe('What is wrong with it, for people.'),
        }),
      )
      .optional()
      .describe('Everything that is wrong, field by field.'),
  })
  .describe('An error. [RFC 9457]');

interface SharedProblem {
  readonly name: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
}

const headerOf = (description: string, type = 'string') => ({ description, schema: { type } });

/** Problems that many routes have alike. */
export const SHARED_PROBLEMS: Readonly<Record<ProblemStatus, SharedProblem>> = {
  400: { name: 'Unreadable', description: 'The request cannot be read, e.g. its body is no JSON.' },
  401: {
    name: 'Unauthenticated',
    description: 'There is no API key or token, or it is not valid (any more).',
    headers: { 'WWW-Authenticate': headerOf('`Bearer`.') },
  },
  403: {
    name: 'Forbidden',
    description:
      '`not_permitted`: the key is good, and none of its roles may do this; `permission` is what it lacks, `grantedTo` the ' +
      'roles that have it.',
  },
  404: { name: 'NotFound', description: 'There is no such thing, or it belongs to another organisation.' },
  409: { name: 'Conflict', description: 'The present state forbids it; the problem says what can be done instead.' },
  412: {
    name: 'Outdated',
    description: 'Somebody has changed it since: it has not the version of `If-Match`. `version` is the one it has.',
  },
  413: { name: 'TooLarge', description: 'The body is larger than the route takes.' },
  415: {
    name: 'UnsupportedType',
    description: '`unsupported_media_type`: the body is of a type or an encoding that the route does not read.',
    headers: { Accept: headerOf('Media types that the route reads.') },
  },
  422: {
    name: 'Invalid',
    description:
      'The input is not valid; `errors` names every field. `unknown_parameter`: the query has a parameter that the route ' +
      'does not know; `knownParameters` lists those that it knows. `repeated_parameter`: it has one twice.',
  },
  429: {
    name: 'TooMany',
    description:
      '`too_many_requests`: of this key, organisation or address (`limit`). Nothing was done. Try again later.',
    headers: { 'Retry-After': headerOf('Seconds to wait.', 'integer') },
  },
  503: {
    name: 'Unavailable',
    description: 'Something that the answer needs does not answer now. Try again.',
    headers: { 'Retry-After': headerOf('Seconds to wait.', 'integer') },
  },
  504: { name: 'NoAnswer', description: 'Somebody behind this service, such as a dock, did not answer in time.' },
};
