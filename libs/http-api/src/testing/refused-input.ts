import { METHOD_OVERRIDES, type RawAnswer, askFor, otherSpellings, sameSpellings } from '@aerie/testing';
import type { HttpMethod, OpenApiDocument, Operation } from '../openapi/types.js';
import { type Json, valueAt } from './pointers.js';

export interface RunningApi {
  readonly url: string;
  readonly key: string;
}

const UNREAD = [
  ['application/json', '{"dryRun":true}'],
  ['application/json', '{"dryRun":'],
  ['text/plain', 'dryRun'],
] as const;

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'multipart/form-data';
const NO_BODY = { type: JSON_TYPE, body: '{}' };
/** Of each kind one. */
const WRONG = [null, -1.5, '', 'no/such', true, [], [{}], {}];

/** The schema library's own words are for programmers. */
const RAW_WORDS =
  /expected .*received|invalid (input|option|string|uuid|url|key|iso)|too (small|big)|unrecognized|undefined|no words/i;

function expectOurWords(problem: Json): void {
  const { detail, errors = [] } = problem as { detail?: string; errors?: readonly { message: string }[] };
  for (const text of [detail ?? '', ...errors.map(({ message }) => message)]) expect(text).not.toMatch(RAW_WORDS);
}

/** The members of the JSON body of a route. */
function membersOf(document: OpenApiDocument, { method, path }: DescribedRoute): string[] {
  const { requestBody } = document.paths[path]?.[method] ?? {};
  const { schema } = (requestBody as { content: Readonly<Record<string, { schema: Json }>> }).content[JSON_TYPE] ?? {};
  return schema === undefined ? [] : [...new Set(propertiesOf(document, schema))];
}

function propertiesOf(document: OpenApiDocument, schema: Json): string[] {
  const found = typeof schema['$ref'] === 'string' ? (valueAt(document, schema['$ref']) as Json) : schema;
  const forms = (found['oneOf'] ?? found['anyOf'] ?? []) as readonly Json[];
  return [...Object.keys(found['properties'] ?? {}), ...forms.flatMap((form) => propertiesOf(document, form))];
}

const METHODS: readonly HttpMethod[] = ['delete', 'get', 'patch', 'post', 'put'];

interface DescribedRoute {
  readonly method: HttpMethod;
  readonly path: string;
  /** Query parameters, as the document names them. */
  readonly known: readonly string[];
  /** Media types of bodies that it reads. */
  readonly types: readonly string[];
  /** Answered without a key. */
  readonly isOpen: boolean;
}

