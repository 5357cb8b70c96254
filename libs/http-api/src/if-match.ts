import { InvalidError, OutdatedError } from '@aerie/kernel';

const invalid = (): InvalidError =>
  new InvalidError('invalid_if_match', 'the header If-Match cannot be used', {
    fields: [{ field: 'If-Match', message: 'must be the version as the ETag shows it, like "7", or *' }],
  });

/** The version that the caller has seen, from the header `If-Match`; null where any will do. [RFC 9110, 13.1.1] */
export function readIfMatch(header: string | undefined): number | null {
  if (header === undefined || header === '*') return null;
  const [, version] = /^"?(\d{1,9})"?$/.exec(header) ?? [];
  if (version === undefined) throw invalid();
  return Number(version);
}

/** Throws OutdatedError when the thing is not as the caller saw it. Call it with the row locked. */
export function checkVersion(expected: number | null, actual: number): void {
  if (expected === null || expected === actual) return;
  const message = `names version ${expected}, but it is ${actual} now; read it again and decide anew`;
  throw new OutdatedError('outdated', 'somebody has changed it since', {
    fields: [{ field: 'If-Match', message }],
    details: { version: actual },
  });
}

/** The header `ETag` of a version. */
export const etagOf = (version: number): string => `"${version}"`;
