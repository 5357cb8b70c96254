import type { Permission } from '@aerie/bus-contract';
import type { z } from 'zod';

/** JSON Schema, draft 2020-12, as OpenAPI 3.1 holds it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export const HTTP_METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type HttpMethod = (typeof HTTP_METHODS)[number];

/** Headers that several routes read alike. */
export type SharedHeader = 'Idempotency-Key' | 'If-Match' | 'If-None-Match';

/** Bodies that are read, by media type. */
export interface BodyDescription {
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType; readonly example?: unknown }>>;
  /** The body may be left out. */
  readonly optional?: true;
}

/** Headers of answers; each has `X-Request-Id` beside them. */
export type AnswerHeader = 'ETag' | 'Location' | 'Content-Disposition' | 'Cache-Control' | 'Set-Cookie';

export interface AnswerDescription {
  readonly description: string;
  /** What the body is, by media type. */
  readonly content: Readonly<Record<string, z.ZodType>>;
  readonly headers?: readonly AnswerHeader[];
}

/** Statuses of problems that the shared responses describe. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 422 | 429 | 503 | 504;

export interface ProblemDescription {
  /** When this route answers so, with the codes to expect. */
  readonly description: string;
  /** Where the problem says more than every problem does. */
  readonly schema?: z.ZodType;
}

/** Who may use a route: whom a role gives the permission, or everybody. A route that says neither does not compile. */
export type RouteAccess =
  | { readonly permission: Permission; readonly public?: never }
  /** Needs no key. */
  | { readonly public: true; readonly permission?: never };

/** One route, as data beside its controller. What it does not say follows from what it reads, see `problemsOf`. */
export type RouteDescription = RouteParts & RouteAccess;

/** What a route says beside who may use it. */
export interface RouteParts {
  readonly method: HttpMethod;
  /** From the root, with parameters in braces. */
  readonly path: string;
  /** Name of the call in generated clients; each is used once. */
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** One schema for each parameter of the path. */
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  /** Takes `limit` and `cursor`. */
  readonly paged?: true;
  readonly headers?: readonly SharedHeader[];
  readonly body?: BodyDescription;
  /** Largest body of JSON that this route reads, where it is more than others read. */
  readonly maxBodyBytes?: number;
  /** Answers of success, by status. */
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  readonly problems?: { readonly [Status in ProblemStatus]?: ProblemDescription };
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly jsonSchemaDialect: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly Readonly<Record<string, unknown>>[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<HttpMethod, Operation>>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
}
