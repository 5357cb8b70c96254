import { crc32, createInflateRaw } from 'node:zlib';
import { type Entry, fromBufferPromise } from 'yauzl';
import { checkEntryName } from './entry-name.js';
import { LIMITS } from './limits.js';
import { type Problems, StopReading, quote } from './problems.js';

export interface ZipEntry {
  readonly name: string;
  readonly compressed: boolean;
  readonly crc32: number;
  readonly inflatedBytes: number;
  /** Its bytes as they lie in the archive. */
  readonly stored: Buffer;
  readonly start: number;
  readonly end: number;
}

const END_RECORD = 0x06054b50;
const END_RECORD_BYTES = 22;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_EXTRA = 0x0001;
const UNICODE_NAME_EXTRA = 0x7075;
const ENTRY_HEADER_BYTES = 46;
const ENCRYPTED_FLAGS = 0x2041;
const SIZES_FOLLOW_FLAG = 0x0008;
const STORED = 0;
const DEFLATED = 8;

/** What a person can do about an archive that is legal and yet refused. */
const WRITE_AGAIN = 'write it again to a file and without ZIP64, e.g. `zip -fz- -r route.kmz wpmz`';

/** Inflated bytes of one turn of the event loop. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Lists the entries of an archive, without inflating any. Two readers of one archive must not see different files, or
 * a dock would fly what we did not check: so whatever lets readers disagree is refused, even where it is legal ZIP.
 *
 * INVARIANTS: the archive begins with an entry and ends with its end record; local and central headers agree; names
 * are on the list and unique whatever the case; no two entries share a byte; no ZIP64, nothing encrypted.
 */
export async function listEntries(bytes: Buffer, problems: Problems): Promise<readonly ZipEntry[]> {
  const directory = findDirectory(bytes, problems);
  const entries: ZipEntry[] = [];
  const namesSeen = new Map<string, string>();
  let headerBytes = 0;
  try {
    const zip = await fromBufferPromise(bytes, { decodeStrings: false });
    for await (const header of zip.eachEntry()) {
      headerBytes += ENTRY_HEADER_BYTES + header.fileNameLength + header.extraFieldLength + header.fileCommentLength;
      if (headerBytes > directory.size) problems.stopAll('file', 'is no usable ZIP archive: its directory is broken');
      const name = checkEntryName(header.fileNameRaw, problems);
      if (name === undefined) continue;
      const twin = namesSeen.get(name.toLowerCase());
      if (twin !== undefined) problems.add(name, `the archive has this name twice, also as ${quote(twin)}`);
      namesSeen.set(name.toLowerCase(), name);
      checkHeader(header, name, problems);
      const local = await zip.readLocalFileHeaderPromise(header);
      const sizesFollow = (local.generalPurposeBitFlag & SIZES_FOLLOW_FLAG) !== 0;
      if (
        !local.fileName.equals(header.fileNameRaw) ||
        local.compressionMethod !== header.compressionMethod ||
        local.generalPurposeBitFlag !== header.generalPurposeBitFlag ||
        (!sizesFollow &&
          (local.crc32 !== header.crc32 ||
            local.compressedSize !== header.compressedSize ||
            local.uncompressedSize !== header.uncompressedSize))
      ) {
        problems.stopAll(
          name,
          `the archive describes this entry in two ways that do not agree, as with forced ZIP64 sizes; ${WRITE_AGAIN}`,
        );
      }
      const start = header.relativeOffsetOfLocalHeader;
      const end = local.fileDataStart + header.compressedSize;
      if (end > directory.start) problems.stopAll(name, 'reaches beyond the end of the archive: the file is cut off');
      entries.push({
        name,
        compressed: header.compressionMethod === DEFLATED,
        crc32: header.crc32,
        inflatedBytes: header.uncompressedSize,
        stored: bytes.subarray(local.fileDataStart, end),
        start,
        end,
      });
    }
  } catch (error) {
    if (error instanceof StopReading) throw error;
    problems.stopAll('file', `is no usable ZIP archive: ${reason(error)}`);
  }
  if (headerBytes !== directory.size) {
    problems.stopAll('file', 'is no usable ZIP archive: its directory holds other data');
  }
  if (!problems.none) throw new StopReading(true);
  checkLayout(entries, problems);
  return entries;
}

/**
 * Inflates one entry piece by piece and checks it on the way. Stops at once where a limit is passed; the bytes that
 * really come out are counted, whatever the header says.
 */
export async function* inflate(
  entry: ZipEntry,
  budget: { bytesLeft: number },
  problems: Problems,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  let checksum = 0;
  for await (const chunk of entry.compressed ? inflated(entry, problems) : storedInPieces(entry.stored)) {
    bytes += chunk.length;
    budget.bytesLeft -= chunk.length;
    if (budget.bytesLeft < 0) {
      problems.stopAll(entry.name, `the archive inflates to more than ${LIMITS.inflatedBytes} bytes`);
    }
    if (bytes > LIMITS.ratioFromBytes && bytes > entry.stored.length * LIMITS.inflationRatio) {
      problems.stopAll(entry.name, `inflates to more than ${LIMITS.inflationRatio} times its size`);
    }
    if (bytes > entry.inflatedBytes) problems.stopAll(entry.name, 'is larger than the archive says');
    checksum = crc32(chunk, checksum);
    yield chunk;
  }
  if (bytes !== entry.inflatedBytes) problems.stopAll(entry.name, 'is smaller than the archive says');
  if (checksum !== entry.crc32) problems.stopAll(entry.name, 'is damaged: its checksum is wrong');
}

