import type { HttpMethod, OpenApiDocument, Operation } from '../openapi/types.js';
import { type Json, valueAt } from './pointers.js';

export interface RunningApi {
  readonly url: string;
  readonly key: string;
}

const UNREAD = [
  ['application/json', '{"dryRun":true}'],
  ['text/plain', 'dryRun'],
] as const;

interface DescribedRoute {
  readonly method: HttpMethod;
  readonly path: string;
  /** Query parameters, as the document names them. */
  readonly known: readonly string[];
  readonly readsBody: boolean;
}

/** What a running service must refuse on each route that its document describes. `api` is asked once the service runs. */
export function describeRefusedInput(document: OpenApiDocument, api: () => RunningApi): void {
  const routes = routesIn(document);

  describe('the running service refuses', () => {
    it.each(routes)('an unknown query parameter of $method $path, and names the known ones', async (route) => {
      const { status, problem } = await call(api(), route, 'nosuch=1');
      expect(status).toBe(422);
      expect(problem).toMatchObject({ code: 'unknown_parameter', errors: [{ field: 'nosuch' }] });
      expect(problem['knownParameters']).toEqual(route.known);
    });

    it.each(routes.filter(({ known }) => known.length > 0))(
      'a query parameter that comes twice: $method $path',
      async (route) => {
        for (const name of route.known) {
          const { status, problem } = await call(api(), route, `${name}=1&${name}=2`);
          expect(status).toBe(422);
          expect(problem).toMatchObject({ code: 'repeated_parameter', errors: [{ field: name }] });
        }
      },
    );

    // Not of GET: fetch sends no body with it.
    for (const route of routes.filter(({ readsBody, method }) => !readsBody && method !== 'get')) {
      it(`a body that would be ignored: ${route.method} ${route.path}`, async () => {
        for (const [type, body] of UNREAD) {
          const { status, problem } = await call(api(), route, '', { type, body });
          expect(status).toBe(422);
          expect(problem).toMatchObject({ code: 'unread_body', errors: [{ field: 'body' }] });
        }
      });
    }
  });
}

function routesIn(document: OpenApiDocument): DescribedRoute[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method as HttpMethod,
      path,
      known: queryOf(document, operation),
      readsBody: operation.requestBody !== undefined,
    })),
  );
}

const queryOf = (document: OpenApiDocument, { parameters = [] }: Operation): string[] =>
  (parameters as readonly Json[])
    .map((parameter) =>
      typeof parameter['$ref'] === 'string' ? (valueAt(document, parameter['$ref']) as Json) : parameter,
    )
    .filter((parameter) => parameter['in'] === 'query')
    .map(({ name }) => String(name));

async function call(
  { url, key }: RunningApi,
  { method, path }: DescribedRoute,
  query: string,
  sent?: { readonly type: string; readonly body: string },
): Promise<{ readonly status: number; readonly problem: Json }> {
  // An id that is there for no route: what is asked has no effect even where it is not refused.
  const filled = path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000');
  const response = await fetch(`${url}${filled}${query === '' ? '' : `?${query}`}`, {
    method: method.toUpperCase(),
    headers: { Authorization: `Bearer ${key}`, ...(sent === undefined ? {} : { 'Content-Type': sent.type }) },
    ...(sent === undefined ? {} : { body: sent.body }),
  });
  const text = await response.text();
  return { status: response.status, problem: text.startsWith('{') ? (JSON.parse(text) as Json) : {} };
}
