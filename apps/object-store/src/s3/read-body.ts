import { ChunkSignatures } from '../access/chunk-signatures.js';
import { UNSIGNED_PAYLOAD, type Verified } from '../access/signature.js';
import { AwsChunkedDecoder } from './aws-chunked.js';
import { type Checksum, checksumFor, hash, isChecksumHeader } from './checksums.js';
import { S3Error } from './s3-error.js';
import type { S3Request } from './s3-request.js';

/** How a body in chunks says that it is one: with signed chunks or not, with a trailer or not. */
const CHUNKED: Readonly<Record<string, { readonly signed: boolean; readonly trailer: boolean }>> = {
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
};

interface Promised {
  readonly what: string;
  readonly checksum: Checksum;
  /** Undefined: it comes in the trailer. */
  readonly digest: Buffer | undefined;
  readonly mismatch: 'BadDigest' | 'XAmzContentSHA256Mismatch';
}

/**
 * The content of a body, checked against everything that its sender said of it. It throws before its end when the
 * content is not what was promised, so whoever stores it must take it back then.
 */
export async function* readBody(
  request: S3Request,
  { payload, chunks }: Verified,
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Buffer> {
  const { headers } = request;
  const chunked = Object.hasOwn(CHUNKED, payload) ? CHUNKED[payload] : undefined;
  if (payload.startsWith('STREAMING-') && chunked === undefined) {
    throw new S3Error('NotImplemented', `The payload ${payload} is not supported.`);
  }
  const promised = readPromises(request, payload);
  const size = readSize(headers[chunked === undefined ? 'content-length' : 'x-amz-decoded-content-length'], maxBytes);
  const isSigned = chunked?.signed === true && chunks !== undefined;
  const decoder = new AwsChunkedDecoder(isSigned ? new ChunkSignatures(chunks) : undefined);
  let bytes = 0;
  for await (const piece of chunked === undefined ? body : decoder.decode(body)) {
    bytes += piece.length;
    if (bytes > size) throw new S3Error('IncompleteBody', 'The body is longer than it was said to be.');
    for (const { checksum } of promised) checksum.update(piece);
    yield piece;
  }
  if (bytes !== size) throw new S3Error('IncompleteBody', 'The body is shorter than it was said to be.');
  for (const { what, checksum, digest, mismatch } of promised) {
    const expected = digest ?? readDigest(decoder.trailers.get(what), what);
    if (!checksum.digest().equals(expected)) {
      throw new S3Error(mismatch, `The ${what} that you sent is not that of what we received.`);
    }
  }
}

function readPromises({ headers, query }: S3Request, payload: string): Promised[] {
  const promised: Promised[] = [];
  const md5 = headers['content-md5'];
  if (md5 !== undefined) {
    const digest = readDigest(md5, 'Content-MD5');
    if (digest.length !== 16) throw new S3Error('InvalidDigest', 'The Content-MD5 is no MD5.');
    promised.push({ what: 'Content-MD5', checksum: hash('md5'), digest, mismatch: 'BadDigest' });
  }
  if (/^[0-9a-f]{64}$/.test(payload)) {
    const digest = Buffer.from(payload, 'hex');
    promised.push({
      what: 'x-amz-content-sha256',
      checksum: hash('sha256'),
      digest,
      mismatch: 'XAmzContentSHA256Mismatch',
    });
  } else if (payload !== UNSIGNED_PAYLOAD && !Object.hasOwn(CHUNKED, payload)) {
    throw new S3Error('InvalidArgument', 'x-amz-content-sha256 must be a SHA-256 or say how the payload is sent.');
  }
  // A presigned URL holds in its query what would have been headers.
  for (const what of new Set([...Object.keys(headers), ...query.names].filter(isChecksumHeader))) {
    const digest = readDigest(headers[what] ?? query.get(what), what);
    promised.push({ what, checksum: checksumFor(what), digest, mismatch: 'BadDigest' });
  }
  const trailer = headers['x-amz-trailer']?.toLowerCase();
  if (trailer !== undefined) {
    if (CHUNKED[payload]?.trailer !== true) throw new S3Error('InvalidRequest', 'Only aws-chunked has a trailer.');
    promised.push({ what: trailer, checksum: checksumFor(trailer), digest: undefined, mismatch: 'BadDigest' });
  }
  return promised;
}

function readDigest(text: string | undefined, what: string): Buffer {
  if (text === undefined) throw new S3Error('MalformedTrailerError', `The trailer has no ${what}.`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new S3Error('InvalidDigest', `The ${what} is no base64.`);
  return Buffer.from(text, 'base64');
}

function readSize(text: string | undefined, maxBytes: number): number {
  if (text === undefined) throw new S3Error('MissingContentLength', 'The length of the body must be given.');
  const size = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(size)) throw new S3Error('InvalidArgument', 'The length of the body is no number.');
  if (size > maxBytes) throw new S3Error('EntityTooLarge', `There may be at most ${maxBytes} bytes.`);
  return size;
}

/** A body that is small by its nature, e.g. a list. */
export async function readWholeBody(
  request: S3Request,
  verified: Verified,
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of readBody(request, verified, body, maxBytes)) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
