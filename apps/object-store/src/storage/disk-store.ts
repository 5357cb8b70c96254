import { randomUUID } from 'node:crypto';
import { linkSync, renameSync, unlinkSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Completion,
  type Description,
  type ObjectRecord,
  type OpenObject,
  readRecord,
  readRecordAt,
  writeObject,
} from './object-file.js';
import { fileNameOf, isBucketName } from './object-key.js';
import { syncDirectory } from './sync-directory.js';

/** There is an object already, and the caller wanted none. */
export class ObjectExistsError extends Error {}

/**
 * Objects as files, each with its record at its end. One file, one rename: content and record cannot be out of step,
 * whenever the process dies.
 *
 * INVARIANTS: under its final name a file is complete and on disk. One process owns the directory; what it holds is
 * in memory too, for lists.
 */
export class DiskStore {
  private constructor(
    private readonly directory: string,
    private readonly buckets: ReadonlyMap<string, Map<string, ObjectRecord>>,
  ) {}

  /** Creates missing buckets, reads what there is, and clears away what an earlier process did not finish. */
  static async open(directory: string, bucketNames: readonly string[]): Promise<DiskStore> {
    const buckets = new Map<string, Map<string, ObjectRecord>>();
    const store = new DiskStore(directory, buckets);
    await rm(store.incoming, { recursive: true, force: true });
    await mkdir(store.incoming, { recursive: true, mode: 0o700 });
    for (const bucket of bucketNames) {
      if (!isBucketName(bucket)) throw new Error(`${JSON.stringify(bucket)} is no bucket name`);
      await mkdir(store.folderOf(bucket), { recursive: true, mode: 0o700 });
      buckets.set(bucket, await store.readAll(bucket));
    }
    return store;
  }

  hasBucket(bucket: string): boolean {
    return this.buckets.has(bucket);
  }

  /** Stores an object or nothing at all. An error of `content` leaves no trace. */
  async put(
    bucket: string,
    key: string,
    content: AsyncIterable<Buffer>,
    options: Description & { readonly onlyIfAbsent: boolean; readonly completes?: Completion },
  ): Promise<ObjectRecord> {
    const objects = this.objectsOf(bucket);
    if (options.onlyIfAbsent && objects.has(key)) throw new ObjectExistsError();
    const temporary = join(this.incoming, randomUUID());
    const file = await open(temporary, 'wx', 0o600);
    try {
      let record: ObjectRecord;
      try {
        record = await writeObject(file, key, content, options);
        await file.sync();
      } finally {
        await file.close();
      }
      const target = join(this.folderOf(bucket), fileNameOf(key));
      // In one turn of the event loop, so that memory and disk agree on who came last.
      commit(temporary, target, options.onlyIfAbsent);
      objects.set(key, record);
      await syncDirectory(this.folderOf(bucket));
      return record;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async open(bucket: string, key: string): Promise<OpenObject | null> {
    if (!this.objectsOf(bucket).has(key)) return null;
    const file = await openOrNull(join(this.folderOf(bucket), fileNameOf(key)));
    if (file === null) return null;
    try {
      // Of this very file: the object may have been replaced a moment ago.
      return { ...(await readRecord(file)), file };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  find(bucket: string, key: string): ObjectRecord | null {
    return this.objectsOf(bucket).get(key) ?? null;
  }

  async delete(bucket: string, key: string): Promise<void> {
    if (!this.objectsOf(bucket).delete(key)) return;
    await unlink(join(this.folderOf(bucket), fileNameOf(key))).catch(ignoreMissing);
    await syncDirectory(this.folderOf(bucket));
  }

  /** Objects in the order of their keys' bytes, after `after`, one more than `limit` where there are more. */
  list(bucket: string, prefix: string, after: string, limit: number): readonly ObjectRecord[] {
    const matching = [...this.objectsOf(bucket).values()].filter(
      ({ key }) => key.startsWith(prefix) && compareBytes(key, after) > 0,
    );
    return matching.sort((a, b) => compareBytes(a.key, b.key)).slice(0, limit + 1);
  }

  private async readAll(bucket: string): Promise<Map<string, ObjectRecord>> {
    const objects = new Map<string, ObjectRecord>();
    for (const name of await readdir(this.folderOf(bucket))) {
      if (!name.endsWith('.object')) continue;
      const record = await readRecordAt(join(this.folderOf(bucket), name));
      objects.set(record.key, record);
    }
    return objects;
  }

  private objectsOf(bucket: string): Map<string, ObjectRecord> {
    const objects = this.buckets.get(bucket);
    if (objects === undefined) throw new Error(`no bucket ${JSON.stringify(bucket)}`);
    return objects;
  }

  private folderOf(bucket: string): string {
    return join(this.directory, 'buckets', bucket);
  }

  /** On the same file system as the buckets, or a rename would not be one step. */
  get incoming(): string {
    return join(this.directory, 'incoming');
  }
}

function commit(temporary: string, target: string, onlyIfAbsent: boolean): void {
  if (!onlyIfAbsent) return renameSync(temporary, target);
  try {
    // Unlike a rename, a link fails where there is a file already, also one of a request that came between.
    linkSync(temporary, target);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? new ObjectExistsError() : error;
  }
  unlinkSync(temporary);
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    ignoreMissing(error);
    return null;
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
