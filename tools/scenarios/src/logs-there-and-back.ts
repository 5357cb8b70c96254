import { Logs } from './logs.js';
import type { World } from './world.js';

const MEGABYTE = 1024 * 1024;

/** Three logs of 20 MB go from a dock into the storage, are verified there, and come back byte by byte. */
export async function expectThereAndBack(world: World): Promise<void> {
  const logs = new Logs(world);
  const dock = await world.dock({ logBytes: 20 * MEGABYTE, speed: 200 });
  const [older, newest] = dock.logBoots('3').slice(-2);
  const [aircraft] = dock.logBoots('0').slice(-1);
  const files = [
    { module: 'dock', bootIndex: older?.bootIndex },
    { module: 'dock', bootIndex: newest?.bootIndex },
    { module: 'aircraft', bootIndex: aircraft?.bootIndex },
  ];
  const { id } = await logs.request(dock.sn, { files });
  const upload = await logs.ended(id, 90_000);
  expect(upload).toMatchObject({ state: 'stored', attempt: 1, failures: 0, cause: null });
  const stored = await logs.filesOf(`uploadId=${id}`);
  expect(stored.map(({ module, verifiedBy }) => [module, verifiedBy]).sort()).toEqual([
    ['aircraft', 'fingerprint'],
    ['dock', 'fingerprint'],
  ]);
  for (const file of stored) {
    const sent = dock.logUploads.find(({ key }) => key === file.objectKey);
    expect(file.sizeBytes).toBe(sent?.sizeBytes);
    await expect(logs.downloadedMd5(file.id)).resolves.toBe(sent?.md5);
  }
  expect(stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeGreaterThan(60 * MEGABYTE);
}
