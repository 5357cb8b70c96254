import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type FieldProblem, InvalidError, UnsupportedTypeError, sameLetters } from '@aerie/kernel';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import type { RouteDescription } from './openapi/types.js';
import { pageQuery } from './page.js';

/** What is known of the input of a route. */
interface KnownInput {
  readonly parameters: readonly string[];
  /** Media types of bodies that it reads; none where it reads no body. */
  readonly types: readonly string[];
}

const NOTHING: KnownInput = { parameters: [], types: [] };
const JSON_ONLY = 'application/json';

/** Former names of parameters: who still uses one is told the name of today. */
const RENAMED: Readonly<Record<string, string>> = { to: 'until', after: 'cursor' };

/** The names of the query parameters that a route reads, in the order of its description. */
export const parametersOf = ({ query, paged }: RouteDescription): readonly string[] => [
  ...Object.keys(query?.shape ?? {}),
  ...(paged === true ? Object.keys(pageQuery.shape) : []),
];

/**
 * Refuses what a route would ignore in silence: a query parameter that its description does not know, one that comes
 * twice, a body where it reads none, and one of a type that it does not read. `?dryrun=true` must not fly a mission. A
 * route without a description takes none of them. Runs after the check of the API key and before the handler; HEAD asks for no effect and is left alone.
 */
@Injectable()
export class RefuseUnknownInput implements NestInterceptor {
  private readonly known: ReadonlyMap<string, KnownInput>;

  constructor(routes: readonly RouteDescription[]) {
    this.known = new Map(
      routes.map((route) => [
        nameOf(route.method, route.path),
        { parameters: parametersOf(route), types: typesOf(route) },
      ]),
    );
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() === 'http') this.check(context.switchToHttp().getRequest<Request>());
    return next.handle();
  }

  private check(request: Request): void {
    if (request.method === 'HEAD' || request.method === 'OPTIONS') return;
    const { path } = request.route as { readonly path: string };
    const { parameters, types } = this.known.get(nameOf(request.method, path)) ?? NOTHING;
    checkParameters(request.originalUrl, parameters);
    checkBody(request, types);
  }
}

const nameOf = (method: string, path: string): string =>
  `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}').replace(/\/$/, '')}`;

const typesOf = ({ body }: RouteDescription): readonly string[] => Object.keys(body?.content ?? {});

/** As they were sent: a parser of queries might already have left one out. */
function checkParameters(url: string, known: readonly string[]): void {
  const sent = [...new URLSearchParams(url.split('?').slice(1).join('?')).keys()];
  const unknown = [...new Set(sent.filter((name) => !known.includes(name)))];
  const details = { knownParameters: known };
  if (unknown.length > 0) {
    const fields = unknown.map((name) => ({ field: name, message: unknownMessage(name, known) }));
    throw new InvalidError('unknown_parameter', summaryOf('the query has an unknown parameter', fields), {
      fields,
      details,
    });
  }
  const repeated = [...new Set(sent.filter((name, index) => sent.indexOf(name) !== index))];
  if (repeated.length === 0) return;
  const fields = repeated.map((name) => ({
    field: name,
    message: 'may be given once; separate several values by commas',
  }));
  throw new InvalidError('repeated_parameter', summaryOf('the query has a parameter twice', fields), {
    fields,
    details,
  });
}

function unknownMessage(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'is not a known parameter; this route takes none';
  const list = `known are ${known.join(', ')}`;
  const today = Object.hasOwn(RENAMED, name) ? RENAMED[name] : undefined;
  if (today !== undefined && known.includes(today)) return `is called ${today} now; ${list}`;
  const meant = known.find((candidate) => sameLetters(candidate, name));
  return `is not a known parameter; ${meant === undefined ? list : `did you mean ${meant}? ${list}`}`;
}

const summaryOf = (what: string, [first]: readonly FieldProblem[]): string =>
  `${what}: ${first?.field} ${first?.message}`;

function checkBody(request: Request, types: readonly string[]): void {
  const body = request.body as unknown;
  if (types.length === 0) {
    if (body !== undefined ? isEmpty(body) : !isSent(request)) return;
    throw unreadBody();
  }
  if (body === undefined && !isSent(request)) return;
  const sent = request.headers['content-type'];
  // Bytes without a type are read where bytes are read, and are no JSON.
  if (sent === undefined ? !types.includes(JSON_ONLY) : types.includes(mediaTypeOf(sent))) return;
  throw unsupportedType(sent, types);
}

const isSent = ({ headers }: Request): boolean =>
  Number(headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in headers;

const mediaTypeOf = (header: string): string => (header.split(';')[0] ?? '').trim().toLowerCase();

/** Some clients send an empty object with every request. */
const isEmpty = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;

/** What is wrong with a body that the parser did not understand, where the route reads none; null where it reads one. */
export const refuseUnreadBody = (route: RouteDescription | undefined): InvalidError | null =>
  route === undefined || route.body !== undefined ? null : unreadBody();

function unreadBody(): InvalidError {
  const message = 'this route reads no body; leave it out';
  return new InvalidError('unread_body', `the body would be ignored: ${message}`, {
    fields: [{ field: 'body', message }],
  });
}

function unsupportedType(sent: string | undefined, types: readonly string[]): UnsupportedTypeError {
  const what = sent === undefined ? 'is missing' : `is ${sent.slice(0, 100)}`;
  const message = `${what}; this route reads ${types.join(', ')}: send the body with one of these`;
  return new UnsupportedTypeError('unsupported_media_type', `the Content-Type ${message}`, {
    fields: [{ field: 'Content-Type', message }],
    details: { acceptedTypes: types },
  });
}
