import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Agents } from '@aerie/outbound';
import type { Storage } from '../../storages/storage.js';
import { type ListedObject, ObjectDoor, type StoredObject } from '../storage.provider.js';

const TIMEOUT_MS = 15_000;
/** What the doctor has written itself is smaller; a storage may answer with anything. */
const MAX_READ_BYTES = 1024 * 1024;
const MAX_LISTED = 10;

/** The SDK would only warn of a request that takes longer, and wait on. */
export const NO_LONGER_THAN = (timeoutMs: number) => ({
  ...{ requestTimeout: timeoutMs, socketTimeout: timeoutMs, throwOnRequestTimeout: true },
});

export interface S3DoorOptions {
  readonly endpoint: string;
  readonly pathStyle: boolean;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly agents: Agents;
}

/** Objects of a storage that speaks S3, one attempt for each call: who looks for faults wants to see the first one. */
export class S3Door extends ObjectDoor {
  private readonly client: S3Client;
  private readonly bucket: string;

  constructor({ bucket, region }: Storage, { endpoint, pathStyle, credentials, agents }: S3DoorOptions) {
    super();
    this.bucket = bucket;
    this.client = new S3Client({
      endpoint,
      region,
      forcePathStyle: pathStyle,
      credentials: { ...credentials },
      maxAttempts: 1,
      requestHandler: { ...agents, connectionTimeout: TIMEOUT_MS, ...NO_LONGER_THAN(TIMEOUT_MS) },
      // As docks do.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  override async put(Key: string, Body: Buffer): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body }), within());
  }

  override async putInParts(Key: string, parts: readonly Buffer[]): Promise<void> {
    const object = { Bucket: this.bucket, Key };
    const { UploadId } = await this.client.send(new CreateMultipartUploadCommand(object), within());
    try {
      const Parts = [];
      for (const [index, Body] of parts.entries()) {
        const PartNumber = index + 1;
        const part = new UploadPartCommand({ ...object, UploadId, PartNumber, Body });
        const { ETag } = await this.client.send(part, within());
        Parts.push({ PartNumber, ETag });
      }
      const complete = new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } });
      await this.client.send(complete, within());
    } catch (error) {
      // Its parts would be paid for until somebody clears them away.
      await this.client.send(new AbortMultipartUploadCommand({ ...object, UploadId }), within()).catch(() => undefined);
      throw error;
    }
  }

  override async head(Key: string): Promise<StoredObject> {
    const { ContentLength = 0, ETag = '' } = await this.client.send(
      new HeadObjectCommand({ Bucket: this.bucket, Key }),
      within(),
    );
    return { sizeBytes: ContentLength, etag: ETag.replaceAll('"', '') };
  }

  override async get(Key: string): Promise<Buffer> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key });
    const { Body, ContentLength = 0 } = await this.client.send(command, within());
    if (ContentLength > MAX_READ_BYTES) throw new Error('the storage answers with more than was stored');
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  override async list(Prefix: string): Promise<readonly string[]> {
    const { Contents = [] } = await this.client.send(
      new ListObjectsV2Command({ Bucket: this.bucket, Prefix, MaxKeys: MAX_LISTED }),
      within(),
    );
    return Contents.flatMap(({ Key }) => Key ?? []);
  }

  override async listObjects(Prefix: string, limit: number): Promise<readonly ListedObject[]> {
    const { Contents = [] } = await this.client.send(
      new ListObjectsV2Command({ Bucket: this.bucket, Prefix, MaxKeys: limit }),
      within(),
    );
    return Contents.flatMap(({ Key, Size = 0, ETag = '' }) =>
      Key === undefined ? [] : [{ key: Key, sizeBytes: Size, etag: ETag.replaceAll('"', '') }],
    );
  }

  override async delete(Key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }), within());
  }

  override async bucketRegion(): Promise<string | null> {
    const { BucketRegion } = await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), within());
    return BucketRegion ?? null;
  }

  override stop(): void {
    // The agents are the provider's.
  }
}

const within = () => ({ abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
