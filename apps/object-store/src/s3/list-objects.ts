import type { DiskStore } from '../storage/disk-store.js';
import { S3Error } from './s3-error.js';
import { type Query, encode } from './s3-request.js';
import { elements, xml } from './xml.js';

/** [ListObjectsV2] */
const MAX_KEYS = 1_000;
const KNOWN = new Set([
  'list-type',
  'prefix',
  'max-keys',
  'continuation-token',
  'start-after',
  'encoding-type',
  'x-id',
]);

/** ListObjectsV2, without delimiters. */
export function listObjects(store: DiskStore, bucket: string, query: Query): string {
  const unknown = query.names.find((name) => !KNOWN.has(name) && !name.startsWith('x-amz-'));
  if (unknown !== undefined) throw new S3Error('NotImplemented', `A list by ${unknown} is not supported.`);
  if (query.get('list-type') !== '2') throw new S3Error('NotImplemented', 'Only version 2 of lists is supported.');
  const prefix = query.get('prefix') ?? '';
  const limit = readLimit(query.get('max-keys'));
  const token = query.get('continuation-token');
  const after = token === undefined ? (query.get('start-after') ?? '') : readToken(token);
  const inUrls = query.get('encoding-type') === 'url';
  const show = (key: string): string => (inUrls ? encode(key).replaceAll('%2F', '/') : key);

  const found = limit === 0 ? [] : store.list(bucket, prefix, after, limit);
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const isTruncated = found.length > limit && last !== undefined;
  const contents = shown.map(({ key, modifiedAt, etag, sizeBytes }) => {
    const parts = { Key: show(key), LastModified: modifiedAt, ETag: `"${etag}"`, Size: sizeBytes };
    return `<Contents>${elements({ ...parts, StorageClass: 'STANDARD' })}</Contents>`;
  });
  const head = elements({
    Name: bucket,
    Prefix: show(prefix),
    KeyCount: shown.length,
    MaxKeys: limit,
    ...(inUrls ? { EncodingType: 'url' } : {}),
    IsTruncated: isTruncated,
    ...(isTruncated ? { NextContinuationToken: Buffer.from(last.key).toString('base64url') } : {}),
  });
  return xml('ListBucketResult', head + contents.join(''));
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return MAX_KEYS;
  if (!/^\d{1,9}$/.test(text)) throw new S3Error('InvalidArgument', 'max-keys is no number.');
  return Math.min(MAX_KEYS, Number(text));
}

function readToken(token: string): string {
  if (!/^[A-Za-z0-9_-]{1,2000}$/.test(token))
    throw new S3Error('InvalidArgument', 'The continuation token is not ours.');
  return Buffer.from(token, 'base64url').toString('utf8');
}
