import { createHash } from 'node:crypto';
import { good } from '@aerie/local';
import yauzl from 'yauzl';
import { Logs } from './logs.js';
import { expectThereAndBack } from './logs-there-and-back.js';
import { World } from './world.js';

let world: World;
let logs: Logs;
beforeAll(async () => {
  // Making and sending 60 MB on a busy machine is not silence.
  world = await World.start({ 'log-service': { LOG_SILENCE_MS: '30000' } });
  logs = new Logs(world);
}, 120_000);
afterAll(() => world.stop(), 60_000);

it('lists the logs of a dock and of its aircraft, and says what to do about an aircraft that is off', async () => {
  const dock = await world.dock();
  const both = await logs.list(dock.sn);
  expect(both.modules.map(({ module, files }) => [module, files.map(({ bootIndex }) => bootIndex)])).toEqual([
    ['dock', dock.logBoots('3').map(({ bootIndex }) => bootIndex)],
    ['aircraft', dock.logBoots('0').map(({ bootIndex }) => bootIndex)],
  ]);
  dock.setFault('aircraft-off');
  const { modules } = await logs.list(dock.sn);
  expect(modules[1]).toMatchObject({ files: [], problem: { code: 'aircraft_off' } });
  expect(modules[1]?.problem?.advice).toContain('drone_open');
});

it('uploads three logs of 20 MB, verifies them by their content, and gives back the same bytes', async () => {
  await expectThereAndBack(world);
}, 120_000);

it('packs files and a manifest into a ZIP for the support', async () => {
  const dock = await world.dock({ speed: 200 });
  const { id } = await logs.request(dock.sn);
  const { fileIds } = await logs.ended(id);
  const response = await fetch(`${world.stack.apiUrl}/api/v1/log-files/bundle`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${world.stack.apiKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ fileIds }),
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/zip']);
  const entries = await entriesOf(Buffer.from(await response.arrayBuffer()));
  const manifest = JSON.parse(entries.get('manifest.json')?.toString('utf8') ?? '{}') as {
    files: { path: string; id: string; sizeBytes: number }[];
  };
  expect(manifest.files.map((file) => file.id)).toEqual(fileIds);
  for (const file of manifest.files) {
    const content = entries.get(file.path) ?? Buffer.alloc(0);
    expect(content.length).toBe(file.sizeBytes);
    const md5 = createHash('md5').update(content).digest('hex');
    expect(dock.logUploads.map((sent) => sent.md5)).toContain(md5);
  }
}, 60_000);

it('tells what is kept of each dock, and deletes what the policy no longer wants', async () => {
  const dock = await world.dock({ speed: 200 });
  const { id } = await logs.request(dock.sn);
  await logs.ended(id);
  const usage = good(await world.api.get<{ items: { dockSn: string; files: number }[] }>('/log-files/usage')).items;
  expect(usage.find(({ dockSn }) => dockSn === dock.sn)).toMatchObject({ files: 2 });
}, 60_000);

/** The files of a ZIP. */
async function entriesOf(zip: Buffer): Promise<ReadonlyMap<string, Buffer>> {
  const file = await yauzl.fromBufferPromise(zip);
  const entries = new Map<string, Buffer>();
  for await (const entry of file.eachEntry()) {
    const pieces: Buffer[] = [];
    for await (const piece of await file.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
    entries.set(entry.fileName, Buffer.concat(pieces));
  }
  return entries;
}
