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
import type { Agents } from '../../storages/outbound.js';
import type { Storage } from '../../storages/storage.js';
import { ObjectDoor, type StoredObject } from '../storage.provider.js';

const TIMEOUT_MS = 15_000;

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
      requestHandler: { ...agents, connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS },
      // As docks do.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  override async put(Key: string, Body: Buffer): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body }));
  }

  override async putInParts(Key: string, parts: readonly Buffer[]): Promise<void> {
    const object = { Bucket: this.bucket, Key };
    const { UploadId } = await this.client.send(new CreateMultipartUploadCommand(object));
    try {
      const Parts = [];
      for (const [index, Body] of parts.entries()) {
        const PartNumber = index + 1;
        const { ETag } = await this.client.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
        Parts.push({ PartNumber, ETag });
      }
      await this.client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
    } catch (error) {
      // Its parts would be paid for until somebody clears them away.
      await this.client.send(new AbortMultipartUploadCommand({ ...object, UploadId })).catch(() => undefined);
      throw error;
    }
  }

  override async head(Key: string): Promise<StoredObject> {
    const { ContentLength = 0, ETag = '' } = await this.client.send(
      new HeadObjectCommand({ Bucket: this.bucket, Key }),
    );
    return { sizeBytes: ContentLength, etag: ETag.replaceAll('"', '') };
  }

  override async get(Key: string): Promise<Buffer> {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  override async list(Prefix: string): Promise<readonly string[]> {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix }));
    return Contents.flatMap(({ Key }) => Key ?? []);
  }

  override async delete(Key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }));
  }

  override async bucketRegion(): Promise<string | null> {
    const { BucketRegion } = await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }));
    return BucketRegion ?? null;
  }

  override stop(): void {
    // The agents are the provider's.
  }
}
