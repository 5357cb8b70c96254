import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Nothing that is packed is near this. */
const MAX_BYTES = 256 * 1024;

/**
 * A window of 16 KiB holds the words and what is packed. zlib clears all of its memory first, with its defaults four times as
 * much, which took longer than packing. Any inflater reads it.
 */
const WINDOW_BITS = 14;
const MEMORY_LEVEL = 6;

/**
 * JSON that reads nearly the same in each row, for a column of bytes: deflated with words that it has in common with others.
 * The first byte is the number of the words. Words are fixed for ever, since rows were packed by them: others need another
 * number.
 */
export class PackedJson {
  constructor(
    private readonly number: number,
    private readonly words: string,
  ) {}

  /** `more`: words that stand in the same row elsewhere, and are there when it is read. */
  pack(value: unknown, more = ''): Buffer {
    const dictionary = Buffer.from(this.words + more);
    const deflated = deflateRawSync(JSON.stringify(value), {
      dictionary,
      windowBits: WINDOW_BITS,
      memLevel: MEMORY_LEVEL,
    });
    return Buffer.concat([Buffer.of(this.number), deflated]);
  }

  unpack(packed: Buffer, more = ''): unknown {
    if (packed[0] !== this.number) throw new Error('a row was packed by words that this release does not have');
    const dictionary = Buffer.from(this.words + more);
    return JSON.parse(inflateRawSync(packed.subarray(1), { dictionary, maxOutputLength: MAX_BYTES }).toString());
  }
}
