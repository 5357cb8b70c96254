import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { HttpRequests } from './http-requests.js';
import { MAY_HAVE_BEEN_DONE, NOT_ANSWERED, OpenCalls, STOPPING_CODE } from './stopping.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The HTTP server of a service. It listens from the first moment on: the port is claimed before anything else is tried,
 * a second process on the same port ends at once, and a service that waits for its database can say so.
 */
export class ServiceServer {
  readonly http = createServer((request, response) => this.take(request, response));
  private readonly open = new OpenCalls<Exchange>();
  private state: 'open' | 'leaving' | 'closed' = 'open';

  constructor(private handle: Handler) {}

  /** Rejects when somebody else listens there. */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(port, host, () => {
        this.http.off('error', reject);
        resolve();
      });
    });
  }

  /** From now on requests are for the application. */
  serve(handle: Handler): void {
    this.handle = handle;
  }

  /** Takes no new connections. What comes over those that are open is answered still, as the last on its connection. */
  stopListening(): void {
    this.state = 'leaving';
    this.http.close();
    this.http.closeIdleConnections();
    for (const { response } of this.open) lastOn(response);
  }

  /** Waits for the requests in work, at most `withinMs`, answers 503 to those that are left, and closes everything. */
  async end(withinMs: number): Promise<void> {
    await this.open.end(withinMs, refuse);
    this.state = 'closed';
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    if (this.state === 'closed') return void response.destroy();
    const exchange = { request, response };
    this.open.add(exchange);
    response.once('close', () => this.open.delete(exchange));
    if (this.state === 'leaving') lastOn(response);
    this.handle(request, response);
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function lastOn(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

function refuse({ request, response }: Exchange): void {
  // Half of an answer is no answer: a client notices a connection that ends too early.
  if (response.headersSent) return void response.destroy();
  const detail = READS.has(request.method ?? '') ? NOT_ANSWERED : MAY_HAVE_BEEN_DONE;
  response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1', connection: 'close' });
  const problem = { type: 'about:blank', title: 'Service Unavailable', status: 503, code: STOPPING_CODE, detail };
  response.end(JSON.stringify(problem));
}

/** Lets Nest serve on a server that listens already. */
export class ListeningAdapter extends ExpressAdapter {
  constructor(
    private readonly server: ServiceServer,
    private readonly before: (request: IncomingMessage, response: ServerResponse, next: () => void) => void,
    private readonly requests: HttpRequests,
  ) {
    super();
  }

  override initHttpServer(): void {
    this.httpServer = this.server.http;
  }

  override listen(...args: unknown[]): ReturnType<ExpressAdapter['listen']> {
    const handle = this.requests.observed(this.getInstance<Handler>());
    this.server.serve((request, response) => this.before(request, response, () => handle(request, response)));
    const callback = args.at(-1) as (() => void) | undefined;
    callback?.();
    return this.server.http;
  }
}
