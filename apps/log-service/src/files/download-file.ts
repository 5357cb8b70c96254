import { type Principal, callerName, presignDownloadQuestion } from '@aerie/bus-contract';
import { ConflictError } from '@aerie/kernel';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { FileRow } from './file.read-model.js';

/** Long enough for a person to click, and for a large archive to begin. */
const LIFETIME_SECONDS = 900;

export interface Download {
  readonly url: string;
  readonly expiresAtMs: number;
  readonly saveAs: string;
}

/** Addresses with which archives are downloaded, each in the ledger of who asked for it. */
export class DownloadFile {
  constructor(private readonly connection: NatsConnection) {}

  /** For a browser: it saves the archive under a name that tells what it is. */
  async forCaller(caller: Principal, file: FileRow): Promise<Download> {
    mustBeThere(file, 'id');
    return this.presign(file, 'dock', callerName(caller), 'download of logs');
  }

  /** For ourselves, at the address that services use. */
  forBundle(caller: Principal, file: FileRow): Promise<Download> {
    return this.presign(file, 'service', callerName(caller), 'bundle of logs');
  }

  private async presign(file: FileRow, reachableBy: 'dock' | 'service', by: string, what: string): Promise<Download> {
    const saveAs = nameOf(file);
    const { url, expiresAtMs } = await ask(this.connection, presignDownloadQuestion, {
      ...{ organisationId: file.organisation_id, objectKey: file.object_key, lifetimeSeconds: LIFETIME_SECONDS },
      ...{ saveAs, reachableBy, dockSn: file.dock_sn, askedBy: 'log-service', reason: `${what} for ${by}` },
    });
    return { url, expiresAtMs, saveAs };
  }
}

/** @throws ConflictError naming `field` when its content was deleted */
export function mustBeThere({ id, deleted_at }: FileRow, field: string): void {
  if (deleted_at === null) return;
  const message = `the content of ${id} was deleted at ${deleted_at.toISOString()}, as the retention policy says`;
  throw new ConflictError('file_deleted', message, { fields: [{ field, message }] });
}

/** `DOCK1-dock-12-20270501.tar`: dock, module, newest power cycle and the day on which it was stored. */
export function nameOf(file: FileRow): string {
  const ending = file.object_key.split('.').at(-1) ?? 'tar';
  const boot = Math.max(...file.boot_indexes, 0);
  const day = file.stored_at.toISOString().slice(0, 10).replaceAll('-', '');
  return `${file.dock_sn}-${file.module}-${boot}-${day}.${/^[a-z0-9]{1,8}$/i.test(ending) ? ending : 'tar'}`;
}
