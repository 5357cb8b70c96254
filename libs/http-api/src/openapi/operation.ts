import { pageQuery } from '../page.js';
import { SHARED_HEADERS } from './parameters.js';
import { SHARED_PROBLEMS } from './problem.schema.js';
import { type SchemaSet, withoutDefaults } from './schema-set.js';
import type {
  AnswerDescription,
  BodyDescription,
  JsonSchema,
  Operation,
  ProblemStatus,
  RouteDescription,
  SharedHeader,
} from './types.js';

export const PROBLEM_TYPE = 'application/problem+json';

/** The answers that are no success: what a route reads can be wrong in known ways, and it may name more. */
export function problemsOf(route: RouteDescription): ProblemStatus[] {
  const { headers = [], body, params } = route;
  // A query parameter that is not known is refused everywhere.
  const found = new Set<ProblemStatus>([422]);
  if (route.permission !== undefined) for (const status of [401, 403, 429, 503] as const) found.add(status);
  if (params !== undefined) found.add(404);
  if (headers.includes('If-Match')) found.add(412);
  if (body !== undefined) for (const status of [400, 413, 415] as const) found.add(status);
  for (const status of Object.keys(route.problems ?? {})) found.add(Number(status) as ProblemStatus);
  return [...found].sort((one, other) => one - other);
}

/** What is asked for in a query can be longer than a service reads: Node answers that by itself. */
const TOO_LONG = 'The request line and the headers have more than 16 KiB. No body.';

/** One route as an operation of its path. */
export function operationOf(route: RouteDescription, sent: SchemaSet, got: SchemaSet): Operation {
  const { operationId, tag, summary, description, answers, body, permission } = route;
  const parameters = parametersOf(route, sent);
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    // What stands behind the scheme of a key is what its holder has to be permitted. [OpenAPI 3.1, Security Requirement]
    security: permission === undefined ? [] : [{ apiKey: [permission] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: bodyOf(body, sent) }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer, got)])),
      ...(isConditional(route)
        ? { 304: { description: 'It is still that of `If-None-Match`. No body.', headers: headersOf(['ETag']) } }
        : {}),
      ...(route.query === undefined ? {} : { 431: { description: TOO_LONG } }),
      ...Object.fromEntries(problemsOf(route).map((status) => [String(status), problemOf(route, status, got)])),
    },
  };
}

/** What shows a version can be asked for only if it is another one: Express answers 304 by itself. */
export const isConditional = ({ method, answers }: RouteDescription): boolean =>
  method === 'get' && Object.values(answers).some(({ headers = [] }) => headers.includes('ETag'));

/** The headers that a route reads. */
export const headersReadBy = (route: RouteDescription): readonly SharedHeader[] => [
  ...(route.headers ?? []),
  ...(isConditional(route) ? (['If-None-Match'] as const) : []),
];

function parametersOf(route: RouteDescription, sent: SchemaSet): unknown[] {
  const { params = {}, query, paged } = route;
  const inPath = Object.entries(params).map(([name, schema]) => {
    const { description, ...rest } = sent.schemaOf(schema);
    return { name, in: 'path', required: true, description, schema: rest };
  });
  return [
    ...inPath,
    ...(query === undefined ? [] : queryOf(sent.schemaOf(query))),
    ...(paged === true
      ? Object.keys(sharedQuery(sent)).map((name) => ({ $ref: `#/components/parameters/${name}` }))
      : []),
    ...headersReadBy(route).map((header) => ({ $ref: `#/components/parameters/${SHARED_HEADERS[header].name}` })),
  ];
}

/** One parameter for each member of the object that checks the query. */
export function queryOf(schema: JsonSchema): { readonly name: string; readonly [member: string]: unknown }[] {
  const { properties = {}, required = [] } = schema as {
    properties?: Readonly<Record<string, JsonSchema>>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    // Several values are separated by commas; a parameter that comes twice is refused.
    ...(rest['type'] === 'array' ? { style: 'form', explode: false } : {}),
    schema: rest,
  }));
}

const bodyOf = ({ content, optional }: BodyDescription, sent: SchemaSet) => ({
  required: optional !== true,
  content: Object.fromEntries(
    Object.entries(content).map(([type, { schema, example }]) => [
      type,
      { schema: withoutDefaults(sent.schemaOf(schema)), ...(example === undefined ? {} : { example }) },
    ]),
  ),
});

const answerOf = ({ description, content, headers = [] }: AnswerDescription, got: SchemaSet) => ({
  description,
  headers: headersOf(headers),
  content: Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, { schema: got.schemaOf(schema) }]),
  ),
});

/** Headers of an answer: its own, and the id of the request, which every answer has. */
export const headersOf = (names: readonly string[]) =>
  Object.fromEntries([...names, 'X-Request-Id'].map((name) => [name, { $ref: `#/components/headers/${name}` }]));

function problemOf({ problems = {} }: RouteDescription, status: ProblemStatus, got: SchemaSet) {
  const special = problems[status];
  const shared = SHARED_PROBLEMS[status];
  if (special?.schema === undefined) {
    return {
      $ref: `#/components/responses/${shared.name}`,
      ...(special === undefined ? {} : { description: special.description }),
    };
  }
  const { description, schema } = special;
  return {
    description,
    headers: { ...shared.headers, ...headersOf([]) },
    content: { [PROBLEM_TYPE]: { schema: got.schemaOf(schema) } },
  };
}

/** `Limit` and `Cursor`, from the schema that reads them. */
export const sharedQuery = (sent: SchemaSet) =>
  Object.fromEntries(
    queryOf(sent.schemaOf(pageQuery)).map((parameter) => [
      `${parameter.name.charAt(0).toUpperCase()}${parameter.name.slice(1)}`,
      parameter,
    ]),
  );
