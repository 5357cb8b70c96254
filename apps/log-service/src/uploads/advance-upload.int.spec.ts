import { randomUUID } from 'node:crypto';
import type { UploadEvent } from '@aerie/log-core';
import type { DataSource } from 'typeorm';
import { anExport, anUpload, apply, logTestDatabase, prefixOf, stateOf } from '../fixtures/log-database.js';
import { inTransaction } from '@aerie/persistence';
import { eventually } from '@aerie/testing';
import { advance } from './advance-upload.js';
import type { SeenFile } from './store/files.js';
import { lockUpload } from './store/upload-critical.js';
import type { LockedUpload } from './store/upload.row.js';

let pools: DataSource[];
let drop: () => Promise<void>;
let one: DataSource;
let other: DataSource;
beforeAll(async () => {
  ({ pools, drop } = await logTestDatabase(2));
  [one, other] = pools as [DataSource, DataSource];
}, 60_000);
afterAll(() => drop?.(), 30_000);

const seenOf = (upload: LockedUpload, module: 'dock' | 'aircraft'): SeenFile => ({
  ...{ id: randomUUID(), module, objectKey: `${prefixOf(upload)}${module}.tar`, sizeBytes: 1_000, etag: 'e' },
  ...{ fingerprint: null, sha256: null, proof: 'presence' },
});
const bothSeen = (upload: LockedUpload) => ({ seen: [seenOf(upload, 'dock'), seenOf(upload, 'aircraft')] });
const checked = (...ok: ('dock' | 'aircraft')[]): UploadEvent => ({
  type: 'objectsChecked',
  attempt: 1,
  files: (['dock', 'aircraft'] as const).map((module) => ({ module, verdict: ok.includes(module) ? 'ok' : 'missing' })),
});
const filesOf = (id: string) =>
  one.query<{ module: string; object_key: string }[]>(
    'SELECT module, object_key FROM log.file WHERE upload_id = $1 ORDER BY module',
    [id],
  );
const factsOf = (id: string, event: string) =>
  one.query<{ payload: Record<string, unknown> }[]>(
    `SELECT payload FROM log.outbox WHERE subject LIKE '%.' || $2 AND payload ->> 'uploadId' = $1 ORDER BY id`,
    [id, event],
  );

it('K10: ends in one way when the cancel and the end of the export race, and keeps what is complete', async () => {
  const outcomes = new Set<string | undefined>();
  for (let round = 0; round < 40; round++) {
    const upload = await anExport(one);
    const cancel = apply(one, upload.id, { type: 'cancelRequested' });
    const end = apply(other, upload.id, { type: 'exportEnded', attempt: 1, files: [] });
    await Promise.all([cancel, end]);
    // Whichever came first, the storage is looked at once the dock has stopped.
    if ((await stateOf(one, upload.id)) === 'stopping')
      await apply(one, upload.id, { type: 'stopAccepted', attempt: 1, sentAtMs: Date.now() + 1_000 });
    await Promise.all([
      apply(one, upload.id, checked('dock', 'aircraft'), bothSeen(upload)),
      apply(other, upload.id, checked('dock', 'aircraft'), bothSeen(upload)),
    ]);
    outcomes.add(await stateOf(one, upload.id));
    expect(await filesOf(upload.id)).toHaveLength(2);
    expect(await factsOf(upload.id, 'fileStored')).toHaveLength(2);
  }
  expect(outcomes).toEqual(new Set(['stored']));
}, 60_000);

it('K10: keeps the archive that is complete when the other one is called off', async () => {
  const upload = await anExport(one);
  await apply(one, upload.id, { type: 'cancelRequested' });
  await apply(one, upload.id, { type: 'stopAccepted', attempt: 1, sentAtMs: Date.now() + 1_000 });
  await apply(one, upload.id, checked('dock'), { seen: [seenOf(upload, 'dock')] });
  expect(await stateOf(one, upload.id)).toBe('canceled');
  expect((await filesOf(upload.id)).map(({ module }) => module)).toEqual(['dock']);
});

