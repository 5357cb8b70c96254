import type { IncomingMessage, ServerResponse } from 'node:http';
import { REQUEST_ID_HEADER, readRequestId, runWithRequestId } from '@aerie/observability';

/** Gives every request its id, which the service, its logs and the answer carry too. */
export function nameRequest(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const name = REQUEST_ID_HEADER.toLowerCase();
  const id = readRequestId(request.headers[name]);
  request.headers[name] = id;
  response.setHeader(REQUEST_ID_HEADER, id);
  runWithRequestId(id, next);
}
