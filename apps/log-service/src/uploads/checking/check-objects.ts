import { randomUUID } from 'node:crypto';
import { type StoredObject, headObjectsQuestion, listObjectsQuestion } from '@aerie/bus-contract';
import { type CheckedFile, type ContentHashes, type LogFile, judgeObject } from '@aerie/log-core';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';
import { type Advanced, advance } from '../advance-upload.js';
import { objectKeyOf } from '../dock/dock-commands.js';
import type { SeenFile } from '../store/files.js';
import { lockUpload, postponeLook } from '../store/upload-critical.js';
import type { LockedUpload } from '../store/upload.row.js';
import type { HashObject } from './hash-object.js';

/** An attempt writes two archives; legacy firmware may write each log by itself. */
const LIST_LIMIT = 100;

/** So long nobody looks again while an archive is read. */
const READING_MS = 60_000;

/** Words of a dock that overtake a look: an export says a few in its last seconds. */
const TURNS = 3;

interface Checked {
  readonly verdict: CheckedFile;
  readonly seen: SeenFile | null;
}

/** Looks into the storage for what a dock says, or should, have uploaded. The storage decides, never the dock's word. */
export class CheckObjects {
  /** Reading an archive may take longer than the next look waits: one look at a time. */
  private readonly looking = new Set<string>();

  constructor(
    private readonly parts: {
      readonly dataSource: DatabaseOf<'engine'>;
      readonly connection: NatsConnection;
      readonly hashObject: HashObject;
      readonly logger: Logger;
    },
  ) {}

  /** Null: the upload is gone, or somebody else looks. */
  async check(upload: LockedUpload): Promise<Advanced | null> {
    if (this.looking.has(upload.id)) return null;
    this.looking.add(upload.id);
    try {
      return await this.look(upload);
    } finally {
      this.looking.delete(upload.id);
    }
  }

  private async look(upload: LockedUpload): Promise<Advanced | null> {
    for (let turn = 0; ; turn++) {
      const looked = await this.lookOnce(upload);
      // The dock has said more meanwhile, such as another key: what was missing may be there.
      if (looked !== 'outdated') return looked;
      if (turn === TURNS) return null;
    }
  }

  private async lookOnce(upload: LockedUpload): Promise<Advanced | null | 'outdated'> {
    const { dataSource, logger } = this.parts;
    const { attempt } = upload;
    // What was told may have come after the decision that asked for this look.
    const now = await inTransaction(dataSource, (tx) => lockUpload(tx, upload.id));
    if (now?.state !== 'verifying' || now.attempt !== attempt) return null;
    let checked: readonly Checked[] | null = null;
    try {
      checked = now.prefix === null ? missing(now) : await this.lookFor(now, now.prefix);
    } catch (error) {
      logger.info({ err: error, uploadId: upload.id }, 'the storage does not say what is there, asking again');
    }
    return inTransaction(dataSource, async (tx) => {
      const locked = await lockUpload(tx, upload.id);
      if (locked === undefined) return null;
      if (checked === null) return advance(tx, locked, { type: 'checkFailed', attempt });
      const seen = checked.flatMap((file) => file.seen ?? []);
      const files = checked.map(({ verdict }) => verdict);
      const isSound = files.every(({ verdict }) => verdict === 'ok');
      if (!isSound && wordOf(locked) !== wordOf(now)) return 'outdated';
      return advance(tx, locked, { type: 'objectsChecked', attempt, files }, { seen });
    });
  }

