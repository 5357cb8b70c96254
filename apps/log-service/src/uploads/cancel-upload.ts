import { type Principal, callerName } from '@aerie/bus-contract';
import { type ExpectedVersion, checkVersion, notThere, recordChanges } from '@aerie/http-api';
import { ConflictError, NotFoundError } from '@aerie/kernel';
import { type Organisations, type Reach, type Tx, inTransaction, reachesDock } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import { advance } from './advance-upload.js';
import type { AfterCommit } from './effects/after-commit.js';
import { lockUpload } from './store/upload-critical.js';
import { type UploadView, viewOf } from './store/upload.view.js';

/** Calls an upload off. A dock that exports is told; what is complete by then stays. */
export class CancelUpload {
  constructor(
    private readonly database: Organisations,
    private readonly afterCommit: AfterCommit,
  ) {}

  forCaller(caller: Principal, id: string, version: ExpectedVersion): Promise<UploadView> {
    return this.execute(caller, id, callerName(caller), version, (tx) => recordChanges(tx, SCHEMA, [{ caller }]));
  }

  /** @param by who wants it: `key:<id>` or `campaign:<id>` */
  async execute(
    reach: Reach,
    id: string,
    by: string,
    version: ExpectedVersion = null,
    record: (tx: Tx) => Promise<void> = () => Promise.resolve(),
  ): Promise<UploadView> {
    const advanced = await inTransaction(this.database.of(reach), async (tx) => {
      const locked = await lockUpload(tx, id);
      const isReached = locked?.organisation_id === reach.organisationId && reachesDock(reach, locked.dock_sn);
      if (locked === undefined || !isReached) throw unknownUpload(id);
      checkVersion(version, locked.revision);
      const result = await advance(tx, locked, { type: 'cancelRequested' }, { by });
      if (result.decision.kind !== 'refused') {
        await record(tx);
        return result;
      }
      const message = `the upload has ended (${locked.state}); there is nothing to cancel`;
      throw new ConflictError('upload_state', message, {
        fields: [{ field: 'id', message }],
        details: { state: locked.state },
      });
    });
    this.afterCommit.run(advanced);
    return viewOf(advanced.upload);
  }
}

export const unknownUpload = (id: string): NotFoundError =>
  notThere({
    ...{ code: 'unknown_upload', noun: 'log upload', field: 'id', sent: id },
    advice: 'GET /api/v1/log-uploads lists them',
  });
