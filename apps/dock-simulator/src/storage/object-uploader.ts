import type { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { objectOf, numberOf, textOf } from '../wire.js';
import type { StorageAccess } from './storage-access.js';

export type UploadOutcome =
  | { readonly kind: 'stored'; readonly etag: string }
  /** The storage understood and said no: not with these keys, or not under this key. */
  | { readonly kind: 'refused'; readonly code: string }
  /** The connection broke, or the storage is in trouble itself. */
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'aborted' };

const CONNECT_WITHIN_MS = 10_000;
/** So long a connection may carry nothing. */
const SILENCE_MS = 60_000;

/** The storages whose language is S3. Alibaba's `ali` is none of them here. */
const spokenProviders: readonly string[] = ['aws', 'minio'];

export function isSpoken(provider: string): boolean {
  return spokenProviders.includes(provider);
}

/** Puts objects into a storage with one set of keys, as the SDK inside a dock does. To be closed after use. */
export class ObjectUploader {
  private readonly client: S3Client;

  constructor(private readonly access: StorageAccess) {
    const { provider, endpoint, region, accessKeyId, secretAccessKey, securityToken } = access;
    this.client = new S3Client({
      endpoint,
      region,
      // Its buckets have no host names of their own.
      forcePathStyle: provider === 'minio',
      credentials: { accessKeyId, secretAccessKey, ...(securityToken === '' ? {} : { sessionToken: securityToken }) },
      // Whoever uploads decides what is tried again, and with which keys.
      maxAttempts: 1,
      // Firmware is older than the checksums that this SDK sends by itself.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_WITHIN_MS, socketTimeout: SILENCE_MS },
    });
  }

  /**
   * Uploads one object, a large one in parts. Never rejects. The signal ends it at once, and then parts stay behind in
   * the storage, as when the power fails.
   */
  async upload(
    key: string,
    body: Buffer | Readable,
    signal: AbortSignal,
    onProgress?: (loadedBytes: number) => void,
  ): Promise<UploadOutcome> {
    if (signal.aborted) return { kind: 'aborted' };
    const params = { Bucket: this.access.bucket, Key: key, Body: body };
    const upload = new Upload({ client: this.client, params, leavePartsOnError: true });
    if (onProgress) upload.on('httpUploadProgress', ({ loaded = 0 }) => onProgress(loaded));
    const abort = (): void => void upload.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const { ETag = '' } = await upload.done();
      return { kind: 'stored', etag: ETag.replaceAll('"', '') };
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      await this.discardParts(key, upload.uploadId);
      return outcomeOf(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Cuts what is under way. */
  close(): void {
    this.client.destroy();
  }

  private async discardParts(key: string, uploadId: string | undefined): Promise<void> {
    if (uploadId === undefined) return;
    const parts = { Bucket: this.access.bucket, Key: key, UploadId: uploadId };
    // With keys that are over this fails too, and the storage clears the parts away one day.
    await this.client.send(new AbortMultipartUploadCommand(parts)).catch(() => undefined);
  }
}

function outcomeOf(error: unknown): UploadOutcome {
  const { code, name, $metadata } = objectOf(error);
  const status = numberOf(objectOf($metadata)['httpStatusCode']) ?? 0;
  if (status >= 400 && status < 500) return { kind: 'refused', code: textOf(name) };
  return { kind: 'failed', code: textOf(code) || textOf(name) || 'unknown' };
}
