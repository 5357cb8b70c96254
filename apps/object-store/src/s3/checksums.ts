import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error } from './s3-error.js';

export interface Checksum {
  update(bytes: Buffer): void;
  /** As it stands in a header. */
  digest(): Buffer;
}

/** Reflected polynomial of Castagnoli. */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(bytes: Buffer, before: number): number {
  let value = ~before >>> 0;
  for (const byte of bytes) value = (CRC32C_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return ~value >>> 0;
}

function crc(next: (bytes: Buffer, before: number) => number): Checksum {
  let value = 0;
  return {
    update: (bytes) => {
      value = next(bytes, value);
    },
    digest: () => {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(value);
      return digest;
    },
  };
}

export function hash(algorithm: 'md5' | 'sha1' | 'sha256'): Checksum {
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

const BY_HEADER: Readonly<Record<string, () => Checksum>> = {
  'x-amz-checksum-crc32': () => crc(crc32),
  'x-amz-checksum-crc32c': () => crc(crc32c),
  'x-amz-checksum-sha1': () => hash('sha1'),
  'x-amz-checksum-sha256': () => hash('sha256'),
};

export const isChecksumHeader = (name: string): boolean =>
  name.startsWith('x-amz-checksum-') && !['x-amz-checksum-mode', 'x-amz-checksum-type'].includes(name);

export function checksumFor(header: string): Checksum {
  const make = Object.hasOwn(BY_HEADER, header) ? BY_HEADER[header] : undefined;
  if (make === undefined) throw new S3Error('NotImplemented', `The checksum ${header} is not supported.`);
  return make();
}