async function* inflated(entry: ZipEntry, problems: Problems): AsyncGenerator<Buffer> {
  const stream = createInflateRaw({ chunkSize: CHUNK_BYTES });
  stream.end(entry.stored);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    problems.stopAll(entry.name, `is damaged: ${reason(error)}`);
  }
  if (stream.bytesWritten !== entry.stored.length) {
    problems.stopAll(entry.name, 'has other data behind its compressed data');
  }
}

async function* storedInPieces(stored: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < stored.length; at += CHUNK_BYTES) {
    yield stored.subarray(at, at + CHUNK_BYTES);
    // Inflating gives way to others by itself.
    await new Promise(setImmediate);
  }
}

/** Finds where the list of entries begins, and refuses what no route file needs before anything else is believed. */
function findDirectory(bytes: Buffer, problems: Problems): { readonly start: number; readonly size: number } {
  if (bytes.length > LIMITS.fileBytes) {
    problems.stopAll('file', `has ${bytes.length} bytes; a route file may have ${LIMITS.fileBytes}`);
  }
  if (bytes.length < END_RECORD_BYTES || bytes.readUInt32LE(0) !== 0x04034b50) {
    problems.stopAll('file', 'is no KMZ: a KMZ is a ZIP archive and begins with the bytes `PK`');
  }
  const at = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (at < 0 || at + END_RECORD_BYTES > bytes.length) {
    problems.stopAll('file', 'is no complete ZIP archive: its end is missing');
  }
  if (bytes.readUInt32LE(at) !== END_RECORD || at + END_RECORD_BYTES + bytes.readUInt16LE(at + 20) !== bytes.length) {
    problems.stopAll('file', 'is no complete ZIP archive: other data follows its end');
  }
  const entryCount = bytes.readUInt16LE(at + 10);
  const size = bytes.readUInt32LE(at + 12);
  const start = bytes.readUInt32LE(at + 16);
  const locator = at - ZIP64_LOCATOR_BYTES;
  if (entryCount === 0xffff || (locator >= 0 && bytes.readUInt32LE(locator) === ZIP64_LOCATOR)) {
    problems.stopAll('file', `is a ZIP64 archive, which no route file needs; ${WRITE_AGAIN}`);
  }
  if (bytes.readUInt16LE(at + 4) !== 0 || bytes.readUInt16LE(at + 8) !== entryCount) {
    problems.stopAll('file', 'is one part of a ZIP archive');
  }
  if (entryCount > LIMITS.entries) {
    problems.stopAll('file', `has ${entryCount} entries; a route file may have ${LIMITS.entries}`);
  }
  if (start + size !== at) problems.stopAll('file', 'is no usable ZIP archive: its directory is not where it says');
  return { start, size };
}

function checkHeader(header: Entry, name: string, problems: Problems): void {
  if ((header.generalPurposeBitFlag & ENCRYPTED_FLAGS) !== 0) problems.stopAll(name, 'is encrypted');
  if (header.compressionMethod !== STORED && header.compressionMethod !== DEFLATED) {
    problems.stopAll(name, `is compressed by method ${header.compressionMethod}; only deflate is read`);
  }
  if (header.extraFields.some(({ id }) => id === ZIP64_EXTRA))
    problems.stopAll(name, `has ZIP64 sizes, which no route file needs; ${WRITE_AGAIN}`);
  const otherName = header.extraFields.find(({ id }) => id === UNICODE_NAME_EXTRA);
  if (otherName !== undefined && !otherName.data.subarray(5).equals(header.fileNameRaw)) {
    problems.stopAll(name, 'has a second, different name');
  }
  // The upper half is the Unix mode where one is given; nothing but files and directories has a place here.
  const kind = (header.externalFileAttributes >>> 16) & 0xf000;
  if (kind !== 0 && kind !== 0x8000 && kind !== 0x4000) {
    problems.add(name, kind === 0xa000 ? 'is a symbolic link' : 'is neither a file nor a directory');
  }
  if (header.uncompressedSize > LIMITS.inflatedBytes) {
    problems.stopAll(name, `has ${header.uncompressedSize} bytes; an archive may inflate to ${LIMITS.inflatedBytes}`);
  }
  if (name.endsWith('/') && header.uncompressedSize !== 0) problems.add(name, 'is a directory, but has content');
}

/** An entry that lies inside another makes a small archive inflate without end. [Fifield, a better zip bomb] */
function checkLayout(entries: readonly ZipEntry[], problems: Problems): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.start - b.start)) {
    if (end === 0 && entry.start !== 0) problems.stopAll('file', 'is no plain ZIP archive: other data comes first');
    if (entry.start < end) problems.stopAll(entry.name, 'overlaps another entry of the archive');
    end = entry.end;
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
