import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type FieldProblem, InvalidError } from '@aerie/kernel';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import type { RouteDescription } from './openapi/types.js';
import { pageQuery } from './page.js';

/** What is known of the input of a route. */
interface KnownInput {
  readonly parameters: readonly string[];
  readonly body: 'none' | 'json' | 'other';
}

const NOTHING: KnownInput = { parameters: [], body: 'none' };
const JSON_ONLY = 'application/json';

/** The names of the query parameters that a route reads, in the order of its description. */
export const parametersOf = ({ query, paged }: RouteDescription): readonly string[] => [
  ...Object.keys(query?.shape ?? {}),
  ...(paged === true ? Object.keys(pageQuery.shape) : []),
];

/**
 * Refuses what a route would ignore in silence: a query parameter that its description does not know, one that comes
 * twice, and a body where it reads none. `?dryrun=true` must not fly a mission. A route without a description takes none
 * of them. Runs after the check of the API key and before the handler; HEAD asks for no effect and is left alone.
 */
@Injectable()
export class RefuseUnknownInput implements NestInterceptor {
  private readonly known: ReadonlyMap<string, KnownInput>;

  constructor(routes: readonly RouteDescription[]) {
    this.known = new Map(
      routes.map((route) => [
        nameOf(route.method, route.path),
        { parameters: parametersOf(route), body: bodyKindOf(route) },
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
    const { parameters, body } = this.known.get(nameOf(request.method, path)) ?? NOTHING;
    checkParameters(request.originalUrl, parameters);
    checkBody(request, body);
  }
}

const nameOf = (method: string, path: string): string =>
  `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}').replace(/\/$/, '')}`;

function bodyKindOf({ body }: RouteDescription): KnownInput['body'] {
  if (body === undefined) return 'none';
  return Object.keys(body.content).every((type) => type === JSON_ONLY) ? 'json' : 'other';
}

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
  const meant = known.find((candidate) => lettersOf(candidate) === lettersOf(name));
  const list = `known are ${known.join(', ')}`;
  return `is not a known parameter; ${meant === undefined ? list : `did you mean ${meant}? ${list}`}`;
}

/** `dry_run`, `dryrun` and `dry-run` are all meant for `dryRun`. */
const lettersOf = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

const summaryOf = (what: string, [first]: readonly FieldProblem[]): string =>
  `${what}: ${first?.field} ${first?.message}`;

function checkBody(request: Request, kind: KnownInput['body']): void {
  const body = request.body as unknown;
  if (body !== undefined) {
    if (kind === 'none' && !isEmpty(body)) throw unreadBody('this route reads no body; leave it out');
    return;
  }
  const isSent = Number(request.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in request.headers;
  if (!isSent || kind === 'other') return;
  throw unreadBody(
    kind === 'none' ? 'this route reads no body; leave it out' : `send JSON with \`Content-Type: ${JSON_ONLY}\``,
  );
}

/** Some clients send an empty object with every request. */
const isEmpty = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;

const unreadBody = (message: string): InvalidError =>
  new InvalidError('unread_body', `the body would be ignored: ${message}`, { fields: [{ field: 'body', message }] });
