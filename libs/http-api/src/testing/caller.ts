import { problemsOf } from '../openapi/operation.js';
import { problemSchema } from '../openapi/problem.schema.js';
import type { RouteDescription } from '../openapi/types.js';

export interface CalledService {
  readonly url: string;
  readonly routes: readonly RouteDescription[];
  /** Goes with every call that names no other. */
  readonly key: string;
}

export interface CallParts {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, text or bytes as they are. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** Null: none at all. */
  readonly key?: string | null;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where the answer is no single JSON document. */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Calls routes by the name of their description, and holds each answer against it: status, media type, headers, and the
 * body against a schema that takes no field that it does not describe.
 */
export class Caller {
  /** Every success that was seen, as `operation status type`. */
  readonly seen = new Set<string>();

  constructor(private readonly service: CalledService) {}

  async call(operationId: string, parts: CallParts = {}): Promise<Answered> {
    const route = this.service.routes.find((described) => described.operationId === operationId);
    if (route === undefined) throw new Error(`there is no operation ${operationId}`);
    const response = await fetch(this.urlOf(route, parts), {
      method: route.method.toUpperCase(),
      headers: { ...this.keyOf(parts), ...typeOf(parts), ...parts.headers },
      ...(parts.body === undefined ? {} : { body: bytesOf(parts.body) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    checkHeaders(route, response);
    if (response.status === 304) return { status: 304, headers: response.headers, text, body: {} };
    if (response.ok) this.checkSuccess(route, response, type, text);
    else checkProblem(route, response, type, text);
    const body = isOneDocument(type) ? (JSON.parse(text) as Answered['body']) : {};
    return { status: response.status, headers: response.headers, text, body };
  }

  private urlOf({ path }: RouteDescription, { params = {}, query = {} }: CallParts): string {
    const filled = path.replace(/\{(\w+)\}/g, (_match, name: string) => params[name] ?? '');
    return `${this.service.url}${filled}?${new URLSearchParams(query).toString()}`;
  }

  private keyOf({ key = this.service.key }: CallParts) {
    return key === null ? {} : { Authorization: `Bearer ${key}` };
  }

  private checkSuccess(route: RouteDescription, { status, headers }: Response, type: string, text: string): void {
    const answer = route.answers[status];
    const schema = answer?.content[type];
    const what = `${route.operationId} ${status} ${type}`;
    if (schema === undefined) throw new Error(`${what} is not described`);
    const { error } = schema.safeParse(isOneDocument(type) ? JSON.parse(text) : text);
    if (error !== undefined) throw new Error(`${what} is not as described: ${error.message}\n${text}`);
    const missing = (answer?.headers ?? []).filter((name) => !headers.has(name) && !OF_SOME_TYPES.has(name));
    if (missing.length > 0) throw new Error(`${what} lacks ${missing.join(', ')}`);
    const version = isOneDocument(type) ? (JSON.parse(text) as { version?: unknown }).version : undefined;
    const etag = typeof version === 'number' ? `"${version}"` : null;
    // Behind a dot stands what has changed since the version.
    const shown = headers.get('ETag')?.replace(/\.\d+"$/, '"') ?? null;
    if (shown !== etag) throw new Error(`${what} has the ETag ${headers.get('ETag')}, not ${etag}`);
    this.seen.add(what);
  }
}

/** Every success that routes describe, in the words of `Caller.seen`. */
export const successesOf = (routes: readonly RouteDescription[]): string[] =>
  routes.flatMap(({ operationId, answers }) =>
    Object.entries(answers).flatMap(([status, { content }]) =>
      Object.keys(content).map((type) => `${operationId} ${status} ${type}`),
    ),
  );

function checkProblem(route: RouteDescription, { status }: Response, type: string, text: string): void {
  const what = `${route.operationId} ${status} ${type}`;
  const described = problemsOf(route).find((problem) => problem === status);
  if (described === undefined || type !== 'application/problem+json')
    throw new Error(`${what} is not described: ${text}`);
  const { error } = (route.problems?.[described]?.schema ?? problemSchema).safeParse(JSON.parse(text));
  if (error !== undefined) throw new Error(`${what} is not as described: ${error.message}\n${text}`);
}

/** Only an answer that is saved as a file has it. */
const OF_SOME_TYPES: ReadonlySet<string> = new Set(['Content-Disposition']);
/** What HTTP itself and every body has. */
const OF_HTTP = new Set(['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding']);
const OF_PROBLEMS: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  415: ['Accept'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** An answer has the headers that are described for its status, and no others. */
function checkHeaders(route: RouteDescription, { status, headers }: Response): void {
  const described = status === 304 ? ['ETag'] : (route.answers[status]?.headers ?? OF_PROBLEMS[status] ?? []);
  const known = ['X-Request-Id', ...described].map((name) => name.toLowerCase());
  const unknown = [...headers.keys()].filter((name) => !OF_HTTP.has(name) && !known.includes(name));
  const missing = ['X-Request-Id', ...(OF_PROBLEMS[status] ?? [])].filter((name) => !headers.has(name));
  if (unknown.length === 0 && missing.length === 0) return;
  throw new Error(
    `${route.operationId} ${status} has ${unknown.join(', ')} undescribed and lacks ${missing.join(', ')}`,
  );
}

const isOneDocument = (type: string): boolean => type.endsWith('json') && !type.endsWith('ndjson');

const typeOf = ({ body, contentType }: CallParts) =>
  body === undefined ? {} : { 'Content-Type': contentType ?? 'application/json' };

const bytesOf = (body: unknown): string | Uint8Array<ArrayBuffer> =>
  typeof body === 'string' ? body : body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
