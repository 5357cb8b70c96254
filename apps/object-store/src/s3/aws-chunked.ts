import { createHash } from 'node:crypto';
import type { ChunkSignatures } from '../access/chunk-signatures.js';
import { S3Error } from './s3-error.js';

/** Sizes of chunks and trailers are a few bytes; more is no honest client. */
const MAX_LINE_BYTES = 1024;
const MAX_TRAILERS = 8;

/**
 * Takes the chunks of `aws-chunked` apart: the encoding in which SDKs send a body whose checksum they know only at its
 * end. Gives the content, piece by piece; trailers are in `trailers` once the content has ended.
 */
export class AwsChunkedDecoder {
  readonly trailers = new Map<string, string>();
  private rest: Buffer = Buffer.alloc(0);

  /** @param signatures undefined: the chunks are not signed. */
  constructor(private readonly signatures?: ChunkSignatures) {}

  async *decode(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const source = body[Symbol.asyncIterator]();
    for (;;) {
      const { size, signature } = this.readHead(await this.line(source));
      const sha256 = this.signatures === undefined ? undefined : createHash('sha256');
      for (let left = size; left > 0;) {
        if (this.rest.length === 0) await this.more(source);
        const piece = this.rest.subarray(0, left);
        this.rest = this.rest.subarray(piece.length);
        left -= piece.length;
        sha256?.update(piece);
        yield piece;
      }
      if (sha256 !== undefined) this.signatures?.checkChunk(sha256.digest('hex'), signature);
      if (size === 0) break;
      if ((await this.line(source)) !== '') throw new S3Error('IncompleteBody', 'A chunk does not end where it says.');
    }
    await this.readTrailers(source);
    // Some clients end their trailers with one empty line more.
    for (let left = this.rest; ;) {
      if (left.toString('latin1').trim() !== '') throw new S3Error('IncompleteBody', 'More follows the last chunk.');
      const next = await source.next();
      if (next.done === true) return;
      left = next.value;
    }
  }

  private async readTrailers(source: AsyncIterator<Buffer>): Promise<void> {
    const lines: string[] = [];
    let signature: string | undefined;
    for (let line = await this.line(source); line !== ''; line = await this.line(source)) {
      const at = line.indexOf(':');
      if (at < 1 || signature !== undefined || this.trailers.size >= MAX_TRAILERS) {
        throw new S3Error('MalformedTrailerError', 'The trailer cannot be read.');
      }
      const [name, value] = [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
      if (name === 'x-amz-trailer-signature') {
        signature = value;
      } else {
        this.trailers.set(name, value);
        lines.push(`${name}:${value}`);
      }
    }
    if (lines.length > 0) this.signatures?.checkTrailer(lines, signature);
  }

  private readHead(line: string): { readonly size: number; readonly signature?: string } {
    const shape =
      this.signatures === undefined ? /^([0-9a-f]{1,10})$/i : /^([0-9a-f]{1,10});chunk-signature=([0-9a-f]{64})$/i;
    const [, size, signature] = shape.exec(line) ?? [];
    if (size === undefined) throw new S3Error('InvalidRequest', 'The body is not aws-chunked.');
    return { size: Number.parseInt(size, 16), ...(signature === undefined ? {} : { signature }) };
  }

  private async line(source: AsyncIterator<Buffer>): Promise<string> {
    for (;;) {
      const end = this.rest.indexOf('\r\n');
      if (end > MAX_LINE_BYTES || (end < 0 && this.rest.length > MAX_LINE_BYTES)) {
        throw new S3Error('InvalidRequest', 'The body is not aws-chunked.');
      }
      if (end >= 0) {
        const line = this.rest.subarray(0, end).toString('latin1');
        this.rest = this.rest.subarray(end + 2);
        return line;
      }
      await this.more(source);
    }
  }

  private async more(source: AsyncIterator<Buffer>): Promise<void> {
    const next = await source.next();
    if (next.done === true) throw new S3Error('IncompleteBody', 'The body ends before its last chunk.');
    this.rest = this.rest.length === 0 ? next.value : Buffer.concat([this.rest, next.value]);
  }
}
