import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';

/** A year, which is what lists of browsers ask for. [RFC 6797] */
const YEAR_SECONDS = 31_536_000;

/** Tells browsers that came over TLS to come over nothing else. Over plain HTTP it must not be said. [RFC 6797, 7.2] */
export function stayWithTls(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  if (request.socket instanceof TLSSocket) response.setHeader('Strict-Transport-Security', `max-age=${YEAR_SECONDS}`);
  next();
}
