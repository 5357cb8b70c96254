import { Agent } from 'node:https';
import { PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { UnavailableError } from '@aerie/kernel';

/** Where the bytes of waylines lie. An object is written once and never changed: its name is its hash. */
export abstract class ObjectStorage {
  /** Resolves once the storage holds the bytes under this key. Safe to repeat. */
  abstract put(key: string, bytes: Buffer, contentType: string): Promise<void>;
}

export interface S3Options {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** That sign its certificate, as PEM; those of Node where there are none. */
  readonly authorities?: readonly string[] | undefined;
}

const PRECONDITION_FAILED = 412;

export class S3Storage extends ObjectStorage {
  private readonly client: S3Client;

  constructor(private readonly options: S3Options) {
    super();
    const { endpoint, region, accessKeyId, secretAccessKey, authorities } = options;
    const trust = authorities === undefined ? {} : { httpsAgent: new Agent({ keepAlive: true, ca: [...authorities] }) };
    this.client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      maxAttempts: 3,
      credentials: { accessKeyId, secretAccessKey },
      requestHandler: { ...trust, connectionTimeout: 2_000, requestTimeout: 15_000 },
    });
  }

  override async put(key: string, bytes: Buffer, contentType: string): Promise<void> {
    try {
      await this.client.send(
        new PutObjectCommand({
          Bucket: this.options.bucket,
          Key: key,
          Body: bytes,
          ContentType: contentType,
          // What is there already has the same hash, so it is the same file.
          IfNoneMatch: '*',
        }),
      );
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === PRECONDITION_FAILED) return;
      throw new UnavailableError('storage_unavailable', 'failed to store the file, try again', { cause: error });
    }
  }

  async stop(): Promise<void> {
    this.client.destroy();
  }
}
