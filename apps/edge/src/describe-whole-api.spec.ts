import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@aerie/observability';
import { schemaCompiler } from '@aerie/testing';
import { describeWholeApi } from './describe-whole-api.js';
import { type OpenApiPart, mergeOpenApi } from './merge-openapi.js';

const API = new URL('../../../docs/api/', import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(new URL(file, API), 'utf8')) as OpenApiPart;
/** What the services answer; a test of each holds its copy to it. */
const PARTS = [
  { prefix: 'Mission', document: read('openapi.json') },
  { prefix: 'Fleet', document: read('fleet.openapi.json') },
  { prefix: 'Log', document: read('log.openapi.json') },
  { prefix: 'Storage', document: read('credential.openapi.json') },
];

type Json = Readonly<Record<string, unknown>>;

/** A value with each reference replaced by what it leads to, three deep: documents with other names are compared so. */
function resolved(document: Json, value: unknown, depth = 3): unknown {
  if (Array.isArray(value)) return value.map((entry) => resolved(document, entry, depth));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref: reference } = value as { readonly $ref?: unknown };
  if (typeof reference === 'string') {
    const target = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, step) => (at as Json)[step], document);
    if (target === undefined) throw new Error(`${reference} leads to nothing`);
    return depth === 0 ? reference.split('/')[2] : resolved(document, target, depth - 1);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(document, inner, depth)]));
}

const operationsIn = ({ paths }: OpenApiPart) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation: operation as Json })),
  );

describe('the document of the whole API', () => {
  const whole = mergeOpenApi(PARTS);

  it.each(PARTS)(
    'has every route of $prefix as the service describes it: parameters, bodies, statuses, headers',
    (part) => {
      const merged = new Map(operationsIn(whole).map(({ name, operation }) => [name, operation]));
      for (const { name, operation } of operationsIn(part.document)) {
        const { tags: _tags, ...own } = operation;
        const { tags: _mergedTags, ...found } = merged.get(name) ?? {};
        const responses = { 503: { $ref: '#/components/responses/Unavailable' }, ...(own['responses'] as Json) };
        const expected = resolved(part.document, { ...own, responses }) as Json;
        expect({ name, ...(resolved(whole, found) as Json) }).toEqual({ name, ...expected });
      }
    },
  );

  it('says of every route that it may be 503, as the edge answers so for a service that does not answer', () => {
    const lacking = operationsIn(whole).filter(({ operation }) => !('503' in (operation['responses'] as Json)));
    expect(lacking).toEqual([]);
  });

  it('has no route that no service describes, and each operation once', () => {
    const names = PARTS.flatMap(({ document }) => operationsIn(document)).map(({ name }) => name);
    expect(operationsIn(whole).map(({ name }) => name)).toEqual(names);
    const ids = operationsIn(whole).map(({ operation }) => operation['operationId']);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('keeps two things of one name apart, and what is the same in it once', () => {
    const schemas = Object.keys(whole.components['schemas'] ?? {});
    expect(schemas).toEqual(expect.arrayContaining(['Policy', 'LogPolicy', 'Problem']));
    expect(schemas).not.toContain('LogProblem');
    expect(whole.tags.map(({ name }) => name)).toEqual(expect.arrayContaining(['policy', 'log policy']));
  });

  it('files every operation under a tag that it explains', () => {
    const tags = new Set(whole.tags.map(({ name }) => name));
    expect(
      operationsIn(whole).filter(({ operation }) => !(operation['tags'] as string[]).every((t) => tags.has(t))),
    ).toEqual([]);
  });

  it('holds schemas that compile', () => {
    const checkAt = schemaCompiler(whole);
    for (const name of Object.keys(whole.components['schemas'] ?? {})) {
      expect(() => checkAt(`/components/schemas/${name}`)).not.toThrow();
    }
  });

  it('cannot be made where two services describe one operation', () => {
    const [mission] = PARTS;
    expect(() => mergeOpenApi([...PARTS, { ...mission, prefix: 'Other' } as (typeof PARTS)[number]])).toThrow(
      /is described by two services/,
    );
  });
});

describe('GET /api/v1/openapi.json', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** An edge before services that describe themselves, one of which may not. */
  async function anEdge(silent?: string): Promise<string> {
    const listen = async (server: Server): Promise<string> => {
      servers.push(server.listen(0, '127.0.0.1'));
      await once(server, 'listening');
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    const documents = await Promise.all(
      PARTS.map(async ({ prefix, document }) => ({
        prefix,
        url: await listen(
          createServer((_request, response) =>
            prefix === silent ? response.writeHead(503).end() : response.end(JSON.stringify(document)),
          ),
        ),
      })),
    );
    const describe = describeWholeApi(documents, createLogger('test', 'silent'));
    return listen(
      createServer((request, response) => describe(request, response, () => response.writeHead(404).end())),
    );
  }

  it('answers with the documents of all services as one', async () => {
    const response = await fetch(`${await anEdge()}/api/v1/openapi.json`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(await response.json()).toEqual(mergeOpenApi(PARTS));
  });

  it('is 503 while a service does not describe its routes, and never half a document', async () => {
    const response = await fetch(`${await anEdge('Log')}/api/v1/openapi.json`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });

  it('leaves other methods and unknown parameters to the service', async () => {
    const edge = await anEdge();
    for (const [method, query] of [
      ['POST', ''],
      ['GET', '?nosuch=1'],
    ] as const) {
      expect((await fetch(`${edge}/api/v1/openapi.json${query}`, { method })).status).toBe(404);
    }
  });
});
