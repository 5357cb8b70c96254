import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

/** What its sender says of an object. */
export interface Description {
  readonly contentType: string;
  /** The headers `x-amz-meta-*`, without that beginning. Missing from objects of the first release. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ObjectRecord extends Description {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes: the MD5 of the content in hex; of an object in parts as S3 makes it of the parts' MD5s. */
  readonly etag: string;
  readonly modifiedAt: string;
  /** The upload in parts that this object came of. */
  readonly uploadId?: string;
}

export interface OpenObject extends ObjectRecord {
  /** The caller closes it. */
  readonly file: FileHandle;
}

/** What is known of an object that was put together out of parts. */
export interface Completion {
  readonly uploadId: string;
  readonly etag: string;
}

const FOOTER_MAGIC = 'AERIEOB1';
/** Length of the record, then the magic. */
const FOOTER_BYTES = 4 + FOOTER_MAGIC.length;
const MAX_RECORD_BYTES = 16 * 1024;

/** Writes a file as `readRecord` reads it: the content, then its record as JSON, then the record's length. */
export async function writeObject(
  file: FileHandle,
  key: string,
  content: AsyncIterable<Buffer>,
  options: Description & { readonly completes?: Completion },
): Promise<ObjectRecord> {
  const { contentType, metadata = {}, completes } = options;
  const md5 = createHash('md5');
  let sizeBytes = 0;
  for await (const piece of content) {
    if (completes === undefined) md5.update(piece);
    sizeBytes += piece.length;
    await file.appendFile(piece);
  }
  const modifiedAt = new Date().toISOString();
  const record = { key, sizeBytes, contentType, metadata, modifiedAt, ...(completes ?? { etag: md5.digest('hex') }) };
  const json = Buffer.from(JSON.stringify(record));
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32BE(json.length, 0);
  footer.write(FOOTER_MAGIC, 4, 'latin1');
  await file.appendFile(Buffer.concat([json, footer]));
  return record;
}

export async function readRecord(file: FileHandle): Promise<ObjectRecord> {
  const { size } = await file.stat();
  const footer = await readExactly(file, Math.max(0, size - FOOTER_BYTES), Math.min(size, FOOTER_BYTES));
  const recordBytes = size < FOOTER_BYTES ? 0 : footer.readUInt32BE(0);
  const isOurs = footer.subarray(4).toString('latin1') === FOOTER_MAGIC && recordBytes <= MAX_RECORD_BYTES;
  if (!isOurs) throw new Error('failed to read an object: it is damaged or not ours');
  const json = await readExactly(file, size - FOOTER_BYTES - recordBytes, recordBytes);
  // Records written before there were uploads in parts call the ETag `md5`.
  const { md5, ...record } = JSON.parse(json.toString('utf8')) as ObjectRecord & { readonly md5?: string };
  return md5 === undefined ? record : { ...record, etag: md5 };
}

export async function readRecordAt(path: string): Promise<ObjectRecord> {
  const file = await open(path, 'r');
  try {
    return await readRecord(file);
  } finally {
    await file.close();
  }
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error('failed to read an object: it is cut off');
  return buffer;
}
