import { ownerPrefixOf } from '../keys/object-prefix.js';

/** Who says that a file lies in the storage: a dock, under its own serial number. */
export interface Claimant {
  readonly organisationId: string;
  readonly dockSn: string;
}

/** Whether the claimed key lies where the keys of that dock could have put it. */
export type ClaimVerdict = 'inside' | 'outside';

/** The longest key that a storage takes. [Amazon S3, naming objects; Alibaba OSS has less] */
export const MAX_KEY_BYTES = 1_024;

/** Why a text is no key of any storage; null where it may be one. */
export function keyProblemOf(objectKey: unknown): string | null {
  if (typeof objectKey !== 'string' || objectKey === '') return 'it claims no key';
  const bytes = Buffer.byteLength(objectKey);
  return bytes > MAX_KEY_BYTES ? `it claims a key of ${bytes} bytes; the longest that there are have 1,024` : null;
}

/** Parts that climb, stay where they are, or are empty. */
const NO_NAMES: ReadonlySet<string> = new Set(['', '.', '..']);
const CONTROL_OR_BACKSLASH = /[\p{Cc}\\]/u;

/**
 * The key is taken as it is written, as storages take it: `%2f` is three characters of a name, and no slash. What
 * another reader could take for a way out of the folder is outside.
 *
 * @throws InvalidError where the claimant cannot have a folder
 */
export function claimVerdictOf(objectKey: string, { organisationId, dockSn }: Claimant): ClaimVerdict {
  const prefix = ownerPrefixOf(organisationId, dockSn);
  if (!objectKey.startsWith(prefix) || CONTROL_OR_BACKSLASH.test(objectKey)) return 'outside';
  const parts = objectKey.slice(prefix.length).split('/');
  return parts.some((part) => NO_NAMES.has(part)) ? 'outside' : 'inside';
}
