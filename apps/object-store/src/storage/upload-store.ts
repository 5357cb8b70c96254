import { randomBytes, randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@aerie/kernel';
import { type Description, type ObjectRecord, readRecordAt, writeObject } from './object-file.js';
import type { DiskStore } from './disk-store.js';
import { syncDirectory } from './sync-directory.js';

export interface Upload extends Description {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiatedAt: string;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedAt: string;
}

interface Entry {
  readonly upload: Upload;
  readonly parts: Map<number, Part>;
  /** While it is put together nothing about it may change. */
  completing?: Promise<ObjectRecord>;
}

/** There are as many uploads as may be. */
export class TooManyUploadsError extends Error {}
/** The upload is being put together just now. */
export class UploadBusyError extends Error {}
/** The upload has ended meanwhile. */
export class UploadGoneError extends Error {}

const MAX_OPEN_UPLOADS = 1_000;
/** An upload that nobody has completed by then was given up. */
const MAX_AGE_MS = 24 * 3_600_000;
const STATEMENT = 'upload.json';
/** Of one read while parts are put together. */
const READ_BYTES = 1024 * 1024;

/**
 * Uploads in parts: a directory each, with a file for each part. The object comes to be in one rename at the end, out of
 * one file into which the parts were copied, so a crash leaves the parts or the object.
 *
 * INVARIANTS: a directory of an upload comes and goes by one rename. A part under its number is complete.
 */
export class UploadStore {
  private readonly entries = new Map<string, Entry>();

  private constructor(
    private readonly directory: string,
    private readonly objects: DiskStore,
    private readonly clock: Clock,
  ) {}

  static async open(directory: string, objects: DiskStore, clock: Clock): Promise<UploadStore> {
    const store = new UploadStore(join(directory, 'uploads'), objects, clock);
    await mkdir(store.directory, { recursive: true, mode: 0o700 });
    for (const id of await readdir(store.directory)) await store.load(id);
    await store.sweep();
    return store;
  }

  async create(wanted: Pick<Upload, 'bucket' | 'key' | keyof Description>): Promise<Upload> {
    if (this.entries.size >= MAX_OPEN_UPLOADS) throw new TooManyUploadsError();
    const id = randomBytes(24).toString('hex');
    const upload = { id, ...wanted, initiatedAt: new Date(this.clock.nowMs()).toISOString() };
    const entry = { upload, parts: new Map<number, Part>() };
    this.entries.set(id, entry);
    const temporary = join(this.objects.incoming, randomUUID());
    try {
      await mkdir(temporary, { mode: 0o700 });
      await writeFile(join(temporary, STATEMENT), JSON.stringify(upload), { mode: 0o600, flush: true });
      await syncDirectory(temporary);
      await rename(temporary, this.folderOf(id));
      await syncDirectory(this.directory);
    } catch (error) {
      this.entries.delete(id);
      throw error;
    }
    return upload;
  }

  /** Null: there is no such upload of this key. */
  find(bucket: string, key: string, id: string): Upload | null {
    return this.entryOf(bucket, key, id)?.upload ?? null;
  }

  /** Uploads in the order of their keys, then of their age. */
  list(bucket: string, prefix: string): readonly Upload[] {
    const uploads = [...this.entries.values()].map(({ upload }) => upload);
    return uploads
      .filter((upload) => upload.bucket === bucket && upload.key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
  }

  partsOf({ id }: Upload): readonly Part[] {
    return [...(this.entries.get(id)?.parts.values() ?? [])].sort((a, b) => a.number - b.number);
  }

  /** Stores a part, or replaces it; an error of `content` leaves no trace. */
  async putPart({ id }: Upload, number: number, content: AsyncIterable<Buffer>): Promise<Part> {
    const temporary = join(this.objects.incoming, randomUUID());
    const file = await open(temporary, 'wx', 0o600);
    try {
      let part: Part;
      try {
        part = partOf(await writeObject(file, String(number), content, { contentType: '' }));
        await file.sync();
      } finally {
        await file.close();
      }
      const entry = this.entries.get(id);
      if (entry === undefined) throw new UploadGoneError();
      if (entry.completing !== undefined) throw new UploadBusyError();
      // In one turn of the event loop, so that memory and disk agree on which part came last.
      renameSync(temporary, this.partPath(id, number));
      entry.parts.set(number, part);
      await syncDirectory(this.folderOf(id)).catch((error: unknown) => {
        throw this.entries.has(id) ? error : new UploadGoneError();
      });
      return part;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Makes the object of these parts. Several at a time get the same answer. */
  async complete(
    { id, bucket, key, contentType, metadata = {} }: Upload,
    parts: readonly Part[],
    options: { readonly etag: string; readonly onlyIfAbsent: boolean },
  ): Promise<ObjectRecord> {
    const entry = this.entries.get(id);
    if (entry === undefined) throw new UploadGoneError();
    if (entry.completing !== undefined) return entry.completing;
    const { etag, onlyIfAbsent } = options;
    const completes = { uploadId: id, etag };
    entry.completing = this.objects.put(bucket, key, this.contentOf(id, parts), {
      contentType,
      metadata,
      onlyIfAbsent,
      completes,
    });
    try {
      const record = await entry.completing;
      this.entries.delete(id);
      await this.remove(id);
      return record;
    } catch (error) {
      delete entry.completing;
      throw error;
    }
  }

  async abort({ id }: Upload): Promise<void> {
    const entry = this.entries.get(id);
    if (entry?.completing !== undefined) throw new UploadBusyError();
    if (this.entries.delete(id)) await this.remove(id);
  }

  /** Clears away what was given up. */
  async sweep(): Promise<number> {
    const oldest = this.clock.nowMs() - MAX_AGE_MS;
    const old = [...this.entries.values()].filter(
      ({ upload, completing }) => Date.parse(upload.initiatedAt) < oldest && completing === undefined,
    );
    for (const { upload } of old) await this.abort(upload);
    return old.length;
  }

  private async load(id: string): Promise<void> {
    const upload = JSON.parse(await readFile(join(this.folderOf(id), STATEMENT), 'utf8')) as Upload;
    // Of a bucket that is not configured now, as its objects: it waits until the bucket is back.
    if (!this.objects.hasBucket(upload.bucket)) return;
    // The object came to be, and the process died before it could clear away its parts.
    if (this.objects.find(upload.bucket, upload.key)?.uploadId === id) return this.remove(id);
    const parts = new Map<number, Part>();
    for (const name of await readdir(this.folderOf(id))) {
      if (!name.endsWith('.part')) continue;
      const part = partOf(await readRecordAt(join(this.folderOf(id), name)));
      parts.set(part.number, part);
    }
    this.entries.set(id, { upload, parts });
  }

  private async *contentOf(id: string, parts: readonly Part[]): AsyncGenerator<Buffer> {
    for (const { number, sizeBytes } of parts) {
      if (sizeBytes === 0) continue;
      const file = await open(this.partPath(id, number), 'r');
      const buffer = Buffer.allocUnsafe(READ_BYTES);
      try {
        for (let at = 0; at < sizeBytes;) {
          const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, sizeBytes - at), at);
          if (bytesRead === 0) throw new Error('failed to read a part: it is cut off');
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    }
  }

  /** In one step out of sight; what a crash leaves of it is cleared away at the next start. */
  private async remove(id: string): Promise<void> {
    const temporary = join(this.objects.incoming, randomUUID());
    await rename(this.folderOf(id), temporary);
    await syncDirectory(this.directory);
    await rm(temporary, { recursive: true, force: true });
  }

  private entryOf(bucket: string, key: string, id: string): Entry | undefined {
    const entry = this.entries.get(id);
    return entry?.upload.bucket === bucket && entry.upload.key === key ? entry : undefined;
  }

  private folderOf(id: string): string {
    return join(this.directory, id);
  }

  private partPath(id: string, number: number): string {
    return join(this.folderOf(id), `${number}.part`);
  }
}

const partOf = ({ key, etag, sizeBytes, modifiedAt }: ObjectRecord): Part => {
  return { number: Number(key), etag, sizeBytes, modifiedAt };
};

const sortKey = ({ key, initiatedAt }: Upload): Buffer => Buffer.from(`${key}\0${initiatedAt}`);
