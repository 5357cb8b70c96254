import type { IncomingMessage, ServerResponse } from 'node:http';
import { awaitedNow } from '@aerie/observability';
import type { Host } from './host.js';

type Next = () => void;

/** True, or what is missing: a name where it is known, else false. */
export type Ready = boolean | string;

/** Says which process answers: whoever started one wants to hear from that one. */
const PROCESS_HEADER = 'x-aerie-process';
const RETRY_AFTER_SECONDS = 1;

/**
 * `/healthz`: the process answers. `/readyz`: it can do its work, or what it waits for; false as soon as a stop was
 * asked for. `/metrics`: numbers for Prometheus. Liveness asks nobody else, so that a lost database does not restart
 * every service.
 */
export function healthRoutes(host: Host, ready: () => Ready | Promise<Ready>) {
  return (request: IncomingMessage, response: ServerResponse, next: Next): void => {
    const answer = (status: number, text: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': type, [PROCESS_HEADER]: String(process.pid) });
      response.end(text);
    };
    switch (request.url) {
      case '/healthz':
        return answer(200, 'ok\n');
      case '/readyz':
        void Promise.resolve(host.shutdown.stopping ? 'it stops' : ready())
          .catch(() => false)
          .then((state) => (state === true ? answer(200, 'ready\n') : answer(503, `not ready${reasonOf(state)}\n`)));
        return;
      case '/metrics':
        void host.metrics.registry.metrics().then((text) => answer(200, text, host.metrics.registry.contentType));
        return;
      default:
        next();
    }
  };
}

const reasonOf = (state: string | false): string => {
  const reasons = [...awaitedNow().map((what) => `waiting for ${what}`), ...(state === false ? [] : [state])];
  return reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
};

/** What everybody else is told while the service boots. */
export function refuseWhileStarting(name: string, response: ServerResponse): void {
  const awaited = awaitedNow();
  const waits = awaited.length === 0 ? '' : ` and waits for ${awaited.join(', ')}`;
  response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': String(RETRY_AFTER_SECONDS) });
  response.end(
    JSON.stringify({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      code: 'starting',
      detail: `${name} is starting${waits}; try again in ${RETRY_AFTER_SECONDS} s`,
    }),
  );
}
