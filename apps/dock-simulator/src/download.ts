import { createHash } from 'node:crypto';
import { resultCodes } from './result-codes.js';
import { readRoute, type Route, RouteError } from './route.js';

export interface RouteFile {
  readonly url: string;
  /** MD5 of the whole KMZ in hex. */
  readonly fingerprint: string;
}

interface Limits {
  readonly downloadTimeoutMs: number;
  readonly downloadBytesMax: number;
}

/** Fetches, checks and reads a route. Fails with a `RouteError` that holds the code a dock answers. */
export async function fetchRoute(file: RouteFile, limits: Limits): Promise<Route> {
  const kmz = await download(file.url, limits);
  const md5 = createHash('md5').update(kmz).digest('hex');
  if (md5 !== file.fingerprint.toLowerCase()) {
    throw new RouteError(resultCodes.checksumMismatch, `the MD5 of the KMZ is ${md5}`);
  }
  return readRoute(kmz);
}

async function download(url: string, limits: Limits): Promise<Buffer> {
  try {
    const signal = AbortSignal.timeout(limits.downloadTimeoutMs);
    // A kept connection that its server closes just as it is used again says nothing about the file: once more.
    const response = await fetch(url, { signal }).catch(() => fetch(url, { signal }));
    if (!response.ok || !response.body) throw new Error(`the storage answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > limits.downloadBytesMax) throw new Error(`more than ${limits.downloadBytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw new RouteError(resultCodes.downloadFailed, 'failed to download the KMZ', error);
  }
}
