import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Metrics,
  type OpenSpan,
  TRACE_HEADER,
  beginSpan,
  calledFrom,
  isTracing,
  runInTrace,
  traceHeaderOf,
  unsampledHeader,
} from '@aerie/observability';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What Express leaves at a request whose route it found. */
interface Routed {
  readonly route?: { readonly path?: unknown };
}

/** Requests that none of our routes took: those of the edge, which passes them on, of the object storage, and stray ones. */
const NO_ROUTE = 'other';

/** From this status on the fault is ours. */
const OUR_FAULT = 500;

/** Tells of each request how long it took, by the template of its route: a path as it was sent would be a label without end. */
export class HttpRequests {
  private readonly seconds;

  constructor(metrics: Metrics) {
    this.seconds = metrics.histogram(
      'http_request_seconds',
      'How long a request took, to the last byte of its answer, by route and class of status. `none`: the caller left before.',
      ['method', 'route', 'status'],
    );
  }

  observed(handle: Handler): Handler {
    return (request, response) => {
      const stop = this.seconds.startTimer();
      const span = isTracing() ? traceOf(request) : undefined;
      response.once('close', () => {
        const { route } = request as Routed;
        const path = typeof route?.path === 'string' ? route.path : NO_ROUTE;
        const status = response.headersSent ? `${Math.floor(response.statusCode / 100)}xx` : 'none';
        stop({ method: request.method ?? '', route: path, status });
        if (span !== undefined) tell(span, path, response);
      });
      runInTrace(span?.context, () => handle(request, response));
    };
  }
}

/** What callers may add to a trace. We read neither, and pass neither on: the edge forwards the headers of a request. */
const OF_CALLERS = ['tracestate', 'baggage'] as const;

/** From here on the request names our own span, also to whom it is passed on. */
function traceOf(request: IncomingMessage): OpenSpan | undefined {
  for (const header of OF_CALLERS) delete request.headers[header];
  const span = beginSpan({
    name: request.method ?? '',
    kind: 'server',
    ...calledFrom(request.headers[TRACE_HEADER]),
    attributes: { 'http.request.method': request.method },
  });
  request.headers[TRACE_HEADER] = span === undefined ? unsampledHeader() : traceHeaderOf(span.context);
  return span;
}

function tell(span: OpenSpan, route: string, response: ServerResponse): void {
  const { headersSent, statusCode } = response;
  span.rename(`${response.req.method ?? ''} ${route}`);
  span.set({ 'http.route': route, 'http.response.status_code': headersSent ? statusCode : null });
  if (!headersSent || statusCode >= OUR_FAULT) span.fail(headersSent ? String(statusCode) : 'no_answer');
  span.end();
}
