import { createHash } from 'node:crypto';
import { type StoredObject, presignDownloadQuestion } from '@aerie/bus-contract';
import { UnavailableError } from '@aerie/kernel';
import type { ContentHashes } from '@aerie/log-core';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { ReadObject } from '../../files/read-object.js';
import type { UploadRow } from '../store/upload.row.js';

/** Objects that are read at once: each takes a core for its hashes, and a part of the link to the storage. */
const CONCURRENCY = 2;
/** A storage that sends nothing for so long has stopped. */
const STALL_MS = 30_000;

/** Reads an object and tells the hashes of its content: the tag of what was uploaded in parts is no hash of it. */
export class HashObject {
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly connection: NatsConnection,
    private readonly readObject: ReadObject,
  ) {}

  /** Rejects when the object cannot be read whole. */
  async hash(upload: Pick<UploadRow, 'id' | 'organisation_id'>, object: StoredObject): Promise<ContentHashes> {
    if (this.running >= CONCURRENCY) await new Promise<void>((resolve) => this.queue.push(resolve));
    this.running++;
    try {
      return await this.read(upload, object);
    } finally {
      this.running--;
      this.queue.shift()?.();
    }
  }

  private async read(upload: Pick<UploadRow, 'id' | 'organisation_id'>, object: StoredObject): Promise<ContentHashes> {
    const { url } = await ask(this.connection, presignDownloadQuestion, {
      organisationId: upload.organisation_id,
      objectKey: object.objectKey,
      lifetimeSeconds: 600,
      reachableBy: 'service',
      askedBy: 'log-service',
      reason: `verify logs of upload ${upload.id}`,
    });
    const stalled = new AbortController();
    const timer = setTimeout(() => stalled.abort(), STALL_MS);
    const [md5, sha256] = [createHash('md5'), createHash('sha256')];
    let sizeBytes = 0;
    try {
      const content = await this.readObject.open(url, 'an object', stalled.signal);
      for await (const chunk of content as AsyncIterable<Uint8Array>) {
        timer.refresh();
        sizeBytes += chunk.byteLength;
        md5.update(chunk);
        sha256.update(chunk);
      }
    } finally {
      clearTimeout(timer);
    }
    if (sizeBytes !== object.sizeBytes)
      throw new UnavailableError('object_changed', 'an object changed while it was read');
    return { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
  }
}
