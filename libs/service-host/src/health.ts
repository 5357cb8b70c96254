import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Host } from './run-service.js';

type Next = () => void;

/**
 * `/healthz`: the process answers. `/readyz`: it can do its work; false as soon as a stop was asked for. `/metrics`:
 * numbers for Prometheus. Liveness asks nobody else, so that a lost database does not restart every service.
 */
export function healthRoutes(host: Host, ready: () => boolean | Promise<boolean>) {
  return (request: IncomingMessage, response: ServerResponse, next: Next): void => {
    const answer = (status: number, text: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': type });
      response.end(text);
    };
    switch (request.url) {
      case '/healthz':
        return answer(200, 'ok\n');
      case '/readyz':
        void Promise.resolve(host.shutdown.stopping ? false : ready())
          .catch(() => false)
          .then((isReady) => answer(isReady ? 200 : 503, isReady ? 'ready\n' : 'not ready\n'));
        return;
      case '/metrics':
        void host.metrics.registry.metrics().then((text) => answer(200, text, host.metrics.registry.contentType));
        return;
      default:
        next();
    }
  };
}
