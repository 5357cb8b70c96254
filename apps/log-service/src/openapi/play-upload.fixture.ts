import { randomUUID } from 'node:crypto';
import { DEFAULT_TIMING, type LogFile, type ToldFile, type UploadEvent } from '@aerie/log-core';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { aDock } from '../fixtures/log-database.js';
import { type Evidence, advance } from '../uploads/advance-upload.js';
import { insertUpload } from '../uploads/request-upload.js';
import { lockUpload } from '../uploads/store/upload-critical.js';

const WANTED: LogFile = {
  ...{ module: 'dock', bootIndexes: [7, 8], expectedBytes: 23_000_000, state: 'wanted', problem: null, told: null },
};
const OFF: LogFile = {
  ...{ module: 'aircraft', bootIndexes: [], expectedBytes: 0, state: 'unavailable', told: null },
  problem: { code: 'aircraft_off', dockResult: 324_015 },
};
const TOLD: ToldFile = {
  ...{ module: 'dock', progress: 'going', key: null, sizeBytes: 9_000_000, fingerprint: null, percent: 40 },
  dockResult: null,
};

interface Story {
  readonly dockSn: string;
  readonly missionId?: string;
  /** Up to where it is told. Default: the upload has ended with one file. */
  readonly until?: 'uploading';
}

/**
 * An upload whose first attempt brought nothing and whose second brought the logs of the dock; its aircraft was off. All
 * in one transaction, so that no timer tells another story.
 */
export function playUpload(dataSource: DataSource, { dockSn, missionId, until }: Story): Promise<string> {
  const untilMs = Date.now() + 3_600_000;
  return inTransaction(dataSource, async (tx) => {
    const { id } = await insertUpload(tx, {
      ...{ dock: aDock(dockSn), selection: { kind: 'latest', count: 2, modules: ['dock', 'aircraft'] } },
      ...{ missionId: null, attachedTo: missionId ?? null, campaignId: null, origin: 'person', by: 'key:key-1' },
      ...{ yields: true, timing: DEFAULT_TIMING },
    });
    const happens = async (event: UploadEvent, evidence: Evidence = {}): Promise<void> => {
      const locked = await lockUpload(tx, id);
      if (locked === undefined) throw new Error('the upload is gone');
      const { decision } = await advance(tx, locked, event, evidence);
      if (decision.kind === 'refused') throw new Error(decision.reason);
    };
    await happens({ type: 'listDue' });
    await happens({ type: 'listAnswered', files: [WANTED, OFF] });
    await happens({ type: 'dockGranted', untilMs });
    await happens({ type: 'startRefused', attempt: 1, dockResult: 324_013 });
    await happens({ type: 'dockGranted', untilMs });
    await happens({ type: 'startAccepted', attempt: 2 });
    await happens({ type: 'exportTold', attempt: 2, phase: 'uploading', files: [TOLD] });
    if (until === 'uploading') return id;
    const file = { module: 'dock', objectKey: `org/1/logs/${id}/2/dock.tar`, sizeBytes: 9_000_000 } as const;
    await happens({
      ...{ type: 'exportEnded', attempt: 2 },
      files: [{ ...TOLD, progress: 'ok', key: file.objectKey, fingerprint: 'c0ffee', percent: 100 }],
    });
    await happens(
      { type: 'objectsChecked', attempt: 2, files: [{ module: 'dock', verdict: 'ok' }] },
      {
        seen: [
          {
            ...{ ...file, id: randomUUID(), etag: 'c0ffee', fingerprint: 'c0ffee' },
            ...{ sha256: 'a'.repeat(64), proof: 'fingerprint' },
          },
        ],
      },
    );
    return id;
  });
}
