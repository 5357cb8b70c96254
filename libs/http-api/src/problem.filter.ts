import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { type Logger, REQUEST_ID_HEADER } from '@aerie/observability';
import type { Request, Response } from 'express';
import { type Problem, problemOf } from './problem.js';

/** Turns every error into problem+json, and logs those that nobody expected. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    // Questions over NATS have their own way to fail.
    if (host.getType() !== 'http') throw error;
    const response = host.switchToHttp().getResponse<Response>();
    const { method, path } = host.switchToHttp().getRequest<Request>();
    const problem = problemOf(error);
    if (problem.status >= 500) {
      const log = problem.status === 500 ? 'error' : 'warn';
      const requestId = response.getHeader(REQUEST_ID_HEADER);
      this.logger[log]({ err: error, method, path, requestId }, 'a request failed');
    }
    sendProblem(response, problem);
  }
}

export function sendProblem(response: Response, problem: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  if (problem.status === 503) response.setHeader('Retry-After', '2');
  if (problem.status === 429) response.setHeader('Retry-After', String(secondsOf(problem['retryAfterMs'])));
  // What the route reads, where it is told of a type that it does not. [RFC 9110, 15.5.16]
  if (Array.isArray(problem['acceptedTypes'])) response.setHeader('Accept', problem['acceptedTypes'].join(', '));
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

const secondsOf = (waitMs: unknown): number =>
  typeof waitMs === 'number' ? Math.max(1, Math.ceil(waitMs / 1_000)) : 1;
