import { type IncomingMessage, ServerResponse } from 'node:http';
import { Agent } from 'node:http';
import type { Logger } from '@aerie/observability';
import httpProxy from 'http-proxy-3';
import { targetOf } from './routes.js';

/** Connections that are kept to each service. */
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
/** Longer than any route takes; an upload of ten megabytes over a slow line included. */
const TIMEOUT_MS = 90_000;

/** Passes requests to the service that owns their path, as streams in both directions; no body is read here. */
export function createProxy(routes: Readonly<Record<string, string>>, logger: Logger) {
  const proxy = httpProxy.createProxyServer({ agent, proxyTimeout: TIMEOUT_MS, timeout: TIMEOUT_MS, xfwd: true });
  proxy.on('error', (error, request, response) => {
    // The answer is out, whole. That the service reads no more of a body that it refused is no news.
    if (response instanceof ServerResponse && response.writableFinished) return;
    logger.warn({ err: error, path: request.url }, 'a service did not answer');
    if (!(response instanceof ServerResponse)) return;
    if (response.headersSent) {
      // Half an answer is out already; only a cut says that it is not whole.
      response.destroy();
      return;
    }
    sendProblem(response, 503, 'service_unavailable', 'The service behind this route does not answer now. Try again.');
  });
  return (request: IncomingMessage, response: ServerResponse): void => {
    const target = targetOf(routes, request.url ?? '/');
    if (target === undefined) {
      sendProblem(response, 404, 'no_such_route', `There is no route ${request.method} ${request.url?.split('?')[0]}.`);
      return;
    }
    response.once('finish', () => readToTheEnd(request));
    proxy.web(request, response, { target });
  };
}

/**
 * A service may answer before it has read the whole body, such as one that is too large. What the client still sends goes
 * nowhere then, but it has to be read: behind it, on the same connection, comes the next request.
 */
function readToTheEnd(request: IncomingMessage): void {
  if (request.readableEnded) return;
  request.unpipe();
  request.resume();
}

function sendProblem(response: ServerResponse, status: number, code: string, detail: string): void {
  response.writeHead(status, {
    'content-type': 'application/problem+json; charset=utf-8',
    ...(status === 503 ? { 'retry-after': '2' } : {}),
  });
  const title = status === 503 ? 'Not available now' : 'Not found';
  response.end(JSON.stringify({ type: `urn:aerie:problem:${code}`, title, status, code, detail }));
}