  private async lookFor(upload: LockedUpload, prefix: string): Promise<readonly Checked[]> {
    const wanted = upload.files.filter(({ state }) => state === 'wanted');
    const keyOf = ({ told, module }: LogFile): string => told?.key ?? objectKeyOf(prefix, module);
    const { objects } = await ask(this.parts.connection, headObjectsQuestion, {
      organisationId: upload.organisation_id,
      objectKeys: wanted.map(keyOf),
    });
    const found = new Map(objects.map((object) => [object.objectKey, object]));
    const others = wanted.some((file) => !found.has(keyOf(file))) ? await this.listed(upload, prefix) : [];
    // What was found under its own key, or is to lie there, is no other module's.
    const taken = new Set(upload.files.map(({ module, told }) => told?.key ?? objectKeyOf(prefix, module)));
    // One that was found without a word of its dock may be the first of several, as long as the dock may export.
    const strays = upload.dock_may_export ? [] : others.filter(({ objectKey }) => !taken.has(objectKey));
    const checked: Checked[] = [];
    const used = new Set<string>();
    for (const file of wanted) {
      const object = found.get(keyOf(file)) ?? strayObjectOf(upload, file, prefix, strays);
      // A dock that names one key for both modules has written one over the other.
      const isThere = object !== undefined && !used.has(object.objectKey);
      const judged = isThere ? await this.judge(upload, file, object) : notThere(file);
      if (judged.seen !== null) used.add(judged.seen.objectKey);
      checked.push(judged);
    }
    return checked;
  }

  /** The other replicas need not read it, too; a dock that may still export is watched all the same. */
  private async read(upload: LockedUpload, object: StoredObject): Promise<ContentHashes> {
    const { dataSource, hashObject, logger } = this.parts;
    const putOff = (): void =>
      void inTransaction(dataSource, (tx) => postponeLook(tx, upload.id, READING_MS)).catch((error: unknown) =>
        logger.info({ err: error, uploadId: upload.id }, 'another replica may look, too'),
      );
    putOff();
    const timer = setInterval(putOff, READING_MS / 2);
    try {
      return await hashObject.hash(upload, object);
    } finally {
      clearInterval(timer);
    }
  }

  private async listed(upload: LockedUpload, prefix: string): Promise<readonly StoredObject[]> {
    const { organisation_id: organisationId } = upload;
    const { objects } = await ask(this.parts.connection, listObjectsQuestion, {
      organisationId,
      prefix,
      limit: LIST_LIMIT,
    });
    return objects;
  }

  private async judge(upload: LockedUpload, file: LogFile, object: StoredObject): Promise<Checked> {
    let hashes: ContentHashes | null = null;
    let judged = judgeObject(file, object, hashes);
    if (judged.verdict === 'unread') {
      hashes = await this.read(upload, object);
      judged = judgeObject(file, object, hashes);
    }
    const verdict = judged.verdict === 'ok' ? 'ok' : 'differs';
    const { module } = file;
    if (judged.verdict !== 'ok') return { verdict: { module, verdict }, seen: null };
    const { objectKey, sizeBytes, etag } = object;
    const seen: SeenFile = {
      ...{ id: randomUUID(), module, objectKey, sizeBytes, etag, proof: judged.proof },
      ...{ fingerprint: file.told?.fingerprint ?? null, sha256: hashes?.sha256 ?? null },
    };
    return { verdict: { module, verdict }, seen };
  }
}

const notThere = ({ module }: LogFile): Checked => ({ verdict: { module, verdict: 'missing' }, seen: null });

/** No keys were ever issued for the attempt, so nothing can be there. */
const missing = (upload: LockedUpload): readonly Checked[] =>
  upload.files.filter(({ state }) => state === 'wanted').map(notThere);

/** What the dock has said of its archives, and whether it still may say more. */
const wordOf = ({ files, dock_may_export }: LockedUpload): string => JSON.stringify([files, dock_may_export]);

/**
 * [Cloud API up to 1.3.2] Firmware that knows no `object_key` chooses keys below the prefix itself, with the serial
 * number of the device in them; when its last word was lost, that is how the object is found.
 */
function strayObjectOf(
  upload: LockedUpload,
  { module }: LogFile,
  prefix: string,
  strays: readonly StoredObject[],
): StoredObject | undefined {
  const deviceSn = (module === 'dock' ? upload.dock_sn : upload.aircraft_sn) ?? '\u0000';
  const own = strays.filter(({ objectKey }) => objectKey.slice(prefix.length).split('/').includes(deviceSn));
  return own.length === 1 ? own[0] : undefined;
}