/** What a running service must refuse on each route that its document describes. `api` is asked once the service runs. */
export function describeRefusedInput(document: OpenApiDocument, api: () => RunningApi): void {
  const routes = routesIn(document);
  const paths = [...new Set(routes.map(({ path }) => path))].map((path) => ({
    path,
    methods: METHODS.filter((method) => routes.some((route) => isAnswered(route, method, path))),
  }));

  describe('the running service', () => {
    it.each(paths)('says which methods $path has when it is asked with OPTIONS, without a key', async ({ path }) => {
      const response = await fetch(`${api().url}${path}`, { method: 'OPTIONS' });
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(response.headers.get('Allow')).toMatch(/(^|, )OPTIONS$/);
    });

    it('answers with the id of the request that the caller has given, and with one of its own for one that it cannot use', async () => {
      const answered = async (id: string): Promise<string | null> => {
        const headers = { 'X-Request-Id': id };
        return (await fetch(`${api().url}/api/v1/nothing`, { headers })).headers.get('X-Request-Id');
      };
      expect(await answered('console:7/survey')).toBe('console:7/survey');
      for (const id of ['two words', 'x'.repeat(129), '{"a":1}']) {
        expect(await answered(id)).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
      }
    });
  });

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

    it.each(routes.filter(({ known }) => known.length > 0))(
      'a NUL character in a query parameter of $method $path, by its name',
      async (route) => {
        for (const name of route.known) {
          const { status, problem } = await call(api(), route, `${name}=a%00b`);
          // Of a list the word at fault is named.
          const field = expect.stringMatching(new RegExp(`^${name}(\\.0)?$`)) as unknown;
          expect([status, problem]).toMatchObject([422, { code: 'invalid_input', errors: [{ field }] }]);
        }
      },
    );

    it.each(routes.filter(({ known }) => known.includes('limit')))(
      'a page of a million of $method $path [N37]',
      async (route) => {
        for (const limit of ['1000000', '1e6', '9999999999999999999', 'Infinity']) {
          const { status, problem } = await call(api(), route, `limit=${limit}`);
          const { errors = [] } = problem as { errors?: readonly { field: string }[] };
          expect([limit, status, [...new Set(errors.map(({ field }) => field))]]).toEqual([limit, 422, ['limit']]);
        }
      },
    );

    it.each(routes.filter(({ known, types }) => known.length > 0 && types.length === 0))(
      'ten thousand filters of $method $path [N37]',
      async (route) => {
        const [name = ''] = route.known;
        const many = (count: number, filter: (index: number) => string): string =>
          Array.from({ length: count }, (_, index) => filter(index)).join('&');
        // As many as fit into the line of a request.
        expect(
          (
            await call(
              api(),
              route,
              many(1_000, (index) => `x${index}=${index}`),
            )
          ).status,
        ).toBe(422);
        expect(
          (
            await call(
              api(),
              route,
              many(1_000, () => `${name}=1`),
            )
          ).status,
        ).toBe(422);
        expect((await call(api(), route, `${name}=${'a,'.repeat(6_000)}`)).status).toBe(422);
        const { status } = await askFor(api().url, 'GET', `${filled(route.path)}?${many(10_000, () => `${name}=1`)}`);
        expect(status).toBe(431);
      },
    );

    it.each(routes.filter(({ types }) => types.includes(JSON_TYPE)))(
      'JSON of $method $path that is nested ten thousand deep [N37]',
      async (route) => {
        for (const [open, close] of [
          ['[', ']'],
          ['{"a":', '}'],
        ] as const) {
          const body = `${open.repeat(10_000)}1${close.repeat(10_000)}`;
          const { status } = await call(api(), route, '', { type: JSON_TYPE, body });
          expect([status < 500, status >= 400]).toEqual([true, true]);
        }
      },
    );

    for (const route of routes.filter(({ types }) => types.includes(FORM_TYPE))) {
      it(`a form that does not say where its parts end: ${route.method} ${route.path}`, async () => {
        const { status, problem } = await call(api(), route, '', { type: FORM_TYPE, body: '--x' });
        expect([status, problem]).toMatchObject([422, { errors: [{ field: 'file' }] }]);
      });
    }

    it.each(routes.filter(({ types }) => types.length > 0))(
      'a body of a type that $method $path does not read, and names those that it reads',
      async (route) => {
        const { status, problem, headers } = await call(api(), route, '', { type: 'text/csv', body: 'a,b' });
        expect([status, problem['code'], problem['acceptedTypes']]).toEqual([
          ...[415, 'unsupported_media_type'],
          route.types,
        ]);
        expect(headers.get('Accept')).toBe(route.types.join(', '));
      },
    );

    it.each(paths)('a method that $path does not have, and names those that it has', async ({ path, methods }) => {
      for (const method of METHODS.filter((other) => !methods.includes(other))) {
        const { status, problem, headers } = await call(api(), { method, path }, '');
        expect([status, problem['code']]).toEqual([405, 'method_not_allowed']);
        expect(
          headers
            .get('Allow')
            ?.split(', ')
            .filter((allowed) => !['HEAD', 'OPTIONS'].includes(allowed)),
        ).toEqual(methods.map((known) => known.toUpperCase()));
      }
    });

    it.each(routes)('wrong values of $method $path in our words: what was sent, and what is allowed', async (route) => {
      const values = ['', 'x', '-1', '[]'];
      for (const query of route.known.flatMap((name) => values.map((value) => `${name}=${value}`))) {
        expectOurWords(
          (await call(api(), route, query, route.types.includes(JSON_TYPE) ? NO_BODY : undefined)).problem,
        );
      }
      if (!route.types.includes(JSON_TYPE)) return;
      const members = membersOf(document, route).flatMap((name) =>
        WRONG.map((value) => ({ [name]: value, nosuch: 1 })),
      );
      // With a field that nobody knows, so that nothing of it has an effect.
      for (const body of [[], 'text', { nosuch: 1 }, ...members]) {
        const { status, problem } = await call(api(), route, '', { type: JSON_TYPE, body: JSON.stringify(body) });
        expect([400, 404, 422]).toContain(status);
        expectOurWords(problem);
      }
    });

    it.each(paths)(
      'other spellings of $path, with a key and without one: no route has them [N43]',
      async ({ path, methods }) => {
        const { url, key } = api();
        const answers: [string, string, RawAnswer][] = [];
        for (const target of otherSpellings(filled(path))) {
          for (const method of new Set(['get', 'head', ...methods])) {
            for (const headers of [{}, { Authorization: `Bearer ${key}` }]) {
              answers.push([method, target, await askFor(url, method.toUpperCase(), target, headers)]);
            }
          }
        }
        expect(answers.filter(([, , { status }]) => status !== 404)).toEqual([]);
      },
    );

    it.each(routes.filter(({ isOpen }) => !isOpen))(
      '$method $path without a key, however the path is spelled [N43]',
      async ({ method, path }) => {
        for (const asked of method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]) {
          for (const target of [filled(path), ...sameSpellings(filled(path))]) {
            const { status } = await askFor(api().url, asked, target);
            expect([asked, target, status]).toEqual([asked, target, 401]);
          }
        }
      },
    );

    it.each(paths)(
      'a method that $path does not have, also where a header or a parameter names another [N43]',
      async ({ path, methods }) => {
        const { url, key } = api();
        const missing = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'].filter(
          (method) => !methods.some((known) => known.toUpperCase() === method),
        );
        for (const method of missing) {
          for (const known of methods.map((name) => name.toUpperCase())) {
            const overrides = Object.fromEntries(METHOD_OVERRIDES.map((name) => [name, known]));
            const headers = { ...overrides, Authorization: `Bearer ${key}` };
            const { status, allow, body } = await askFor(url, method, `${filled(path)}?_method=${known}`, headers);
            expect([method, status]).toEqual([method, 405]);
            expect(allow?.split(', ')).toContain(known);
            // TRACE would send back what was sent.
            expect(body).not.toContain(key);
          }
        }
      },
    );

    // Not of GET: fetch sends no body with it.
    for (const route of routes.filter(({ types, method }) => types.length === 0 && method !== 'get')) {
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
      types: Object.keys((operation.requestBody as { content: object } | undefined)?.content ?? {}),
      isOpen: operation.security.length === 0,
    })),
  );
}

