import { createHash } from 'node:crypto';

/** [S3, bucket naming rules], without dots. The names of the service's own routes are not to be hidden. */
export const isBucketName = (name: string): boolean =>
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name) && !['healthz', 'readyz', 'metrics'].includes(name);

/** Bytes in UTF-8. [S3] */
export const MAX_KEY_BYTES = 1024;

/**
 * Where an object lies: a file named by the hash of its key. So no key, whatever it holds, can leave its directory,
 * be too long for a file system, or stand in the way of a longer one. The key itself is kept inside the file.
 */
export const fileNameOf = (key: string): string => `${createHash('sha256').update(key).digest('hex')}.object`;
