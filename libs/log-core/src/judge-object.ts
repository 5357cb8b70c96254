import type { LogFile } from './upload.types.js';

/** One object as the storage shows it. */
export interface SeenObject {
  readonly sizeBytes: number;
  /** Without quotes. The MD5 of what was uploaded in one piece, and of nothing else. */
  readonly etag: string;
}

/** Hashes of the content, where it was read. Lower case hexadecimal. */
export interface ContentHashes {
  readonly md5: string;
  readonly sha256: string;
}

/** How sure it is that the object is what the dock has: by its content, by its size, or only by being there whole. */
export type Proof = 'fingerprint' | 'size' | 'presence';

export type ObjectVerdict =
  | { readonly verdict: 'ok'; readonly proof: Proof }
  | { readonly verdict: 'differs' }
  /** The tag of the object says nothing of its content: it has to be read. */
  | { readonly verdict: 'unread' };

const HASHES = { 32: 'md5', 64: 'sha256' } as const;

/**
 * Whether an object is the archive that a dock reported. Size and fingerprint must be as they were told, as far as they
 * were. An object of S3 is there whole or not at all, so that one whose last word was lost is taken as it is.
 */
export function judgeObject(
  { told }: Pick<LogFile, 'told'>,
  object: SeenObject,
  hashes: ContentHashes | null,
): ObjectVerdict {
  const { sizeBytes = null, fingerprint = null } = told ?? {};
  // No archive is empty, whatever its hash.
  if (object.sizeBytes === 0) return { verdict: 'differs' };
  if (sizeBytes !== null && sizeBytes !== object.sizeBytes) return { verdict: 'differs' };
  const proof: Proof = sizeBytes === null ? 'presence' : 'size';
  if (fingerprint === null) return { verdict: 'ok', proof };
  if (fingerprint === object.etag.toLowerCase()) return { verdict: 'ok', proof: 'fingerprint' };
  const hash = HASHES[fingerprint.length as keyof typeof HASHES] as 'md5' | 'sha256' | undefined;
  // A hash of a kind that nobody documents cannot be held against anything.
  if (hash === undefined) return { verdict: 'ok', proof };
  if (hashes === null) return { verdict: 'unread' };
  return hashes[hash] === fingerprint ? { verdict: 'ok', proof: 'fingerprint' } : { verdict: 'differs' };
}

/** As long as the storage lets one be, with what credential-service puts before it. */
const LONGEST_KEY = 900;
/** Control characters and backslashes mean other things to other programs; a part of dots may climb; a slash ends a folder. */
const UNSAFE = /[\u0000-\u001f\u007f\\]|(^|\/)\.{1,2}(\/|$)|\/$/;

/** Whether a key that a dock names lies where the keys of its attempt work, and nowhere above. Empty parts climb nowhere. */
export function isBelow(prefix: string, key: string): boolean {
  return key.startsWith(prefix) && key.length > prefix.length && key.length <= LONGEST_KEY && !UNSAFE.test(key);
}
