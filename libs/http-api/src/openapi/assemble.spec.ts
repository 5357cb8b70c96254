import { z } from 'zod';
import { queryFlag, queryList } from '../query-input.js';
import { assembleOpenApi } from './assemble.js';
import { problemsOf } from './operation.js';
import { jsonAnswer, jsonBody, optionalJsonBody, route } from './route.js';
import type { RouteAccess, RouteDescription, RouteParts } from './types.js';

const bird = z
  .strictObject({ name: z.string().describe('Its name.'), mate: z.string().nullable() })
  .describe('A bird.');
const newBird = z.strictObject({ name: z.string(), ringed: z.iso.datetime().optional() });

type Parts = Partial<RouteParts> & { readonly access?: RouteAccess };
const OPEN: Parts = { access: { public: true } };

const aRoute = ({ access = { permission: 'docks.read' }, ...parts }: Parts = {}): RouteDescription =>
  route({
    ...access,
    method: 'get',
    path: '/birds',
    operationId: 'listBirds',
    tag: 'birds',
    summary: 'irrelevant',
    answers: { 200: jsonAnswer('A bird.', bird) },
    ...parts,
  });

const documentOf = (...routes: RouteDescription[]) =>
  assembleOpenApi({
    title: 'irrelevant',
    version: '1',
    description: 'irrelevant',
    tags: [],
    routes,
    requestSchemas: { NewBird: newBird },
    responseSchemas: { Bird: bird },
  });

const operationOf = (parts: Parts) => documentOf(aRoute(parts)).paths['/birds']?.get;

describe('assembleOpenApi', () => {
  it('refers to schemas that have a name, and writes the others where they are used', () => {
    const list = z.strictObject({ items: z.array(bird).describe('All.') });
    expect(operationOf({ answers: { 200: jsonAnswer('Birds.', list) } })?.responses['200']).toMatchObject({
      content: {
        'application/json': {
          schema: { properties: { items: { items: { $ref: '#/components/schemas/Bird' }, description: 'All.' } } },
        },
      },
    });
  });

  it('does not make a member of a request mandatory because it has a default, and says the default in words', () => {
    const input = z.strictObject({
      size: z.int().default(3).describe('How large.'),
      default: z.string().describe('A member that is itself called default.'),
    });
    const { requestBody } = operationOf({ body: jsonBody(input, {}) }) ?? {};
    const { schema } =
      (requestBody as { content: Record<string, { schema: object }> }).content['application/json'] ?? {};
    expect(schema).toEqual({
      type: 'object',
      properties: {
        size: { type: 'integer', description: 'How large. Default: 3.' },
        default: { type: 'string', description: 'A member that is itself called default.' },
      },
      required: ['default'],
      additionalProperties: false,
    });
  });

  it('shows a flag of a query as a boolean and several words as an array, both optional', () => {
    const query = z.object({
      dry: queryFlag.optional().describe('Only look.'),
      gone: queryFlag.default(false),
      colour: queryList(['red', 'blue']).optional(),
    });
    expect(operationOf({ query })?.parameters).toEqual([
      { name: 'dry', in: 'query', description: 'Only look.', schema: { type: 'boolean' } },
      { name: 'gone', in: 'query', schema: { type: 'boolean' } },
      {
        name: 'colour',
        in: 'query',
        style: 'form',
        explode: false,
        schema: { type: 'array', items: { type: 'string', enum: ['red', 'blue'] }, minItems: 1, maxItems: 2 },
      },
    ]);
  });

  it('gives every answer the id of its request', () => {
    const { responses } = operationOf({}) ?? {};
    expect(responses?.['200']).toMatchObject({
      headers: { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } },
    });
    for (const shared of Object.values(documentOf(aRoute()).components['responses'] ?? {})) {
      expect(shared).toHaveProperty(['headers', 'X-Request-Id']);
    }
  });

  it('lets an answer have more fields than are described, so that a later release may say more', () => {
    expect(documentOf(aRoute()).components['schemas']?.['Bird']).not.toHaveProperty('additionalProperties');
  });

  it('refuses fields of a body that nobody knows', () => {
    expect(documentOf(aRoute()).components['schemas']?.['NewBird']).toMatchObject({ additionalProperties: false });
  });

  it('writes a format without the pattern that only repeats it', () => {
    expect(documentOf(aRoute()).components['schemas']?.['NewBird']).toMatchObject({
      properties: { ringed: { type: 'string', format: 'date-time' } },
    });
    expect(JSON.stringify(documentOf(aRoute()))).not.toContain('leap');
  });

  it('makes a parameter of each member of a query', () => {
    const query = z.object({ size: z.int().describe('Centimetres.'), tame: z.boolean().optional() });
    expect(operationOf({ query })?.parameters).toEqual([
      { name: 'size', in: 'query', required: true, description: 'Centimetres.', schema: { type: 'integer' } },
      { name: 'tame', in: 'query', schema: { type: 'boolean' } },
    ]);
  });

  it('shares the parameters of pages and preconditions', () => {
    expect(operationOf({ paged: true, headers: ['If-Match'] })?.parameters).toEqual([
      { $ref: '#/components/parameters/Limit' },
      { $ref: '#/components/parameters/Cursor' },
      { $ref: '#/components/parameters/IfMatch' },
    ]);
  });

  it('says whether a body may be left out', () => {
    expect(operationOf({ body: jsonBody(newBird, {}) })?.requestBody).toMatchObject({ required: true });
    expect(operationOf({ body: optionalJsonBody(newBird, {}) })?.requestBody).toMatchObject({ required: false });
  });

  it('asks for a key with a permission everywhere but where a route is public', () => {
    expect(operationOf({})).toMatchObject({ security: [{ apiKey: ['docks.read'] }] });
    expect(operationOf(OPEN)).toMatchObject({ security: [] });
  });

  it('keeps the words of a route on a problem that is shared', () => {
    expect(operationOf({ problems: { 409: { description: 'It sits on eggs.' } } })?.responses['409']).toEqual({
      $ref: '#/components/responses/Conflict',
      description: 'It sits on eggs.',
    });
  });

  it('does not take the same route twice', () => {
    expect(() => documentOf(aRoute(), aRoute({ operationId: 'another' }))).toThrow('get /birds is described twice');
  });
});

describe('problemsOf', () => {
  it.each<[string, Parts, number[]]>([
    ['needs a key', {}, [401, 403, 422, 429, 503]],
    ['is public', OPEN, [422]],
    ['names a thing', { params: { id: z.string() } }, [401, 403, 404, 422, 429, 503]],
    ['reads a query', { query: z.object({}) }, [401, 403, 422, 429, 503]],
    ['reads pages', { paged: true }, [401, 403, 422, 429, 503]],
    ['reads a body', { body: jsonBody(newBird, {}) }, [400, 401, 403, 413, 415, 422, 429, 503]],
    ['has a precondition', { headers: ['If-Match'] }, [401, 403, 412, 422, 429, 503]],
    ['has one of its own', { problems: { 409: { description: 'irrelevant' } } }, [401, 403, 409, 422, 429, 503]],
  ])('knows what can go wrong where a route %s', (_what, parts, expected) => {
    expect(problemsOf(aRoute(parts))).toEqual(expected);
  });
});
