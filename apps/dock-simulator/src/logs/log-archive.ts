import type { Prng } from '../prng.js';
import type { LogBoot, LogModule } from './log-boots.js';

const BLOCK_BYTES = 512;
const CHUNK_BYTES = 64 * 1024;
/** POSIX ends an archive with two empty blocks. */
const END_BYTES = 2 * BLOCK_BYTES;

const padded = (sizeBytes: number): number => Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;

/** A tar file with one log for each boot: the same bytes for each run with the same seed, so it carries no time. */
export class LogArchive {
  readonly sizeBytes: number;

  constructor(
    private readonly module: LogModule,
    private readonly boots: readonly LogBoot[],
    private readonly prng: Prng,
  ) {
    this.sizeBytes = boots.reduce((sum, { sizeBytes }) => sum + BLOCK_BYTES + padded(sizeBytes), END_BYTES);
  }

  /** Piece by piece: archives of hundreds of megabytes must not lie in memory. */
  *content(): Generator<Buffer> {
    for (const { bootIndex, sizeBytes } of this.boots) {
      yield headerOf(`module${this.module}_boot${bootIndex}.log`, sizeBytes);
      yield* noise(this.prng.derive(`log ${this.module} ${bootIndex}`), sizeBytes);
      yield Buffer.alloc(padded(sizeBytes) - sizeBytes);
    }
    yield Buffer.alloc(END_BYTES);
  }
}

function* noise(prng: Prng, sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES) {
    const chunkBytes = Math.min(left, CHUNK_BYTES);
    const words = new Uint32Array(Math.ceil(chunkBytes / 4));
    // A loop is an order of magnitude faster than `Uint32Array.from`, and there are millions of words.
    for (let word = 0; word < words.length; word += 1) words[word] = prng.next() * 2 ** 32;
    yield Buffer.from(words.buffer, 0, chunkBytes);
  }
}

/** [POSIX, ustar] a file of nobody, from no time. */
function headerOf(name: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(sizeBytes, 11), 124);
  header.write(octal(0, 11), 136);
  // The checksum counts itself as blanks.
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
