import { HttpException } from '@nestjs/common';
import { AppError, type FieldProblem } from '@aerie/kernel';
import { isOutage, isRetryable, sqlState } from '@aerie/persistence';

/** An error as a caller sees it. [RFC 9457] */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** Stable word for programs. */
  readonly code: string;
  /** What is wrong, field by field, as the caller wrote it. */
  readonly errors?: readonly FieldProblem[];
  readonly [fact: string]: unknown;
}

const STATUS: Readonly<Record<AppError['kind'], number>> = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  outdated: 412,
  tooLarge: 413,
  unsupportedType: 415,
  tooMany: 429,
  unavailable: 503,
  timeout: 504,
};

const TITLE: Readonly<Record<number, string>> = {
  400: 'The request cannot be read',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict with the present state',
  412: 'Changed since it was read',
  413: 'Too large',
  415: 'Media type not supported',
  422: 'The input is not valid',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available now',
  504: 'No answer in time',
};

/** What a caller is told of an error. Anything that is no error of ours is a bug, of which a caller learns nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof AppError) {
    const { code, message, fields, details } = error;
    return {
      ...details,
      ...problem(STATUS[error.kind], code, sentence(message)),
      ...(fields.length > 0 ? { errors: fields } : {}),
    };
  }
  const bodyProblem = problemOfBodyParser(error);
  if (bodyProblem !== undefined) return bodyProblem;
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return problem(status, status === 404 ? 'no_such_route' : 'request_refused', error.message);
  }
  // After all repeats: a row that others hold for long, or a server that is away. Each proves that nothing was written.
  if (isRetryable(error) || (sqlState(error) !== undefined && isOutage(error))) {
    return problem(503, 'database_busy', 'The database is busy or away, and nothing was written. Try again.');
  }
  return problem(500, 'internal_error');
}

export function problem(status: number, code: string, detail?: string): Problem {
  return {
    type: `urn:aerie:problem:${code}`,
    title: TITLE[status] ?? 'Error',
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
  };
}

/** The errors of the JSON body parser, which marks them with a `type`. */
function problemOfBodyParser(error: unknown): Problem | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const inner = error instanceof HttpException ? (error.cause ?? error) : error;
  const { type, limit } = inner as { type?: unknown; limit?: unknown };
  switch (type) {
    case 'entity.too.large': {
      const detail = `The body may have ${String(limit)} bytes at most.`;
      return { ...problem(413, 'body_too_large', detail), errors: [{ field: 'body', message: detail }] };
    }
    case 'encoding.unsupported':
    case 'charset.unsupported': {
      const field = type === 'charset.unsupported' ? 'Content-Type' : 'Content-Encoding';
      const message =
        type === 'charset.unsupported'
          ? 'has another character set than UTF-8; send JSON in UTF-8'
          : 'is not one of gzip, deflate, br; send the body without it';
      return { ...problem(415, 'unsupported_media_type', `The ${field} ${message}.`), errors: [{ field, message }] };
    }
    case 'entity.parse.failed':
    case 'request.size.invalid': {
      const detail = 'The body is no JSON in UTF-8.';
      return { ...problem(400, 'invalid_json', detail), errors: [{ field: 'body', message: detail }] };
    }
    default:
      return undefined;
  }
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
