/** One thing that is wrong with an input, named so that a caller can find it. */
export interface FieldProblem {
  /** Path of the field as the caller wrote it, e.g. `rthAltitudeMeters` or `wpmz/waylines.wpml:12`. */
  readonly field: string;
  readonly message: string;
}

export interface AppErrorOptions {
  readonly cause?: unknown;
  readonly fields?: readonly FieldProblem[];
  /** Facts that help the reader, e.g. the state that forbids an action. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An error that a caller can act on. Its kind says what the caller can do; anything that is no AppError is a bug.
 * The message says what was being done, without the cause, which travels in `cause`.
 */
export abstract class AppError extends Error {
  abstract readonly kind:
    | 'invalid'
    | 'unauthenticated'
    | 'forbidden'
    | 'notFound'
    | 'conflict'
    | 'outdated'
    | 'tooLarge'
    | 'unsupportedType'
    | 'tooMany'
    | 'unavailable'
    | 'timeout';
  readonly fields: readonly FieldProblem[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    /** Stable word for programs, e.g. `unknown_dock`. */
    readonly code: string,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.fields = options.fields ?? [];
    this.details = options.details ?? {};
  }
}

/** Fix the input. */
export class InvalidError extends AppError {
  readonly kind = 'invalid';
}

/** Say who you are. */
export class UnauthenticatedError extends AppError {
  readonly kind = 'unauthenticated';
}

/** You are known, and this is not among the things that you may do. */
export class ForbiddenError extends AppError {
  readonly kind = 'forbidden';
}

/** There is no such thing, or it is not yours. */
export class NotFoundError extends AppError {
  readonly kind = 'notFound';
}

/** The thing is in a state that forbids this. */
export class ConflictError extends AppError {
  readonly kind = 'conflict';
}

/** The thing has changed since the caller looked at it: look again. */
export class OutdatedError extends AppError {
  readonly kind = 'outdated';
}

/** Send less. */
export class TooLargeError extends AppError {
  readonly kind = 'tooLarge';
}

/** Send another media type. */
export class UnsupportedTypeError extends AppError {
  readonly kind = 'unsupportedType';
}

/** You ask too often: try again after `details.retryAfterMs`. Nothing was done. */
export class TooManyError extends AppError {
  readonly kind = 'tooMany';
}

/** Try later. */
export class UnavailableError extends AppError {
  readonly kind = 'unavailable';
}

/** Somebody behind us, such as a dock, did not answer in time or could not be reached: the details say who and why. */
export class TimeoutError extends AppError {
  readonly kind = 'timeout';
}

/** For the end of a switch: a case that the types say cannot happen. */
export function assertNever(value: never): never {
  throw new Error(`no case for ${JSON.stringify(value)}`);
}

/** The text of an error and of all its causes, outermost first. */
export function errorChain(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  // Causes could form a ring; nobody needs more than eight.
  while (current !== undefined && parts.length < 8) {
    if (!(current instanceof Error)) {
      parts.push(textOf(current));
      break;
    }
    parts.push(current.message === '' ? current.name : current.message);
    current = current.cause;
  }
  return parts.join(': ');
}

/** Of something thrown that is no error. A ring or a bigint is no JSON, and the way to the log must not throw. */
function textOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  try {
    return JSON.stringify(thrown);
  } catch {
    return '[object that is no JSON]';
  }
}