/** A literal path such as /missions/preview is also one of /missions/{id}. */
const isAnswered = (route: DescribedRoute, method: HttpMethod, path: string): boolean =>
  route.method === method && new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);

const queryOf = (document: OpenApiDocument, { parameters = [] }: Operation): string[] =>
  (parameters as readonly Json[])
    .map((parameter) =>
      typeof parameter['$ref'] === 'string' ? (valueAt(document, parameter['$ref']) as Json) : parameter,
    )
    .filter((parameter) => parameter['in'] === 'query')
    .map(({ name }) => String(name));

/** With an id that is there for no route: what is asked has no effect even where it is not refused. */
const filled = (path: string): string => path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000');

async function call(
  { url, key }: RunningApi,
  { method, path }: Pick<DescribedRoute, 'method' | 'path'>,
  query: string,
  sent?: { readonly type: string; readonly body: string },
): Promise<{ readonly status: number; readonly problem: Json; readonly headers: Headers }> {
  const response = await fetch(`${url}${filled(path)}${query === '' ? '' : `?${query}`}`, {
    method: method.toUpperCase(),
    headers: { Authorization: `Bearer ${key}`, ...(sent === undefined ? {} : { 'Content-Type': sent.type }) },
    ...(sent === undefined ? {} : { body: sent.body }),
  });
  const text = await response.text();
  expect(response.headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/);
  return {
    status: response.status,
    headers: response.headers,
    problem: text.startsWith('{') ? (JSON.parse(text) as Json) : {},
  };
}
