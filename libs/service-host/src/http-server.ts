import { type Server as HttpServer, type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { HttpRequests } from './http-requests.js';
import { type ListenTls, listenOptions } from './listen-tls.js';
import { MAY_HAVE_BEEN_DONE, NOT_ANSWERED, OpenCalls, STOPPING_CODE } from './stopping.js';

/** What one client may hold of a service without asking for anything. */
export interface ConnectionLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From there to the end of its body. */
  readonly requestMs: number;
  /** Without a byte in either direction, also while a client takes no more of an answer. */
  readonly silentMs: number;
  readonly checkEveryMs: number;
  /** Beyond so many at once, a new one is closed. */
  readonly connections: number;
}

/**
 * 10 MiB, the largest body, come within 5 min over half a megabit a second. No route takes longer than 60 s to answer. Each
 * connection may hold some 60 KB of buffers.
 */
const LIMITS: ConnectionLimits = {
  headersMs: 10_000,
  requestMs: 300_000,
  silentMs: 120_000,
  checkEveryMs: 2_000,
  connections: 2_000,
};

/**
 * Longer than proxies keep a connection on which nothing is asked, a minute as a rule: whoever closes it first must be the one who asks, or
 * a request meets a connection that is being closed. With the five seconds of Node.js a busy caller meets many.
 */
const IDLE_MS = 75_000;

/** Longer than a request takes to arrive at a busy machine: when none has come for so long, none is on its way. */
const LINGER_MS = 1_000;
/** One turn of the event loop and some: what has arrived is read by then. */
const TURN_MS = 10;
/** New ones may go on coming: those are for other replicas. */
const MOST_TURNS = 20;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The HTTP server of a service. It listens from the first moment on: the port is claimed before anything else is tried,
 * a second process on the same port ends at once, and a service that waits for its database can say so.
 */
export class ServiceServer {
  readonly http: HttpServer;
  private readonly open = new OpenCalls<Exchange>();
  private state: 'open' | 'leaving' | 'closed' = 'open';
  private leftAtMs = 0;
  /** When the last connection or request came. */
  private heardAtMs = 0;

  constructor(
    private handle: Handler,
    limits: ConnectionLimits = LIMITS,
    tls?: ListenTls,
  ) {
    const { headersMs, requestMs, silentMs, checkEveryMs, connections } = limits;
    const options = { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: checkEveryMs };
    const take: Handler = (request, response) => this.take(request, response);
    this.http =
      tls === undefined
        ? createServer(options, take)
        : createSecureServer({ ...options, ...listenOptions(tls), handshakeTimeout: headersMs }, take);
    this.http.timeout = silentMs;
    this.http.keepAliveTimeout = IDLE_MS;
    this.http.on('connection', () => (this.heardAtMs = performance.now()));
    this.http.maxConnections = connections;
  }

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

  /**
   * Takes no new connections but those that the kernel has taken already. What comes over those that are open is answered
   * still, as the last on its connection.
   */
  async stopListening(): Promise<void> {
    this.state = 'leaving';
    for (const { response } of this.open) lastOn(response);
    await this.read();
    this.leftAtMs = performance.now();
    // `close` of the HTTP server would end each connection on which nothing was read yet, also where a request lies unread.
    NetServer.prototype.close.call(this.http);
  }

  /** Waits for the requests in work, at most `withinMs`, answers 503 to those that are left, and closes everything. */
  async end(withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs;
    await this.open.end(withinMs, () => undefined);
    // A request may be on its way on a connection that has none. Who still has one after a pause asks rarely.
    while (await this.isConnected()) {
      const lingerMs = Math.min(Math.max(this.leftAtMs, this.heardAtMs) + LINGER_MS, untilMs) - performance.now();
      if (lingerMs <= 0) break;
      await pause(lingerMs);
      await this.read();
    }
    await this.open.end(Math.max(0, untilMs - performance.now()), refuse);
    this.state = 'closed';
    this.http.closeIdleConnections();
  }

  /** Where the process was held up itself, what it was sent lies unread: it is no reason to take it for silence. */
  private async read(): Promise<void> {
    let heardAtMs = NaN;
    for (let turns = 0; turns < MOST_TURNS && heardAtMs !== this.heardAtMs; turns++) {
      heardAtMs = this.heardAtMs;
      await pause(TURN_MS);
    }
  }

  private isConnected(): Promise<boolean> {
    return new Promise((resolve) => this.http.getConnections((error, count) => resolve(error !== null || count > 0)));
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    if (this.state === 'closed') return void response.destroy();
    this.heardAtMs = performance.now();
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
    /** The same for callers of this machine. */
    private readonly inside: ServiceServer | undefined,
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
    const serve: Handler = (request, response) => this.before(request, response, () => handle(request, response));
    this.server.serve(serve);
    this.inside?.serve(serve);
    const callback = args.at(-1) as (() => void) | undefined;
    callback?.();
    return this.server.http;
  }
}
