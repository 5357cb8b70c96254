import OSS from 'ali-oss';
import { type ListedObject, ObjectDoor, type StoredObject } from '../storage.provider.js';

const MAX_LISTED = 10;
/** What the doctor has written itself is smaller. */
const MAX_READ_BYTES = 1024 * 1024;

/** Objects of Alibaba Cloud OSS, by its official SDK. Never run against the service itself. */
export class OssDoor extends ObjectDoor {
  private readonly client: OSS;
  private readonly bucket: string;

  constructor(options: OSS.Options) {
    super();
    this.client = new OSS(options);
    this.bucket = options.bucket ?? '';
  }

  override async put(key: string, body: Buffer): Promise<void> {
    await this.client.put(key, body);
  }

  override async putInParts(key: string, parts: readonly Buffer[]): Promise<void> {
    const { uploadId } = await this.client.initMultipartUpload(key);
    try {
      const done: { readonly number: number; readonly etag: string }[] = [];
      for (const [index, part] of parts.entries()) {
        const { etag } = await this.client.uploadPart(key, uploadId, index + 1, part, 0, part.length);
        done.push({ number: index + 1, etag });
      }
      await this.client.completeMultipartUpload(key, uploadId, done);
    } catch (error) {
      await this.client.abortMultipartUpload(key, uploadId).catch(() => undefined);
      throw error;
    }
  }

  override async head(key: string): Promise<StoredObject> {
    const answered = await this.client.head(key);
    const { headers } = answered.res as { headers: Readonly<Record<'content-length' | 'etag', string | undefined>> };
    return { sizeBytes: Number(headers['content-length']), etag: (headers.etag ?? '').replaceAll('"', '') };
  }

  override async get(key: string): Promise<Buffer> {
    const answered = await this.client.getStream(key);
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of answered.stream as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > MAX_READ_BYTES) throw new Error('the storage answers with more than was stored');
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  override async list(prefix: string): Promise<readonly string[]> {
    const { objects = [] } = await this.client.listV2({ prefix, 'max-keys': MAX_LISTED }, {});
    return objects.map(({ name }) => name);
  }

  override async listObjects(prefix: string, limit: number): Promise<readonly ListedObject[]> {
    const { objects = [] } = await this.client.listV2({ prefix, 'max-keys': limit }, {});
    return objects.map(({ name, size, etag }) => ({ key: name, sizeBytes: size, etag: etag.replaceAll('"', '') }));
  }

  override async delete(key: string): Promise<void> {
    await this.client.delete(key);
  }

  override async bucketRegion(): Promise<string | null> {
    const { location } = (await this.client.getBucketLocation(this.bucket)) as { readonly location?: string };
    return location ?? null;
  }

  override stop(): void {
    // The SDK keeps nothing open but the agents, which are the provider's.
  }
}
