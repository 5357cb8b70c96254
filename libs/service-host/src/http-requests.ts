import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '@aerie/observability';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What Express leaves at a request whose route it found. */
interface Routed {
  readonly route?: { readonly path?: unknown };
}

/** Requests that none of our routes took: those of the edge, which passes them on, of the object storage, and stray ones. */
const NO_ROUTE = 'other';

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
      response.once('close', () => {
        const { route } = request as Routed;
        stop({
          method: request.method ?? '',
          route: typeof route?.path === 'string' ? route.path : NO_ROUTE,
          status: response.headersSent ? `${Math.floor(response.statusCode / 100)}xx` : 'none',
        });
      });
      handle(request, response);
    };
  }
}
