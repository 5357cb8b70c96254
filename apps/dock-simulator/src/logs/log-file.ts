import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { resultCodes } from '../result-codes.js';
import type { ObjectUploader } from '../storage/object-uploader.js';
import type { LogArchive } from './log-archive.js';

/** What goes wrong with one upload. */
export interface UploadTrouble {
  /** Breaks off after about half, and the dock says this. */
  readonly breaksOffWith?: number;
  /** Leaves the second half out, and does not know it. */
  readonly short?: boolean;
  /** Puts nothing into the storage, and says that it has. */
  readonly pretends?: boolean;
}

export type FileOutcome =
  | { readonly kind: 'uploaded'; readonly fingerprint: string; readonly stored: StoredObject | undefined }
  | { readonly kind: 'failed'; readonly result: number; readonly code: string }
  | { readonly kind: 'aborted' };

export interface StoredObject {
  readonly sizeBytes: number;
  /** Of what was stored, in hex. */
  readonly md5: string;
}

export interface Upload {
  readonly uploader: ObjectUploader;
  readonly key: string;
  readonly archive: LogArchive;
  readonly trouble: UploadTrouble;
  readonly signal: AbortSignal;
  readonly onProgress: (loadedBytes: number) => void;
}

/** Uploads one archive, once: a dock does not resume what broke. */
export async function uploadArchive(upload: Upload): Promise<FileOutcome> {
  const { uploader, key, archive, trouble, signal, onProgress } = upload;
  const whole = createHash('md5');
  const stored = createHash('md5');
  let storedBytes = 0;
  function* wire(): Generator<Buffer> {
    const halfBytes = Math.floor(archive.sizeBytes / 2);
    const endBytes = trouble.short === true || trouble.breaksOffWith !== undefined ? halfBytes : archive.sizeBytes;
    for (const chunk of archive.content()) {
      whole.update(chunk);
      const sent = chunk.subarray(0, endBytes - storedBytes);
      if (sent.length === 0) continue;
      stored.update(sent);
      storedBytes += sent.length;
      yield sent;
      if (trouble.breaksOffWith !== undefined && storedBytes === halfBytes)
        throw new Error('the upload breaks off here');
    }
  }
  if (trouble.pretends === true) {
    for (const chunk of archive.content()) whole.update(chunk);
    return { kind: 'uploaded', fingerprint: whole.digest('hex'), stored: undefined };
  }
  const outcome = await uploader.upload(key, Readable.from(wire()), signal, onProgress);
  switch (outcome.kind) {
    case 'aborted':
      return outcome;
    case 'stored': {
      const fingerprint = whole.digest('hex');
      return { kind: 'uploaded', fingerprint, stored: { sizeBytes: storedBytes, md5: stored.digest('hex') } };
    }
    case 'refused':
      return { kind: 'failed', result: resultCodes.logUploadRefused, code: outcome.code };
    case 'failed': {
      const result = trouble.breaksOffWith ?? resultCodes.logUploadBroken;
      return { kind: 'failed', result, code: trouble.breaksOffWith === undefined ? outcome.code : 'broke off' };
    }
  }
}
