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

  async *decode(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const source = body[Symbol.asyncIterator]();
    for (;;) {
      const size = readSize(await this.line(source));
      if (size === 0) break;
      for (let left = size; left > 0;) {
        if (this.rest.length === 0) await this.more(source);
        const piece = this.rest.subarray(0, left);
        this.rest = this.rest.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
      if ((await this.line(source)) !== '') throw new S3Error('IncompleteBody', 'A chunk does not end where it says.');
    }
    for (;;) {
      const line = await this.line(source);
      if (line === '') break;
      const at = line.indexOf(':');
      if (at < 1 || this.trailers.size >= MAX_TRAILERS) {
        throw new S3Error('MalformedTrailerError', 'The trailer cannot be read.');
      }
      this.trailers.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
    }
    // Some clients end their trailers with one empty line more.
    for (let left = this.rest; ;) {
      if (left.toString('latin1').trim() !== '') throw new S3Error('IncompleteBody', 'More follows the last chunk.');
      const next = await source.next();
      if (next.done === true) return;
      left = next.value;
    }
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

function readSize(line: string): number {
  // Extensions hold signatures of single chunks, which are refused before a body is read.
  if (!/^[0-9a-f]{1,10}$/i.test(line)) throw new S3Error('InvalidRequest', 'The body is not aws-chunked.');
  return Number.parseInt(line, 16);
}
