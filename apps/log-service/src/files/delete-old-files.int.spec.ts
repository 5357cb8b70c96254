import { deleteObjectsQuestion } from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { ORGANISATION, anExport, apply, logTestDatabase, logger, prefixOf } from '../fixtures/log-database.js';
import { DeleteOldFiles } from './delete-old-files.js';

let nats: PrivateServer;
let connection: NatsConnection;
let dataSource: DataSource;
let drop: () => Promise<void>;
const asked: string[] = [];
let isDown = false;

beforeAll(async () => {
  const database = await logTestDatabase(1);
  drop = database.drop;
  [dataSource] = database.pools as [DataSource];
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'retention-spec', logger);
  answer(connection, deleteObjectsQuestion, ({ objectKeys }) => {
    asked.push(...objectKeys);
    return { deletedKeys: isDown ? [] : [...objectKeys] };
  });
}, 60_000);
afterAll(async () => {
  await connection?.close();
  await nats?.remove();
  await drop?.();
}, 30_000);

/** The key of an archive that was stored so many days ago. */
async function storedDaysAgo(days: number): Promise<string> {
  const upload = await anExport(dataSource);
  await apply(dataSource, upload.id, { type: 'exportEnded', attempt: 1, files: [] });
  const objectKey = `${prefixOf(upload)}dock.tar`;
  const seen = { id: upload.id, module: 'dock', objectKey, sizeBytes: 1, etag: 'e', fingerprint: null } as const;
  await apply(
    dataSource,
    upload.id,
    { type: 'objectsChecked', attempt: 1, files: [{ module: 'dock', verdict: 'ok' }] },
    { seen: [{ ...seen, sha256: null, proof: 'size' }] },
  );
  await dataSource.query(`UPDATE log.file SET stored_at = now() - $2 * interval '1 day' WHERE object_key = $1`, [
    objectKey,
    days,
  ]);
  return objectKey;
}

const isDeleted = async (key: string): Promise<boolean> =>
  (
    await dataSource.query<{ deleted_at: Date | null }[]>('SELECT deleted_at FROM log.file WHERE object_key = $1', [
      key,
    ])
  )[0]?.deleted_at !== null;

it('deletes what is older than the organisation keeps, keeps the rest, and tries again later what the storage did not take', async () => {
  const [old, young] = [await storedDaysAgo(31), await storedDaysAgo(29)];
  const retention = new DeleteOldFiles(dataSource, connection, logger);
  expect(await retention.run()).toBe(0);
  expect(asked).toEqual([]);

  await dataSource.query(
    `INSERT INTO log.policy (organisation_id, retention_days, updated_by) VALUES ($1, 30, 'spec')`,
    [ORGANISATION],
  );
  isDown = true;
  expect(await retention.run()).toBe(0);
  expect(await isDeleted(old)).toBe(false);
  isDown = false;
  // It keeps no other one waiting.
  expect(await retention.run()).toBe(0);
  expect(asked).toEqual([old]);
  await dataSource.query('UPDATE log.file SET delete_again_at = now() WHERE object_key = $1', [old]);
  expect(await retention.run()).toBe(1);
  expect([await isDeleted(old), await isDeleted(young)]).toEqual([true, false]);
  expect(asked).toEqual([old, old]);
  expect(await retention.run()).toBe(0);
});
