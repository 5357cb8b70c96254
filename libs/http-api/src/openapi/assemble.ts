import type { z } from 'zod';
import { pageQuery } from '../page.js';
import { SHARED_ANSWER_HEADERS, SHARED_HEADERS } from './parameters.js';
import { SHARED_PROBLEMS, problemSchema } from './problem.schema.js';
import { SchemaSet } from './schema-set.js';
import { PROBLEM_TYPE, headersOf, headersReadBy, operationOf, problemsOf, sharedQuery } from './operation.js';
import type { OpenApiDocument, Operation, RouteDescription } from './types.js';

export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly routes: readonly RouteDescription[];
  /** Schemas of what callers send that get a name of their own. */
  readonly requestSchemas: Readonly<Record<string, z.ZodType>>;
  /** Schemas of what callers get that get a name of their own. */
  readonly responseSchemas: Readonly<Record<string, z.ZodType>>;
}

/** Puts the descriptions of all routes together. What they share is in the components, once. */
export function assembleOpenApi(api: ApiDescription): OpenApiDocument {
  const sent = new SchemaSet('input', api.requestSchemas);
  const got = new SchemaSet('output', { Problem: problemSchema, ...api.responseSchemas });
  sent.use(pageQuery);
  for (const route of api.routes) useAll(route, sent, got);

  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of api.routes) {
    const path = (paths[route.path] ??= {});
    if (path[route.method] !== undefined) throw new Error(`${route.method} ${route.path} is described twice`);
    path[route.method] = operationOf(route, sent, got);
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: api.title,
      version: api.version,
      description: api.description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this document was read from.' }],
    tags: api.tags,
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key of the organisation, or the token of a session.',
        },
      },
      parameters: {
        ...sharedHeaders(api.routes),
        ...(api.routes.some(({ paged }) => paged === true) ? sharedQuery(sent) : {}),
      },
      headers: sharedAnswerHeaders(api.routes),
      responses: sharedResponses(api.routes, got),
      schemas: { ...sent.components(), ...got.components() },
    },
  };
}

function useAll(
  { params = {}, query, body, answers, problems = {} }: RouteDescription,
  sent: SchemaSet,
  got: SchemaSet,
) {
  for (const schema of Object.values(params)) sent.use(schema);
  if (query !== undefined) sent.use(query);
  for (const { schema } of Object.values(body?.content ?? {})) sent.use(schema);
  for (const { content } of Object.values(answers)) for (const schema of Object.values(content)) got.use(schema);
  for (const { schema } of Object.values(problems)) if (schema !== undefined) got.use(schema);
}

/** The problems that at least one route has as they are shared. */
function sharedResponses(routes: readonly RouteDescription[], got: SchemaSet) {
  const used = new Set(
    routes.flatMap((route) => problemsOf(route).filter((status) => route.problems?.[status]?.schema === undefined)),
  );
  return Object.fromEntries(
    [...used]
      .sort((one, other) => one - other)
      .map((status) => SHARED_PROBLEMS[status])
      .map(({ name, description, headers }) => [
        name,
        {
          description,
          headers: { ...headers, ...headersOf([]) },
          content: { [PROBLEM_TYPE]: { schema: got.schemaOf(problemSchema) } },
        },
      ]),
  );
}

/** Headers that at least one route reads. */
function sharedHeaders(routes: readonly RouteDescription[]) {
  const used = new Set(routes.flatMap(headersReadBy));
  return Object.fromEntries([...used].map((header) => [SHARED_HEADERS[header].name, SHARED_HEADERS[header].parameter]));
}

/** Headers that at least one answer has. */
function sharedAnswerHeaders(routes: readonly RouteDescription[]) {
  const used = new Set(routes.flatMap(({ answers }) => Object.values(answers).flatMap(({ headers = [] }) => headers)));
  return Object.fromEntries(
    Object.entries(SHARED_ANSWER_HEADERS).filter(([name]) => name === 'X-Request-Id' || used.has(name as 'ETag')),
  );
}
