import { type AgentOptions, type IncomingMessage, ServerResponse } from 'node:http';
import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { isIP } from 'node:net';
import { type Logger, REQUEST_ID_HEADER } from '@aerie/observability';
import httpProxy from 'http-proxy-3';
import { sendProblem } from './problem.js';
import { targetOf } from './routes.js';

export interface ProxyLimits {
  /** So long a service may be silent, on a request that it has got or in the middle of an answer. */
  readonly silentMs: number;
  /** Requests to one service at the same time. Beyond it callers are told to come again: a service that hangs must not
   * fill the memory of the edge, nor keep requests from the others. */
  readonly perService: number;
  /** Who signs the certificates of services; default: the public ones. */
  readonly authorities?: readonly string[] | undefined;
}

/** No route is silent for as long as that; an upload over a slow line is not silence. */
const LIMITS: ProxyLimits = { silentMs: 60_000, perService: 256 };
/** Clearly longer than what a service may take, so that its caller is told and not cut off. */
const CALLER_TIMES_LONGER = 1.5;

/** Passes requests to the service that owns their path, as streams in both directions; no body is read here. */
export function createProxy(
  routes: Readonly<Record<string, string>>,
  logger: Logger,
  { silentMs = LIMITS.silentMs, perService = LIMITS.perService, authorities }: Partial<ProxyLimits> = {},
) {
  const proxy = httpProxy.createProxyServer({
    proxyTimeout: silentMs,
    timeout: silentMs * CALLER_TIMES_LONGER,
    xfwd: true,
  });
  const lines = new Map<string, ServiceLine>();
  // With a time limit of its own the agent heeds that of the service, and gives a connection up a second before the
  // service does: a request must not go out on one that is being closed.
  const lineTo = (target: string): ServiceLine => {
    const line = lines.get(target) ?? {
      agent: agentTo(target, { keepAlive: true, maxSockets: perService, timeout: silentMs }, authorities),
      inWork: 0,
    };
    lines.set(target, line);
    return line;
  };
  proxy.on('error', (error, request, response) => {
    // The answer is out, whole. That the service reads no more of a body that it refused is no news.
    if (response instanceof ServerResponse && response.writableFinished) return;
    // Sockets are shared by requests: the id is that of the answer, whatever the context of the event is.
    const requestId = response instanceof ServerResponse ? response.getHeader(REQUEST_ID_HEADER) : undefined;
    logger.warn({ err: error, path: request.url, requestId }, 'failed to get an answer from a service');
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
    const line = lineTo(target);
    if (line.inWork >= perService) {
      logger.warn({ target, inWork: line.inWork }, 'refused a request: a service has too many in work');
      sendProblem(
        response,
        503,
        'service_busy',
        'The service behind this route has too many requests in work. Try again.',
      );
      readToTheEnd(request);
      return;
    }
    line.inWork++;
    response.once('close', () => line.inWork--);
    response.once('finish', () => readToTheEnd(request));
    proxy.web(request, response, { target, agent: line.agent });
  };
}

/** The connections to one service, and the requests that are on their way to it. */
interface ServiceLine {
  readonly agent: PlainAgent | SecureAgent;
  inWork: number;
}

/** A service whose certificate is not verified gets nothing. Connections are kept, and sessions of TLS taken up again. */
const agentTo = (target: string, options: AgentOptions, authorities: readonly string[] | undefined) =>
  target.startsWith('https:')
    ? new SecureAgent({
        ...options,
        minVersion: 'TLSv1.2',
        // Otherwise the certificate is looked at for the name in the caller's `Host`. An address has no name to send.
        servername: nameIn(target),
        ...(authorities === undefined ? {} : { ca: [...authorities] }),
      })
    : new PlainAgent(options);

const nameIn = (target: string): string => {
  const host = new URL(target).hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? host : '';
};

/**
 * A service may answer before it has read the whole body, such as one that is too large. What the client still sends goes
 * nowhere then, but it has to be read: behind it, on the same connection, comes the next request.
 */
function readToTheEnd(request: IncomingMessage): void {
  if (request.readableEnded) return;
  request.unpipe();
  request.resume();
}