it('starts an attempt once although two replicas are given the dock at the same instant', async () => {
  for (let round = 0; round < 20; round++) {
    const { id } = await anUpload(one);
    await apply(one, id, { type: 'listDue' });
    const files = (await anExport(one)).files.map((file) => ({ ...file, told: null }));
    await apply(one, id, { type: 'listAnswered', files });
    const granted: UploadEvent = { type: 'dockGranted', untilMs: Date.now() + 600_000 };
    const both = await Promise.all([apply(one, id, granted), apply(other, id, granted)]);
    const starts = both.flatMap(({ orders }) => orders).filter(({ effect }) => effect === 'sendStart');
    expect(starts).toHaveLength(1);
    // What a stop can count for depends on it.
    expect(starts.map(({ notAfterMs, upload }) => notAfterMs - upload.now.getTime())).toEqual([15_000]);
    const calls = await one.query<unknown[]>(
      `SELECT 1 FROM log.dock_call WHERE upload_id = $1 AND method = 'fileupload_start'`,
      [id],
    );
    expect(calls).toHaveLength(1);
  }
}, 60_000);

it('knows the attempt that began while it waited for the lock', async () => {
  const { id } = await anUpload(one);
  await apply(one, id, { type: 'listDue' });
  await apply(one, id, { type: 'listAnswered', files: (await anExport(one)).files });
  const waiting = await inTransaction(one, async (tx) => {
    const locked = await lockUpload(tx, id);
    if (locked === undefined) throw new Error('an upload vanished');
    const cancel = apply(other, id, { type: 'cancelRequested' });
    await eventually('the cancel waits', async () => {
      const [row] = await one.query<{ waits: boolean }[]>(
        `SELECT count(*) > 0 AS waits FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return row?.waits;
    });
    await advance(tx, locked, { type: 'dockGranted', untilMs: Date.now() + 600_000 });
    return { cancel };
  });
  const { upload, orders } = await waiting.cancel;
  expect(orders.map(({ effect }) => effect)).toEqual(['sendStop']);
  expect(upload.attempt_id).not.toBeNull();
});

it('lets one upload alone export on a dock, whoever else thinks that it may', async () => {
  const { dock_sn: sn } = await anExport(one);
  await expect(anExport(other, { sn })).rejects.toThrow('upload_one_export');
});

it('K5: keeps a late word about an earlier attempt as evidence, and changes nothing', async () => {
  const { id, revision } = await anExport(one);
  const late = await apply(one, id, { type: 'exportEnded', attempt: 0, files: [] });
  expect(late.decision).toMatchObject({ kind: 'refused' });
  expect(late.upload.revision).toBe(revision);
  const [entry] = await one.query<{ kind: string; what: string }[]>(
    'SELECT kind, what FROM log.timeline WHERE upload_id = $1 ORDER BY id DESC LIMIT 1',
    [id],
  );
  expect(entry).toEqual({ kind: 'refusal', what: 'exportEnded' });
});

it('writes state, attempt, files and facts together or not at all', async () => {
  const upload = await anExport(one);
  await apply(one, upload.id, { type: 'exportEnded', attempt: 1, files: [] });
  const broken = { ...seenOf(upload, 'dock'), proof: 'no such proof' as 'size' };
  await expect(apply(one, upload.id, checked('dock', 'aircraft'), { seen: [broken] })).rejects.toThrow('proof');
  expect(await stateOf(one, upload.id)).toBe('verifying');
  expect(await filesOf(upload.id)).toEqual([]);
  expect((await factsOf(upload.id, 'uploadStateChanged')).map(({ payload }) => payload['to'])).not.toContain('stored');
});

it('tells others of each state once', async () => {
  const { id } = await anExport(one);
  const told = (await factsOf(id, 'uploadStateChanged')).map(({ payload }) => payload['to']);
  expect(told).toEqual(['listing', 'listed', 'starting', 'pulling', 'uploading']);
});
