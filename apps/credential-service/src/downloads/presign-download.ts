import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock, Secret } from '@aerie/kernel';
import { checkObjectKey } from './object-key.js';

export interface Storage {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly forcePathStyle: boolean;
}

export interface DownloadAsk {
  readonly organisationId: string;
  readonly objectKey: string;
  readonly lifetimeSeconds: number;
}

export interface Download {
  /** A bearer secret: whoever has it can read the object. Never logged, never stored. */
  readonly url: string;
  readonly expiresAtMs: number;
}

/** Makes URLs with which one object can be read for a short time. Pure computation: the storage is not asked. */
export class PresignDownload {
  private readonly client: S3Client;

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
  ) {
    const { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = storage;
    this.client = new S3Client({
      endpoint,
      region,
      forcePathStyle,
      credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
      // Else a GET, too, gets the checksum of an empty body into its URL.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      // Docks check the fingerprint by themselves, and some storages refuse parameters that they do not know.
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  /** @throws InvalidError when the object is not the organisation's. */
  async presign({ organisationId, objectKey, lifetimeSeconds }: DownloadAsk): Promise<Download> {
    checkObjectKey(objectKey, organisationId);
    // A signature has whole seconds; rounded down, the URL never lives longer than we say.
    const signedAtMs = Math.floor(this.clock.nowMs() / 1_000) * 1_000;
    const url = await getSignedUrl(this.client, new GetObjectCommand({ Bucket: this.storage.bucket, Key: objectKey }), {
      expiresIn: lifetimeSeconds,
      signingDate: new Date(signedAtMs),
    });
    return { url, expiresAtMs: signedAtMs + lifetimeSeconds * 1_000 };
  }
}
