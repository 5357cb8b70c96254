import { InvalidError, OutdatedError } from '@aerie/kernel';

/** The version that a caller has seen, or several of which any will do; null where every version will. */
export type ExpectedVersion = number | readonly number[] | null;

/** One entity tag of a list, with the comma behind it. [RFC 9110, 8.8.3 and 5.6.1] */
const ENTITY_TAG = /[\s,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,[\s,]*|$)/y;
/** What has changed since a version, behind the dot, is no reason to refuse: nobody has decided anything. */
const VERSION = /^(0|[1-9]\d{0,8})(?:\.\d{1,9})?$/;

function invalid(header: string): InvalidError {
  const shown = header.slice(0, 100);
  const wanted = 'send the ETag as it was answered, in its quotes, like "7"; several as "7", "8"; or * for any version';
  const message = /^[\w-]+$/.test(header) ? `${shown} is not in quotes; ${wanted}` : `is ${shown}; ${wanted}`;
  return new InvalidError('invalid_if_match', `the header If-Match cannot be used: ${message}`, {
    fields: [{ field: 'If-Match', message }],
  });
}

/**
 * The versions that the caller has seen, from the header `If-Match`; null where any will do. What is no version of ours
 * equals none, and a weak tag equals nothing: both are legal and match never. [RFC 9110, 13.1.1]
 */
export function readIfMatch(header: string | undefined): ExpectedVersion {
  if (header === undefined || header.trim() === '*') return null;
  const versions: number[] = [];
  ENTITY_TAG.lastIndex = 0;
  do {
    const [whole, weak, tag = ''] = ENTITY_TAG.exec(header) ?? [];
    if (whole === undefined) throw invalid(header);
    const version = weak === undefined ? VERSION.exec(tag)?.[1] : undefined;
    if (version !== undefined) versions.push(Number(version));
  } while (ENTITY_TAG.lastIndex < header.length);
  return versions;
}

/** As a list; null where every version will do. */
export const versionsOf = (expected: ExpectedVersion): readonly number[] | null =>
  typeof expected === 'number' ? [expected] : expected;

/** Throws OutdatedError when the thing is not as the caller saw it. Call it with the row locked. */
export function checkVersion(expected: ExpectedVersion, actual: number): void {
  const versions = versionsOf(expected);
  if (versions === null || versions.includes(actual)) return;
  const named = versions.length === 0 ? 'names no version' : `names version ${versions.join(', ')}`;
  const message = `${named}, but it is ${actual} now; read it again and decide anew`;
  throw new OutdatedError('outdated', 'somebody has changed it since', {
    fields: [{ field: 'If-Match', message }],
    details: { version: actual },
  });
}

/** The header `ETag` of a version, and of what changed since without a decision. */
export const etagOf = (version: number, since = 0): string => (since === 0 ? `"${version}"` : `"${version}.${since}"`);
