import { type IncomingMessage, type ServerResponse, get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { json } from 'node:stream/consumers';
import { type Logger, REQUEST_ID_HEADER } from '@aerie/observability';
import type { Config } from './config.js';
import { type OpenApiPart, mergeOpenApi } from './merge-openapi.js';
import { sendProblem } from './problem.js';

const PATH = '/api/v1/openapi.json';
/** A document changes with a release; for so long the one that was read is shown. */
const KEEP_MS = 60_000;
/** The documents are in the memory of the services. */
const TIMEOUT_MS = 5_000;

/** Where each service describes its routes. */
export const documentsOf = (config: Config) => [
  { prefix: 'Mission', url: `${config.EDGE_MISSION_URL}/api/v1/openapi.json` },
  { prefix: 'Fleet', url: `${config.EDGE_FLEET_URL}/api/v1/docks/openapi.json` },
  { prefix: 'Log', url: `${config.EDGE_LOG_URL}/api/v1/log-uploads/openapi.json` },
  { prefix: 'Storage', url: `${config.EDGE_CREDENTIAL_URL}/api/v1/storage/openapi.json` },
];

/**
 * Answers `GET /api/v1/openapi.json` with the routes of all services in one document, as the running services describe
 * them. 503 while one of them does not answer: half a document would look like a whole one.
 */
export function describeWholeApi(
  documents: ReturnType<typeof documentsOf>,
  logger: Logger,
  {
    keepMs = KEEP_MS,
    authorities,
  }: { readonly keepMs?: number; readonly authorities?: readonly string[] | undefined } = {},
) {
  let kept: { readonly text: string; readonly untilMs: number } | undefined;
  const read = async (): Promise<string> => {
    if (kept !== undefined && performance.now() < kept.untilMs) return kept.text;
    const parts = await Promise.all(
      documents.map(async ({ prefix, url }) => {
        const response = await ask(url, authorities);
        if (response.statusCode !== 200) throw new Error(`failed to read ${url}: ${response.statusCode}`);
        return { prefix, document: (await json(response)) as OpenApiPart };
      }),
    );
    const text = JSON.stringify(mergeOpenApi(parts));
    kept = { text, untilMs: performance.now() + keepMs };
    return text;
  };
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    // Anything else at this path, such as another method, is refused by the service as at every path.
    if (request.url !== PATH || (request.method !== 'GET' && request.method !== 'HEAD')) return next();
    read().then(
      (text) => response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text),
      (error: unknown) => {
        logger.warn({ err: error, requestId: response.getHeader(REQUEST_ID_HEADER) }, 'failed to describe the API');
        sendProblem(response, 503, 'service_unavailable', 'A service does not describe its routes now. Try again.');
      },
    );
  };
}

/** `fetch` of Node takes no authorities. */
function ask(url: string, authorities: readonly string[] | undefined): Promise<IncomingMessage> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    const asked = url.startsWith('https:')
      ? getSecurely(url, { signal, ...(authorities === undefined ? {} : { ca: [...authorities] }) }, resolve)
      : get(url, { signal }, resolve);
    asked.once('error', reject);
  });
}
