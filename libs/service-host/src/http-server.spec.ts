import type { AddressInfo } from 'node:net';
import { Metrics, createLogger, sayWhileAwaited } from '@aerie/observability';
import { healthRoutes, refuseWhileStarting } from './health.js';
import { ServiceServer } from './http-server.js';
import { Shutdown } from './shutdown.js';

const logger = createLogger('test', 'silent');

describe('a service that boots', () => {
  const servers: ServiceServer[] = [];
  const claim = async (port: number): Promise<string> => {
    const host = { logger, metrics: new Metrics('test'), shutdown: new Shutdown() };
    const health = healthRoutes(host, () => false);
    const server = new ServiceServer((request, response) =>
      health(request, response, () => refuseWhileStarting('mission-service', response)),
    );
    await server.listen(port, '127.0.0.1');
    servers.push(server);
    return `http://127.0.0.1:${(server.http.address() as AddressInfo).port}`;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(({ http }) => new Promise((resolve) => http.close(resolve))));
  });

  it('says at /readyz which process it is and what it waits for', async () => {
    const url = await claim(0);
    let arrive = (): void => undefined;
    const waiting = sayWhileAwaited('PostgreSQL', logger, () => new Promise<void>((resolve) => (arrive = resolve)));

    const answer = await fetch(`${url}/readyz`);
    arrive();
    await waiting;

    expect(answer.status).toBe(503);
    expect(answer.headers.get('x-aerie-process')).toBe(String(process.pid));
    expect(await answer.text()).toBe('not ready: waiting for PostgreSQL\n');
  });

  it('is alive meanwhile, so that nobody restarts it for a database that is away', async () => {
    expect((await fetch(`${await claim(0)}/healthz`)).status).toBe(200);
  });

  it('tells callers of the API to try again', async () => {
    const answer = await fetch(`${await claim(0)}/api/v1/missions`);

    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({
      code: 'starting',
      detail: 'mission-service is starting; try again in 1 s',
    });
  });

  it('refuses a port that another process listens on', async () => {
    const { port } = new URL(await claim(0));

    await expect(claim(Number(port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
