import { createHash } from 'node:crypto';
import type { Part } from '../../storage/upload-store.js';
import { isChecksumHeader } from '../checksums.js';
import {
  type Exchange,
  type Operation,
  type Services,
  allowParameters,
  bodyOf,
  demand,
  readOnlyIfAbsent,
  sendXml,
} from '../exchange.js';
import { readWholeBody } from '../read-body.js';
import { readXmlList } from '../read-xml.js';
import { S3Error } from '../s3-error.js';
import { elements, xml } from '../xml.js';
import { MAX_PARTS, uploadOf } from './uploads.js';

/** All but the last. [S3, limits of uploads in parts] */
const MIN_PART_BYTES = 5 * 1024 ** 2;
/** The most parts, each with a checksum. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** The disk may be slow; the connection is silent meanwhile. */
const COMPLETION_LIMIT_MS = 30 * 60_000;

interface Wanted {
  readonly number: number;
  readonly etag: string;
}

export const completeUpload: Operation = async (services, exchange) => {
  const { request, verified, incoming, response } = exchange;
  const { bucket, key, query, headers } = request;
  demand(services, exchange, 's3:PutObject');
  allowParameters(query, ['uploadid']);
  // It would be that of the whole object, and nobody has read that as a whole.
  const checksum = Object.keys(headers).find(isChecksumHeader);
  if (checksum !== undefined) throw new S3Error('NotImplemented', `${checksum} is not supported here.`);
  const onlyIfAbsent = readOnlyIfAbsent(request);
  const text = await readWholeBody(request, verified, bodyOf(exchange), MAX_BODY_BYTES);
  const wanted = readXmlList(text, 'CompleteMultipartUpload', 'Part', MAX_PARTS).items.map(readWanted);
  incoming.socket.setTimeout(COMPLETION_LIMIT_MS);
  const etag = completedBefore(services, exchange) ?? (await complete(services, exchange, wanted, onlyIfAbsent));
  const answer = { Location: `http://${headers['host'] ?? ''}${request.canonicalPath}`, Bucket: bucket, Key: key };
  sendXml(response, 200, xml('CompleteMultipartUploadResult', elements({ ...answer, ETag: `"${etag}"` })));
};

/** A client that did not hear our answer asks again, and is to hear the same. */
function completedBefore({ store }: Services, { request: { bucket, key, query } }: Exchange): string | undefined {
  const object = store.find(bucket, key);
  return object?.uploadId !== undefined && object.uploadId === query.get('uploadId') ? object.etag : undefined;
}

async function complete(
  services: Services,
  exchange: Exchange,
  wanted: readonly Wanted[],
  onlyIfAbsent: boolean,
): Promise<string> {
  const upload = uploadOf(services, exchange);
  const parts = chooseParts(services.uploads.partsOf(upload), wanted);
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const { maxObjectBytes } = services.limits;
  if (sizeBytes > maxObjectBytes) {
    throw new S3Error('EntityTooLarge', `An object has at most ${maxObjectBytes} bytes.`);
  }
  const said = exchange.request.headers['x-amz-mp-object-size'];
  if (said !== undefined && said !== String(sizeBytes)) {
    throw new S3Error('InvalidRequest', `The parts have ${sizeBytes} bytes, not ${said}.`);
  }
  const record = await services.uploads.complete(upload, parts, { etag: etagOf(parts), onlyIfAbsent });
  return record.etag;
}

function chooseParts(stored: readonly Part[], wanted: readonly Wanted[]): readonly Part[] {
  if (wanted.length === 0) throw new S3Error('MalformedXML', 'There must be one part at least.');
  if (wanted.some(({ number }, index) => index > 0 && number <= (wanted[index - 1]?.number ?? 0))) {
    throw new S3Error('InvalidPartOrder', 'The parts must be in the order of their numbers.');
  }
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  return wanted.map(({ number, etag }, index) => {
    const part = byNumber.get(number);
    if (part?.etag !== etag) throw new S3Error('InvalidPart', `Part ${number} is missing, or has another ETag.`);
    if (part.sizeBytes < MIN_PART_BYTES && index < wanted.length - 1) {
      throw new S3Error('EntityTooSmall', `Part ${number} has less than ${MIN_PART_BYTES} bytes and is not the last.`);
    }
    return part;
  });
}

function readWanted(item: Readonly<Record<string, string>>): Wanted {
  const number = item['PartNumber']?.trim() ?? '';
  const etag = item['ETag']?.trim().replace(/^"(.*)"$/, '$1');
  if (!/^[1-9]\d{0,4}$/.test(number) || etag === undefined) {
    throw new S3Error('MalformedXML', 'A part needs its PartNumber and its ETag.');
  }
  return { number: Number(number), etag };
}

/** [S3] the MD5 of the parts' MD5s, and how many they are. */
function etagOf(parts: readonly Part[]): string {
  const md5 = createHash('md5');
  for (const { etag } of parts) md5.update(Buffer.from(etag, 'hex'));
  return `${md5.digest('hex')}-${parts.length}`;
}
