import type { IncomingMessage, ServerResponse } from 'node:http';
import { REQUEST_ID_HEADER } from '@aerie/observability';
import cors from 'cors';

/** A browser asks again after this; a removed origin is refused by then. */
const MAX_AGE_SECONDS = 600;

/**
 * Lets pages of these origins call the API. A preflight of theirs is answered here; one of another origin goes on to the
 * service, which says nothing about origins, so that the browser refuses it. Keys travel in a header and never as
 * cookies, so no credentials are allowed. [Fetch, CORS protocol]
 */
export function allowOrigins(origins: readonly string[]) {
  const answer = cors({
    origin: (origin, callback) => callback(null, origin !== undefined && origins.includes(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      ...['Authorization', 'Content-Type', 'Accept', 'Idempotency-Key', 'If-Match', 'If-None-Match'],
      REQUEST_ID_HEADER,
    ],
    exposedHeaders: [
      ...['ETag', 'Location', 'Allow', 'Accept', 'Retry-After', 'WWW-Authenticate', 'Content-Disposition'],
      REQUEST_ID_HEADER,
    ],
    maxAge: MAX_AGE_SECONDS,
  });
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (origins.length === 0) return next();
    // A plain OPTIONS asks which methods there are, and the service knows that.
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] === undefined) return next();
    answer(request, response, next);
  };
}
