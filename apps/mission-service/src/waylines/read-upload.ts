import type { Readable } from 'node:stream';
import { InvalidError, TooLargeError } from '@aerie/kernel';
import busboy from 'busboy';
import type { Request } from 'express';

/** Routes are small; the largest that the vendor's tools make stay below this. */
export const MAX_KMZ_BYTES = 10 * 1024 * 1024;
/** A client that stops sending is not waited for. */
const UPLOAD_TIMEOUT_MS = 60_000;

export interface Upload {
  readonly bytes: Buffer;
  /** As the client called it; null where it gave no name. */
  readonly fileName: string | null;
}

/** Reads the KMZ of a request: the raw body, or the first file of a multipart form. Never keeps more than the limit. */
export async function readUpload(request: Request): Promise<Upload> {
  const timer = setTimeout(() => request.destroy(new Error('the upload took too long')), UPLOAD_TIMEOUT_MS);
  try {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (request.is('multipart/form-data') === 'multipart/form-data') return await readMultipart(request);
    if (declared > MAX_KMZ_BYTES) throw tooLarge();
    return { bytes: await collect(request), fileName: null };
  } finally {
    clearTimeout(timer);
  }
}

function readMultipart(request: Request): Promise<Upload> {
  return new Promise((resolve, reject) => {
    let found: Promise<Upload> | undefined;
    const form = formOf(request);
    form.on('file', (_field, stream, { filename }) => {
      const upload = collect(stream).then((bytes): Upload => ({
        bytes,
        fileName: filename === '' ? null : (filename ?? null),
      }));
      upload.catch(reject);
      found = upload;
    });
    form.on('error', (error) => reject(invalid('the multipart form cannot be read', error)));
    form.on('close', () => {
      if (found === undefined) reject(invalid('the multipart form holds no file'));
      else found.then(resolve, reject);
    });
    request.pipe(form);
  });
}

/** It throws at a type without the boundary of the parts. */
function formOf(request: Request): busboy.Busboy {
  try {
    return busboy({ headers: request.headers, limits: { files: 1, fileSize: MAX_KMZ_BYTES + 1, fields: 10 } });
  } catch (error) {
    throw invalid('the multipart form cannot be read: its Content-Type needs a boundary', error);
  }
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const part = chunk as Buffer;
    size += part.byteLength;
    if (size > MAX_KMZ_BYTES) throw tooLarge();
    chunks.push(part);
  }
  if (size === 0) throw invalid('is empty');
  return Buffer.concat(chunks, size);
}

function tooLarge(): TooLargeError {
  const message = `may have ${MAX_KMZ_BYTES} bytes at most`;
  return new TooLargeError('kmz_too_large', 'the file is too large', { fields: [{ field: 'file', message }] });
}

const invalid = (message: string, cause?: unknown): InvalidError =>
  new InvalidError('invalid_kmz', 'the upload cannot be used', { fields: [{ field: 'file', message }], cause });
