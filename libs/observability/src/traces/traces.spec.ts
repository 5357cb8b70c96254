import { spawnSync } from 'node:child_process';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvalidError, Peer } from '@aerie/kernel';
import { createLogger } from '../logger.js';
import { Metrics } from '../metrics.js';
import { SpanQueue } from './span-queue.js';
import { startTraces } from './start-traces.js';
import { NO_WORD, TRACE_ATTRIBUTES, allowedAttributes } from './trace-attributes.js';
import { TRACE_HEADER, isSampled, randomId, readTraceHeader, traceHeaderOf, unsampledHeader } from './trace-context.js';
import { beginSpan, calledFrom, currentTrace, joinTrace, placeOf, readTrace, runInTrace, traced } from './traces.js';

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number; readonly message?: string };
}

const logger = createLogger('test', 'silent');
const A = { traceId: 'a'.repeat(32), spanId: '1'.repeat(16) };
const B = { traceId: 'b'.repeat(32), spanId: '2'.repeat(16) };

let server: Server;
let status: number;
let bodies: string[];
let authorization: string | undefined;
let metrics: Metrics;
let stop: () => Promise<void>;

const collectorUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const begin = async (share = 1): Promise<void> => {
  const collector = new Peer(collectorUrl().replace('//', '//someone:secret-word@'));
  stop = await startTraces('some-service', { collector, share }, metrics, logger);
};
const received = (): OtlpSpan[] =>
  bodies.flatMap((body) =>
    (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }).resourceSpans.flatMap(
      ({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans),
    ),
  );
const counted = async (outcome: string): Promise<number> => {
  const [, count] =
    new RegExp(`trace_spans_total\\{outcome="${outcome}",[^}]*\\} (\\d+)`).exec(await metrics.registry.metrics()) ?? [];
  return Number(count);
};

