import { S3Error } from './s3-error.js';

export interface Range {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/** One range of bytes. Whatever else stands in the header is passed over, as RFC 9110 asks. */
export function readRange(header: string | undefined, sizeBytes: number): Range | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) throw new S3Error('InvalidRange', 'The object has no such bytes.');
  return { start, end };
}
