import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error } from './s3-error.js';

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'];
const EXPOSED = 'ETag, Location, x-amz-request-id, x-amz-bucket-region';
const MAX_AGE_SECONDS = 600;

/** Lets pages of some origins use the store. What they may do there is still a matter of signatures. */
export class Cors {
  /** @param origins as browsers send them; `*` for all. */
  constructor(private readonly origins: readonly string[]) {}

  /** Before anything is answered, so that a page can read refusals too. */
  mark({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    if (this.origins.length === 0) return;
    response.setHeader('Vary', 'Origin');
    if (origin === undefined || !this.allows(origin)) return;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
  }

  /** The question that a browser asks before a request. It is not signed. */
  preflight({ headers }: IncomingMessage, response: ServerResponse): void {
    const { origin, 'access-control-request-method': method = '' } = headers;
    if (origin === undefined || !this.allows(origin) || !METHODS.includes(method)) {
      throw new S3Error('AccessForbidden', 'CORSResponse: This CORS request is not allowed.');
    }
    response.setHeader('Access-Control-Allow-Methods', METHODS.join(', '));
    response.setHeader('Access-Control-Max-Age', MAX_AGE_SECONDS);
    const wanted = headers['access-control-request-headers'];
    if (wanted !== undefined) response.setHeader('Access-Control-Allow-Headers', wanted);
    response.writeHead(200, { 'Content-Length': 0 }).end();
  }

  private allows(origin: string): boolean {
    return this.origins.includes(origin) || this.origins.includes('*');
  }
}
