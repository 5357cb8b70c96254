import type { DockContext } from '../context.js';
import type { Inquiries } from '../inquiries.js';
import { numberOf, objectOf, textOf } from '../wire.js';
import { readStorageAccess, type StorageAccess } from './storage-access.js';

/** Where media go. */
export interface MediaStorage {
  readonly access: StorageAccess;
  /** Without a slash at its end. */
  readonly prefix: string;
}

/** [Cloud API, storage_config_get] media is the only module there is. */
const MODULE_MEDIA = 0;
const METHOD = 'storage_config_get';

/**
 * The storage of a dock's media, as the cloud told it.
 *
 * INVARIANTS: the prefix of the first answer stays until a reboot, whatever later answers say [seen on real docks];
 * keys whose life is over are not given out.
 */
export class StorageKeys {
  private prefix: string | undefined;
  private access: StorageAccess | undefined;
  private endsAtMs = 0;

  constructor(
    private readonly context: DockContext,
    private readonly inquiries: Inquiries,
  ) {}

  /** Undefined when the cloud refuses, says nothing, or says nothing that can be used. */
  async current(): Promise<MediaStorage | undefined> {
    if (this.access === undefined || this.context.clock.nowMs() >= this.endsAtMs) this.access = await this.ask();
    const { access, prefix } = this;
    return access === undefined || prefix === undefined ? undefined : { access, prefix };
  }

  /** These keys were of no use: the next time new ones are asked for. */
  renew(): void {
    this.access = undefined;
  }

  /** A reboot. */
  forget(): void {
    this.renew();
    this.prefix = undefined;
  }

  private async ask(): Promise<StorageAccess | undefined> {
    const { clock, journal } = this.context;
    const answer = await this.inquiries.ask({ method: METHOD, data: { module: MODULE_MEDIA } });
    // That nobody answered is noted already.
    if (answer === undefined) return undefined;
    // Older clouds leave the `output` level out.
    const output = 'output' in answer ? objectOf(answer['output']) : answer;
    const access = readStorageAccess(output);
    const result = numberOf(answer['result']) ?? 0;
    if (result !== 0 || access === undefined) {
      journal.note('refused', { method: METHOD, result, ...(result === 0 ? { because: 'nothing usable in it' } : {}) });
      return undefined;
    }
    this.prefix ??= textOf(output['object_key_prefix']);
    // [Cloud API, storage_config_get] seconds of life here; other messages mean an instant by the same name.
    const lifeSeconds = numberOf(objectOf(output['credentials'])['expire']) ?? Infinity;
    this.endsAtMs = clock.nowMs() + lifeSeconds * 1_000;
    journal.note('storageGiven', { bucket: access.bucket, prefix: this.prefix });
    return access;
  }
}
