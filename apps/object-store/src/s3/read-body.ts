import { AwsChunkedDecoder } from './aws-chunked.js';
import { type Checksum, checksumFor, hash, isChecksumHeader } from './checksums.js';
import { S3Error } from './s3-error.js';
import type { S3Request } from './s3-request.js';
import { UNSIGNED_PAYLOAD } from './signature.js';

/** The largest object of one PUT. [S3] */
const MAX_OBJECT_BYTES = 5 * 1024 ** 3;
const CHUNKED_WITH_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

interface Promised {
  readonly what: string;
  readonly checksum: Checksum;
  /** Undefined: it comes in the trailer. */
  readonly digest: Buffer | undefined;
  readonly mismatch: 'BadDigest' | 'XAmzContentSHA256Mismatch';
}

/**
 * The content of a PUT, checked against everything that its sender said of it. It throws before its end when the
 * content is not what was promised, so whoever stores it must take it back then.
 */
export async function* readBody(
  request: S3Request,
  payload: string,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const { headers } = request;
  const chunked = payload === CHUNKED_WITH_TRAILER;
  if (payload.startsWith('STREAMING-') && !chunked) {
    throw new S3Error('NotImplemented', 'Signed chunks are not supported; send the payload unsigned, with a trailer.');
  }
  const promised = readPromises(request, payload);
  const size = readSize(headers[chunked ? 'x-amz-decoded-content-length' : 'content-length']);
  const decoder = new AwsChunkedDecoder();
  let bytes = 0;
  for await (const piece of chunked ? decoder.decode(body) : body) {
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
  } else if (payload !== UNSIGNED_PAYLOAD && payload !== CHUNKED_WITH_TRAILER) {
    throw new S3Error('InvalidArgument', 'x-amz-content-sha256 must be a SHA-256 or say how the payload is sent.');
  }
  // A presigned URL holds in its query what would have been headers.
  for (const what of new Set([...Object.keys(headers), ...query.names].filter(isChecksumHeader))) {
    const digest = readDigest(headers[what] ?? query.get(what), what);
    promised.push({ what, checksum: checksumFor(what), digest, mismatch: 'BadDigest' });
  }
  const trailer = headers['x-amz-trailer']?.toLowerCase();
  if (trailer !== undefined) {
    if (payload !== CHUNKED_WITH_TRAILER) throw new S3Error('InvalidRequest', 'Only aws-chunked has a trailer.');
    promised.push({ what: trailer, checksum: checksumFor(trailer), digest: undefined, mismatch: 'BadDigest' });
  }
  return promised;
}

function readDigest(text: string | undefined, what: string): Buffer {
  if (text === undefined) throw new S3Error('MalformedTrailerError', `The trailer has no ${what}.`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new S3Error('InvalidDigest', `The ${what} is no base64.`);
  return Buffer.from(text, 'base64');
}

function readSize(text: string | undefined): number {
  if (text === undefined) throw new S3Error('MissingContentLength', 'The length of the body must be given.');
  const size = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(size)) throw new S3Error('InvalidArgument', 'The length of the body is no number.');
  if (size > MAX_OBJECT_BYTES) throw new S3Error('EntityTooLarge', `An object has at most ${MAX_OBJECT_BYTES} bytes.`);
  return size;
}
