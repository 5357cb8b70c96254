import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Metrics, type SpanMaker, traceHeaderOf, traceWith } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { HttpRequests } from './http-requests.js';

const metrics = new Metrics('spec');
let server: Server;
let url: string;

beforeAll(async () => {
  const requests = new HttpRequests(metrics);
  server = createServer(
    requests.observed((request, response) => {
      const found = /^\/docks\/\w+(\?|$)/.test(request.url ?? '');
      // As Express does it.
      if (found) Object.assign(request, { route: { path: '/docks/:sn' } });
      response.writeHead(found ? 200 : 404).end();
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

it('counts requests by the template of their route, however many docks and paths there are', async () => {
  for (const path of ['/docks/A1', '/docks/B2', '/docks/C3?x=1', '/wp-login.php', '/a/b']) {
    await (await fetch(`${url}${path}`)).arrayBuffer();
  }
  const counts = async (): Promise<string[]> => {
    const text = await metrics.registry.getSingleMetricAsString('http_request_seconds');
    return [...text.matchAll(/_count\{.*route="([^"]*)".*status="([^"]*)".*\} (\d+)$/gm)].map((found) =>
      found.slice(1).join(' '),
    );
  };
  await eventually('all five are told', async () => (await counts()).join().includes('other 4xx 2'));
  expect((await counts()).sort()).toEqual(['/docks/:sn 2xx 3', 'other 4xx 2']);
});

it("passes a caller's trace on under its own span, without what the caller adds to it", async () => {
  const caller = { traceId: 'a'.repeat(32), spanId: '1'.repeat(16) };
  const irrelevant = (): void => undefined;
  const maker: SpanMaker = {
    begin: ({ parent }) => ({
      context: { traceId: parent?.traceId ?? '', spanId: '2'.repeat(16) },
      ...{ set: irrelevant, link: irrelevant, rename: irrelevant, fail: irrelevant, end: irrelevant },
    }),
  };
  traceWith({ maker, share: 1 });
  const seen: IncomingHttpHeaders[] = [];
  const handle = new HttpRequests(new Metrics('spec')).observed(({ headers }, response) => {
    seen.push(headers);
    response.end();
  });
  const traced = createServer(handle);
  await new Promise<void>((resolve) => traced.listen(0, '127.0.0.1', resolve));
  const headers = { traceparent: traceHeaderOf(caller), tracestate: 'a=b', baggage: 'email=someone' };
  await (await fetch(`http://127.0.0.1:${(traced.address() as AddressInfo).port}`, { headers })).arrayBuffer();
  await new Promise((resolve) => traced.close(resolve));
  traceWith(undefined);
  const ours = traceHeaderOf({ ...caller, spanId: '2'.repeat(16) });
  expect(seen[0]).toMatchObject({ traceparent: ours });
  expect(seen[0]).not.toHaveProperty('tracestate');
  expect(seen[0]).not.toHaveProperty('baggage');
});
