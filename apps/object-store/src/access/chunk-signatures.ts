import { createHash } from 'node:crypto';
import { checkSignature } from './signature-claim.js';
import { signText } from './signing-key.js';

const EMPTY_SHA256 = createHash('sha256').digest('hex');

export interface ChunkSigning {
  readonly key: Buffer;
  readonly scope: string;
  /** As it stands in `x-amz-date`. */
  readonly date: string;
  /** The signature of the headers, on which the first chunk's is built. */
  readonly seed: string;
}

/** The chain of signatures through a body in signed chunks: each is built on the one before. [SigV4 streaming] */
export class ChunkSignatures {
  private previous: string;

  constructor(private readonly signing: ChunkSigning) {
    this.previous = signing.seed;
  }

  /** @param sha256 of the content of the chunk, in hex. */
  checkChunk(sha256: string, signature: string | undefined): void {
    this.check(['AWS4-HMAC-SHA256-PAYLOAD', EMPTY_SHA256, sha256], signature);
  }

  checkTrailer(lines: readonly string[], signature: string | undefined): void {
    const sha256 = createHash('sha256')
      .update(lines.map((line) => `${line}\n`).join(''))
      .digest('hex');
    this.check(['AWS4-HMAC-SHA256-TRAILER', sha256], signature);
  }

  private check([algorithm = '', ...hashes]: readonly string[], signature: string | undefined): void {
    const { key, scope, date } = this.signing;
    checkSignature(signText(key, [algorithm, date, scope, this.previous, ...hashes].join('\n')), signature);
    this.previous = signature ?? '';
  }
}