beforeEach(async () => {
  [status, bodies, authorization] = [200, [], undefined];
  metrics = new Metrics('some-service');
  server = createServer((request, response) => {
    authorization = request.headers.authorization;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      if (status === 200) bodies.push(body);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = async () => undefined;
});
afterEach(async () => {
  await stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('without a collector', () => {
  // prom-client loads the interfaces, which do nothing by themselves.
  it('nothing of the SDK of OpenTelemetry is loaded, and no work is in a trace', () => {
    const program = `import { createRequire } from 'node:module';
      const { Metrics, createLogger, startTraces, traced, runInTrace, currentTrace } = await import('${new URL('../index.js', import.meta.url).href}');
      await startTraces('test', { collector: undefined, share: 1 }, new Metrics('test'), createLogger('test'));
      const inside = await traced({ name: 'x', begins: true }, async (span) => [span, runInTrace({ traceId: 'a', spanId: 'b' }, currentTrace)]);
      const loaded = Object.keys(createRequire('${import.meta.url}').cache);
      console.log(JSON.stringify({ inside, some: loaded.length > 0, traces: loaded.filter((file) => /opentelemetry.(?!api\\W)/.test(file)) }));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual({ inside: [null, null], some: true, traces: [] });
  });
});

describe('a span', () => {
  it('lies below the span that its work belongs to, and work that it starts below it', async () => {
    await begin();
    await traced({ name: 'outer', begins: true }, async () => {
      await traced({ name: 'inner' }, async () => undefined);
    });
    expect(currentTrace()).toBeUndefined();
    await stop();
    const [inner, outer] = received();
    expect([inner?.name, outer?.name, inner?.parentSpanId, inner?.traceId]).toEqual([
      ...['inner', 'outer', outer?.spanId, outer?.traceId],
    ]);
    expect(authorization).toBe(`Basic ${Buffer.from('someone:secret-word').toString('base64')}`);
  });

  it('of one message belongs to it; of many it begins a trace that leads to each', async () => {
    await begin();
    await traced({ name: 'one', ...placeOf([A]) }, async () => undefined);
    await traced({ name: 'many', ...placeOf([A, B]) }, async () => undefined);
    await traced({ name: 'none', ...placeOf([]) }, async () => undefined);
    await stop();
    const [one, many, ...others] = received();
    expect([one?.traceId, one?.parentSpanId, one?.links]).toEqual([A.traceId, A.spanId, []]);
    expect([A.traceId, B.traceId]).not.toContain(many?.traceId);
    expect(many?.parentSpanId).toBeUndefined();
    expect(many?.links?.map(({ traceId, spanId }) => ({ traceId, spanId }))).toEqual([A, B]);
    expect(others).toEqual([]);
  });

  it('has the ids that others know it by, and the span after it has ids of its own', async () => {
    await begin();
    beginSpan({ name: 'first', parent: null, as: A })?.end();
    beginSpan({ name: 'second', parent: A, as: { ...A, spanId: B.spanId } })?.end();
    beginSpan({ name: 'third', parent: A })?.end();
    await stop();
    const [first, second, third] = received();
    expect([first?.traceId, first?.spanId, first?.parentSpanId]).toEqual([A.traceId, A.spanId, undefined]);
    expect([second?.traceId, second?.spanId, second?.parentSpanId]).toEqual([A.traceId, B.spanId, A.spanId]);
    expect([A.spanId, B.spanId]).not.toContain(third?.spanId);
  });

  it('tells of an error its code or its class, and none of its words', async () => {
    await begin();
    const failing = (error: Error): Promise<void> =>
      traced({ name: 'x', begins: true }, () => Promise.reject(error)).catch(() => undefined);
    await failing(new InvalidError('unknown_dock', 'canary-1 of somebody'));
    await failing(new TypeError('canary-2'));
    await stop();
    expect(received().map(({ status: told, attributes }) => [told, attributes])).toEqual(
      ['unknown_dock', 'TypeError'].map((type) => [{ code: 2 }, [{ key: 'error.type', value: { stringValue: type } }]]),
    );
    expect(bodies.join('')).not.toContain('canary');
  });
});

describe('an attribute', () => {
  it('leaves only where it is on the list, as one word', () => {
    const given = {
      'aerie.mission.id': '0b5e3c1a-9d1f-4c70-8e57-2f0a6f6f2c11',
      'aerie.dock.method': 'DROP TABLE "mission"',
      'aerie.tid': '{"latitude":46.5,"longitude":6.6}',
      'aerie.dock.sn': 'x'.repeat(101),
      'http.route': '/api/v1/missions/:id',
      'aerie.outcome': undefined,
      'aerie.db.statements': 46.5,
      'aerie.mission.count': 3,
      latitude: 46,
      password: 'hunter2',
    };
    expect(allowedAttributes(given)).toEqual({
      'aerie.mission.id': '0b5e3c1a-9d1f-4c70-8e57-2f0a6f6f2c11',
      'aerie.dock.method': NO_WORD,
      'aerie.tid': NO_WORD,
      'aerie.dock.sn': NO_WORD,
      'http.route': '/api/v1/missions/:id',
      'aerie.mission.count': 3,
    });
  });

  it('on the list is no place, name, address, content or secret', () => {
    const names = Object.keys(TRACE_ATTRIBUTES).join(' ');
    expect(names).not.toMatch(
      /lat|lon|position|coord|name\b(?<!destination\.name|system\.name)|email|user|address|ip\b/,
    );
    expect(names).not.toMatch(/body|payload|data|statement\b|url|key|token|secret|password|header/);
  });

  it('is no way out for a name of a span that a dock made up', async () => {
    await begin();
    beginSpan({ name: 'uplink {"latitude":46.5,"a":1}', begins: true })?.end();
    await stop();
    expect(received().map(({ name }) => name)).toEqual([`uplink ${NO_WORD}`]);
  });
});

describe('a header', () => {
  it('tells the span to whom it is sent, and is read again', () => {
    expect(readTraceHeader(traceHeaderOf(A))).toEqual({ ...A, isSampled: true });
    expect(readTraceHeader(unsampledHeader())).toMatchObject({ isSampled: false });
    expect(TRACE_HEADER).toBe('traceparent');
  });

  it.each([
    ...[
      '',
      'x',
      `00-${A.traceId}-${A.spanId}`,
      `00-${'0'.repeat(32)}-${A.spanId}-01`,
      `00-${A.traceId}-${'0'.repeat(16)}-01`,
    ],
    ...[`00-${'A'.repeat(32)}-${A.spanId}-01`, ['00'], undefined, 7],
  ])('that is %p says nothing', (header) => {
    expect(readTraceHeader(header)).toBeNull();
  });

  it('of a caller is heeded where the trace is one that we sample', async () => {
    await begin(0.5);
    const [inside, outside] = [`${'a'.repeat(24)}00000001`, `${'a'.repeat(24)}ffffffff`].map((traceId) =>
      calledFrom(traceHeaderOf({ ...A, traceId })),
    );
    expect([inside?.parent?.spanId, outside?.parent, outside?.begins]).toEqual([A.spanId, null, false]);
    expect(calledFrom(unsampledHeader())).toEqual({ parent: null, begins: false });
    expect(calledFrom(undefined)).toEqual({ parent: null, begins: true });
  });

  it('of a caller with random ids is heeded for each trace within the share', async () => {
    await begin(0.1);
    const ids = Array.from({ length: 5_000 }, () => randomId(16));
    const heeded = ids.filter((traceId) => calledFrom(traceHeaderOf({ ...A, traceId })).parent !== null);
    expect(heeded).toEqual(ids.filter((traceId) => isSampled(traceId, 0.1)));
  });

  it('of a caller who chooses ids within the share has at most twice the share of requests traced', async () => {
    await begin(0.1);
    const chosen = traceHeaderOf({ ...A, traceId: `${'a'.repeat(24)}00000000` });
    const heeded = Array.from({ length: 5_000 }, () => calledFrom(chosen)).filter(({ parent }) => parent !== null);
    expect(heeded.length).toBeGreaterThan(500);
    expect(heeded.length).toBeLessThan(1_030);
  });

  it.each([
    `00-${'a'.repeat(100_000)}`,
    `${traceHeaderOf(A)}, ${traceHeaderOf(B)}`,
    `00-${A.traceId}-${A.spanId}-01\0`,
  ])('that is too long, sent twice or malformed says nothing (case %#)', (header) =>
    expect(readTraceHeader(header)).toBeNull(),
  );

  it('is not read where nothing is traced', () => {
    expect([readTrace(traceHeaderOf(A)), joinTrace(A), currentTrace(), runInTrace(A, currentTrace)]).toEqual(
      Array.from({ length: 4 }),
    );
  });
});

describe('the share', () => {
  it('is that of all traces, and each program says the same of one', () => {
    const ids = Array.from({ length: 10_000 }, () => randomId(16));
    expect(ids.filter((id) => isSampled(id, 0)).length).toBe(0);
    expect(ids.filter((id) => isSampled(id, 1)).length).toBe(ids.length);
    const share = ids.filter((id) => isSampled(id, 0.1)).length / ids.length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
    // Who samples more samples all that others do.
    expect(ids.every((id) => !isSampled(id, 0.1) || isSampled(id, 0.5))).toBe(true);
  });
});

describe('a collector', () => {
  it('that refuses spans keeps nobody waiting, and each span is counted', async () => {
    status = 400;
    await begin();
    for (let count = 0; count < 10; count++) beginSpan({ name: 'x', begins: true })?.end();
    await stop();
    expect([await counted('sent'), await counted('failed'), await counted('left_out')]).toEqual([0, 10, 0]);
  });

  it('that cannot even be sent to does not stop the queue, and each span is counted', async () => {
    const counted: [string, number][] = [];
    const exporter = {
      export: (): void => {
        throw new Error('cannot be serialized');
      },
      shutdown: async () => undefined,
    };
    const counts = {
      count: (outcome: string, spans: number) => void counted.push([outcome, spans]),
      changed: () => undefined,
    };
    const queue = new SpanQueue(exporter, counts);
    for (let round = 0; round < 2; round++) {
      queue.onEnd({} as never);
      await queue.forceFlush();
    }
    expect(counted).toEqual([
      ['failed', 1],
      ['failed', 1],
    ]);
  });

  it('that is behind gets no more than a bounded number, and what is left out is counted', async () => {
    await begin();
    // All in one turn: nothing is sent meanwhile.
    for (let count = 0; count < 6_000; count++) beginSpan({ name: 'x', begins: true })?.end();
    await stop();
    const [sent, leftOut] = [await counted('sent'), await counted('left_out')];
    expect([sent + leftOut, leftOut > 1_000, received().length]).toEqual([6_000, true, sent]);
  });
});
