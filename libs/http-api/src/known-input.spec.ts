import type { ExecutionContext } from '@nestjs/common';
import { AppError } from '@aerie/kernel';
import { of } from 'rxjs';
import { z } from 'zod';
import { RefuseUnknownInput } from './known-input.js';
import { jsonAnswer, jsonBody, optionalJsonBody, route } from './openapi/index.js';

const answers = { 200: jsonAnswer('Birds.', z.strictObject({})) };
const aRoute = { tag: 'birds', summary: 'irrelevant', answers, public: true } as const;
const ROUTES = [
  route({
    ...aRoute,
    method: 'get',
    path: '/birds',
    operationId: 'list',
    query: z.object({ size: z.string() }),
    paged: true,
  }),
  route({ ...aRoute, method: 'get', path: '/birds/{id}', operationId: 'find' }),
  route({ ...aRoute, method: 'post', path: '/birds', operationId: 'ring', body: jsonBody(z.strictObject({}), {}) }),
  route({
    ...aRoute,
    method: 'post',
    path: '/birds/{id}/feed',
    operationId: 'feed',
    body: optionalJsonBody(z.strictObject({}), {}),
  }),
  route({ ...aRoute, method: 'post', path: '/birds/{id}/free', operationId: 'free' }),
  route({
    ...aRoute,
    method: 'post',
    path: '/songs',
    operationId: 'sing',
    query: z.object({ until: z.string(), from: z.string() }),
    body: { content: { 'audio/mpeg': { schema: z.unknown() } } },
  }),
];
const refuse = new RefuseUnknownInput(ROUTES);

interface Sent {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The problem with a request, or null where it goes on to its handler. */
function problemOf(method: string, path: string, url: string, { body, headers = {} }: Sent = {}): AppError | null {
  const request = { method, route: { path }, originalUrl: url, body, headers };
  const context = { getType: () => 'http', switchToHttp: () => ({ getRequest: () => request }) };
  try {
    refuse.intercept(context as unknown as ExecutionContext, { handle: () => of(null) });
    return null;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

describe('the query of a route', () => {
  it('may have what its description knows', () => {
    expect(problemOf('GET', '/birds', '/birds?size=small&limit=3')).toBeNull();
  });

  it('may not have anything else; what is known is told', () => {
    expect(problemOf('GET', '/birds', '/birds?size=small&colour=red')).toMatchObject({
      code: 'unknown_parameter',
      fields: [{ field: 'colour', message: 'is not a known parameter; known are size, limit, cursor' }],
      details: { knownParameters: ['size', 'limit', 'cursor'] },
    });
  });

  it.each(['Size', 'si_ze', 'SIZE'])('may not misspell a name (%s); the right spelling is told', (name) => {
    expect(problemOf('GET', '/birds', `/birds?${name}=1`)?.fields[0]?.message).toContain('did you mean size?');
  });

  it.each(['size[]=1', 'size[a]=1', '__proto__=1', '=1', 'x', 'size=1&%73ize2=1'])('may not have %s', (query) => {
    expect(problemOf('GET', '/birds', `/birds?${query}`)).toMatchObject({ code: 'unknown_parameter' });
  });

  it.each([
    ['/songs', 'to=1', /^is called until now/],
    ['/birds', 'after=1', /^is called cursor now/],
    ['/birds', 'to=1', /^is not a known parameter/],
  ])('may not have the former name of a parameter (%s?%s); the name of today is told', (path, query, message) => {
    const method = path === '/songs' ? 'POST' : 'GET';
    expect(problemOf(method, path, `${path}?${query}`)).toMatchObject({
      code: 'unknown_parameter',
      fields: [{ message: expect.stringMatching(message) }],
    });
  });

  it('may not have a parameter twice, also written in two ways', () => {
    for (const query of ['size=1&size=2', 'size=1&size=1', 'size=1&%73ize=2']) {
      expect(problemOf('GET', '/birds', `/birds?${query}`)).toMatchObject({
        code: 'repeated_parameter',
        fields: [{ field: 'size' }],
      });
    }
  });

  it('may have nothing where the route takes nothing, or is not described', () => {
    for (const path of ['/birds/:id', '/fish']) {
      expect(problemOf('GET', path, `${path}?size=1`)?.message).toContain('this route takes none');
      expect(problemOf('GET', path, path)).toBeNull();
    }
  });

  it.each(['HEAD', 'OPTIONS'])('of a %s is left alone', (method) => {
    expect(problemOf(method, '/birds', '/birds?nosuch=1')).toBeNull();
  });
});

describe('the body of a request', () => {
  const json = { 'content-type': 'application/json', 'content-length': '7' };
  const text = { 'content-type': 'text/plain', 'content-length': '7' };

  it('is refused where the route reads none', () => {
    expect(problemOf('POST', '/birds/:id/free', '/birds/1/free', { body: { now: 1 }, headers: json })).toMatchObject({
      code: 'unread_body',
    });
    expect(problemOf('POST', '/birds/:id/free', '/birds/1/free', { headers: text })).toMatchObject({
      code: 'unread_body',
    });
    expect(problemOf('GET', '/birds', '/birds', { body: { size: 1 }, headers: json })).toMatchObject({
      code: 'unread_body',
    });
  });

  it('may be an empty object where the route reads none', () => {
    expect(problemOf('POST', '/birds/:id/free', '/birds/1/free', { body: {}, headers: json })).toBeNull();
  });

  it('is refused where it may be left out and is of a type that is not read', () => {
    expect(problemOf('POST', '/birds/:id/feed', '/birds/1/feed', { headers: text })).toMatchObject({
      kind: 'unsupportedType',
      code: 'unsupported_media_type',
      fields: [
        {
          field: 'Content-Type',
          message: 'is text/plain; this route reads application/json: send the body with one of these',
        },
      ],
    });
    expect(problemOf('POST', '/birds/:id/feed', '/birds/1/feed')).toBeNull();
  });

  it('is refused where it has no type and the route reads JSON', () => {
    const headers = { 'content-length': '7' };
    expect(problemOf('POST', '/birds', '/birds', { headers })?.fields[0]?.message).toMatch(/^is missing; /);
  });

  it('goes on where the route reads bytes, of the types that it reads or of none', () => {
    const bytes = (type: string | undefined) =>
      problemOf('POST', '/songs', '/songs', {
        headers: { 'content-length': '7', ...(type === undefined ? {} : { 'content-type': type }) },
      })?.code;
    expect([undefined, 'audio/mpeg', 'Audio/MPEG; q=1', 'text/plain'].map(bytes)).toEqual([
      ...[undefined, undefined, undefined],
      'unsupported_media_type',
    ]);
  });

  it('goes on to its handler where the route reads it', () => {
    expect(problemOf('POST', '/birds', '/birds', { body: { size: 1 }, headers: json })).toBeNull();
  });
});

it('leaves questions of other services alone', () => {
  const context = { getType: () => 'rpc' } as unknown as ExecutionContext;
  expect(() => refuse.intercept(context, { handle: () => of(null) })).not.toThrow();
});
