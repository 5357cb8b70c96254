import { AppError, UnavailableError } from '@aerie/kernel';

/** The provider's own word for what went wrong, else that of the network. Never a message: it may repeat what we sent. */
export function providerCodeOf(error: unknown): string {
  for (let current: unknown = error, depth = 0; typeof current === 'object' && current !== null && depth < 5; depth++) {
    const { code, Code, name, cause } = current as Readonly<Record<'code' | 'Code' | 'name' | 'cause', unknown>>;
    // Our own words for it say less than what they were made of.
    const own =
      current instanceof AppError
        ? undefined
        : [Code, code, name].find((word) => typeof word === 'string' && word !== '' && word !== 'Error');
    if (typeof own === 'string') return own.slice(0, 100);
    current = cause;
  }
  return 'UnknownError';
}

/** For callers that cannot do anything but try again; what it was is in the log and in `details`. */
export function unavailable(message: string, cause: unknown): UnavailableError {
  return new UnavailableError('storage_unavailable', message, {
    cause,
    details: { providerCode: providerCodeOf(cause) },
  });
}

/**
 * Whether a storage says that an object is not there: an answer, and no failure. A HEAD has no body, so that a bucket
 * which is gone may look the same. [S3, HeadObject; OSS, HeadObject]
 */
export function isMissing(error: unknown): boolean {
  const { status, $metadata } = (error ?? {}) as {
    readonly status?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
  };
  const isNotFound = (status ?? $metadata?.httpStatusCode) === 404;
  return isNotFound && providerCodeOf(error) !== 'NoSuchBucket';
}
