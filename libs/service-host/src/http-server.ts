import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The HTTP server of a service. It listens from the first moment on: the port is claimed before anything else is tried,
 * a second process on the same port ends at once, and a service that waits for its database can say so.
 */
export class ServiceServer {
  readonly http = createServer((request, response) => this.handle(request, response));

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
}

/** Lets Nest serve on a server that listens already. */
export class ListeningAdapter extends ExpressAdapter {
  constructor(
    private readonly server: ServiceServer,
    private readonly before: (request: IncomingMessage, response: ServerResponse, next: () => void) => void,
  ) {
    super();
  }

  override initHttpServer(): void {
    this.httpServer = this.server.http;
  }

  override listen(...args: unknown[]): ReturnType<ExpressAdapter['listen']> {
    const handle = this.getInstance<Handler>();
    this.server.serve((request, response) => this.before(request, response, () => handle(request, response)));
    const callback = args.at(-1) as (() => void) | undefined;
    callback?.();
    return this.server.http;
  }
}
