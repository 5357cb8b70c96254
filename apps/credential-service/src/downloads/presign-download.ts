import type { Clock } from '@aerie/kernel';
import type { Ledger } from '../ledger/ledger.js';
import type { Storages } from '../storages/storage-access.js';
import { ownerOfObject } from './object-key.js';

export interface DownloadRequest {
  readonly organisationId: string;
  readonly objectKey: string;
  readonly lifetimeSeconds: number;
  /** Makes a browser save the object under this name. */
  readonly saveAs?: string;
  /** For the address that services use; else for that of docks. */
  readonly forService?: boolean;
  readonly dockSn?: string;
  readonly askedBy: string;
  readonly reason: string;
}

export interface Download {
  /** A bearer secret: whoever has it can read the object. Never logged, never stored. */
  readonly url: string;
  readonly expiresAtMs: number;
}

/** Makes URLs with which one object can be read for a short time. Computation: the storage is not asked. */
export class PresignDownload {
  constructor(
    private readonly storages: Storages,
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** @throws InvalidError when the object is not the organisation's. */
  async execute(request: DownloadRequest): Promise<Download> {
    const { organisationId, objectKey, lifetimeSeconds, saveAs, dockSn = null, askedBy, reason } = request;
    const { forService = false } = request;
    // Waylines lie in the storage of the deployment: mission-service has checked them, and no organisation can change
    // them behind its back.
    const isWayline = ownerOfObject(objectKey, organisationId) === 'wayline';
    const access = isWayline ? this.storages.deployment : await this.storages.of(organisationId);
    // A signature has whole seconds; rounded down, the URL never lives longer than we say.
    const signedAtMs = Math.floor(this.clock.nowMs() / 1_000) * 1_000;
    const url = await access.provider.presignGet({
      ...{ objectKey, lifetimeSeconds, signedAtMs, forService },
      ...(saveAs === undefined ? {} : { saveAs }),
    });
    const expiresAtMs = signedAtMs + lifetimeSeconds * 1_000;
    this.ledger.note({
      ...{ organisationId, kind: 'download', dockSn, objectPrefix: objectKey, actions: ['GET'], accessKeyId: null },
      ...{ provider: access.storage.provider, storageVersion: access.version, askedBy, reason, expiresAtMs },
    });
    return { url, expiresAtMs };
  }
}
