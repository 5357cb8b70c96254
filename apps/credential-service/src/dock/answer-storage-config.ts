import { type DockRecord } from '@aerie/bus-contract';
import type { StorageConfigGetReply } from '@aerie/dji-protocol';
import { AppError, type Clock } from '@aerie/kernel';
import type { Logger } from '@aerie/observability';
import type { IssueUploadKeys } from '../keys/issue-upload-keys.js';
import { dockStorageOf } from './dock-storage.js';

export interface AnswerStorageConfigParts {
  readonly issueUploadKeys: Pick<IssueUploadKeys, 'execute'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Media is the only module there is. [Cloud API, storage_config_get] */
const MODULE_MEDIA = 0;
/** The published code for "not supported in this state". [Cloud API, result codes: 314000] */
const REFUSED = 314_000;
/** Docks are told a little less than the life of their keys: their clocks differ, and a file takes its time. */
const SPARE_MS = 5 * 60_000;

/**
 * Tells a dock where its media go, with keys for its own folder. Docks keep the answer until they are rebooted, so the
 * folder is the dock's, not a mission's.
 */
export class AnswerStorageConfig {
  constructor(private readonly parts: AnswerStorageConfigParts) {}

  /** The whole reply; a non-zero result where there are no keys. */
  async execute(dock: DockRecord, module: number | undefined): Promise<StorageConfigGetReply> {
    if (module !== undefined && module !== MODULE_MEDIA) return { result: REFUSED };
    const { issueUploadKeys, clock, logger } = this.parts;
    try {
      const { keys, prefix, storage } = await issueUploadKeys.execute({
        ...{ organisationId: dock.organisationId, dockSn: dock.sn, use: { kind: 'media' } },
        ...{ askedBy: `dock:${dock.sn}`, reason: 'storage_config_get' },
      });
      return {
        result: 0,
        output: {
          ...dockStorageOf(storage),
          // The dock adds the slash itself. [Cloud API, storage_config_get, object_key_prefix]
          object_key_prefix: prefix.slice(0, -1),
          credentials: {
            access_key_id: keys.accessKeyId,
            access_key_secret: keys.secretAccessKey.reveal(),
            security_token: keys.sessionToken.reveal(),
            expire: Math.max(1, Math.floor((keys.expiresAtMs - clock.nowMs() - SPARE_MS) / 1_000)),
          },
        },
      };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logger.warn({ err: error, sn: dock.sn }, 'a dock got no keys');
      return { result: REFUSED };
    }
  }
}
