import type { NextFunction, Request, Response } from 'express';
import type { HttpMethod } from './openapi/types.js';
import { problem } from './problem.js';
import { sendProblem } from './problem.filter.js';
import type { RouteTable } from './route-table.js';

/** HEAD goes with GET, and OPTIONS with everything. */
const allowedFor = (methods: readonly HttpMethod[]): string[] => [
  ...methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])),
  'OPTIONS',
];

/**
 * Answers a method that a path does not have with 405 and those that it has, which Nest would call a missing route, and
 * OPTIONS with the same list. A path without any route goes on, to the 404 of Nest. [RFC 9110, 15.5.6 and 9.3.7]
 */
export function answerMethods(table: RouteTable) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const methods = table.methodsAt(request.path);
    const allowed = allowedFor(methods);
    if (methods.length === 0 || (allowed.includes(request.method) && request.method !== 'OPTIONS')) return next();
    response.setHeader('Allow', allowed.join(', '));
    if (request.method === 'OPTIONS') {
      response.status(204).end();
      return;
    }
    const message = `${request.method} is not answered at ${request.path}; use ${allowed.join(', ')}`;
    sendProblem(response, {
      ...problem(405, 'method_not_allowed', `${message}.`),
      errors: [{ field: 'method', message }],
      allowedMethods: allowed,
    });
  };
}
