import { PutObjectCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { DockHandle, UploadedMedia } from '@aerie/dock-simulator';
import { eventually } from '@aerie/testing';
import { World } from './world.js';

interface StorageConfig {
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  readonly object_key_prefix: string;
  readonly credentials: {
    readonly access_key_id: string;
    readonly access_key_secret: string;
    readonly security_token: string;
    readonly expire: number;
  };
}

let world: World;
beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(() => world.stop(), 60_000);

let questions = 0;

async function asked(dock: DockHandle): Promise<{ result: number; output?: StorageConfig }> {
  const tid = `storage-${++questions}`;
  const question = { tid, bid: tid, method: 'storage_config_get', timestamp: Date.now(), data: { module: 0 } };
  dock.publishRaw(`thing/product/${dock.sn}/requests`, JSON.stringify(question));
  const reply = await eventually('the dock is answered', () =>
    world.tap.seen.find((seen) => seen.tid === tid && seen.topic === `thing/product/${dock.sn}/requests_reply`),
  );
  return reply.data as unknown as { result: number; output?: StorageConfig };
}

function clientOf({ endpoint, region, credentials }: StorageConfig): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: credentials.access_key_id,
      secretAccessKey: credentials.access_key_secret,
      sessionToken: credentials.security_token,
    },
  });
}

it('gives a dock keys with which it uploads below its own folder, and nowhere else', async () => {
  const [dock, other] = [await world.dock(), await world.dock()];
  const [mine, theirs] = [(await asked(dock)).output, (await asked(other)).output];
  if (mine === undefined || theirs === undefined) throw new Error('a dock got no keys');
  expect(mine.object_key_prefix).not.toBe(theirs.object_key_prefix);
  expect(mine.credentials.expire).toBeGreaterThan(3_600);
  const client = clientOf(mine);
  const put = (Key: string): Promise<unknown> =>
    client.send(new PutObjectCommand({ Bucket: mine.bucket, Key, Body: 'a picture' }));

  await put(`${mine.object_key_prefix}/DJI_001/a.jpeg`);
  const parts = {
    Bucket: mine.bucket,
    Key: `${mine.object_key_prefix}/DJI_001/b.mp4`,
    Body: Buffer.alloc(11_000_000, 7),
  };
  await new Upload({ client, params: parts }).done();

  const refused = { name: 'AccessDenied' };
  await expect(put(`${theirs.object_key_prefix}/a.jpeg`)).rejects.toMatchObject(refused);
  await expect(put(`${mine.object_key_prefix}-2/a.jpeg`)).rejects.toMatchObject(refused);
  await expect(put('a.jpeg')).rejects.toMatchObject(refused);
  const own = { Bucket: mine.bucket, Key: parts.Key };
  await expect(client.send(new GetObjectCommand(own))).rejects.toMatchObject(refused);
  await expect(client.send(new ListObjectsV2Command({ Bucket: mine.bucket }))).rejects.toMatchObject(refused);
  client.destroy();
}, 60_000);

it('gives the same folder after a mission, because docks keep it until they are rebooted (D7)', async () => {
  const dock = await world.dock();
  const before = (await asked(dock)).output;
  const { id } = await world.immediate(dock);
  await expect(world.ended(id)).resolves.toMatchObject({ state: 'succeeded' });
  const after = (await asked(dock)).output;
  expect(after?.object_key_prefix).toBe(before?.object_key_prefix);
  expect(before?.object_key_prefix).not.toContain(id);
}, 90_000);

/** Flies a mission, and waits until all the media that it made are uploaded and the dock has an answer for each. */
async function mediaOfMission(dock: DockHandle): Promise<readonly UploadedMedia[]> {
  const { id } = await world.immediate(dock);
  const { state, progress } = await world.ended(id);
  expect(state).toBe('succeeded');
  expect(progress?.mediaCount).toBeGreaterThan(0);
  const ofMission = (): UploadedMedia[] => dock.mediaUploaded.filter(({ flightId }) => flightId === id);
  await dock.waitFor(
    ({ state }) => ofMission().length === progress?.mediaCount && state.unansweredEvents === 0,
    20_000,
  );
  return ofMission();
}

it('takes the media of missions with the keys that a dock was given, into one folder of its own (D7)', async () => {
  const dock = await world.dock();
  const given = (await asked(dock)).output;
  if (given === undefined) throw new Error('the dock got no keys');
  const onOwnAccount = (): number =>
    world.tap
      .of('requests', 'storage_config_get')
      .filter(({ topic, tid }) => topic === `thing/product/${dock.sn}/requests` && !tid?.startsWith('storage-')).length;

  const media = [...(await mediaOfMission(dock)), ...(await mediaOfMission(dock))];
  expect(onOwnAccount()).toBe(1);
  const { seq = 0 } = dock.facts.at(-1) ?? {};
  await dock.reboot();
  await dock.waitFor('online', 20_000, { after: seq });
  media.push(...(await mediaOfMission(dock)));
  expect(onOwnAccount()).toBe(2);

  const client = clientOf(given);
  for (const { key, sizeBytes, etag } of media) {
    expect(key.startsWith(`${given.object_key_prefix}/`)).toBe(true);
    expect({ sizeBytes, etag }).toEqual({ sizeBytes: 40_000, etag: expect.stringMatching(/^[0-9a-f]{32}$/) });
    // A dock may not read. That nothing can be written anew says that the object is there.
    const anew = new PutObjectCommand({ Bucket: given.bucket, Key: key, Body: 'anew', IfNoneMatch: '*' });
    await expect(client.send(anew)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  }
  client.destroy();

  const callbacks = world.tap
    .of('events', 'file_upload_callback')
    .filter(({ topic }) => topic === `thing/product/${dock.sn}/events`);
  const keysTold = callbacks.map(({ data }) => (data['file'] as { object_key: string }).object_key);
  expect(new Set(keysTold)).toEqual(new Set(media.map(({ key }) => key)));
  for (const { tid } of callbacks) {
    const reply = await eventually('the dock is answered', () =>
      world.tap.of('events_reply', 'file_upload_callback').find((seen) => seen.tid === tid),
    );
    expect(reply.data).toEqual({ result: 0 });
  }
}, 180_000);

it('N63: refuses the word of a dock that it has put a file into the folder of another', async () => {
  const [dock, other] = [await world.dock(), await world.dock()];
  const [mine, theirs] = [(await asked(dock)).output, (await asked(other)).output];
  const resultFor = async (objectKey: string): Promise<unknown> => {
    const tid = `claim-${++questions}`;
    const claim = { tid, bid: tid, method: 'file_upload_callback', timestamp: Date.now(), need_reply: 1 };
    const data = { file: { object_key: objectKey, path: 'DJI_001', name: 'a.jpeg', ext: { flight_id: '' } } };
    dock.publishRaw(`thing/product/${dock.sn}/events`, JSON.stringify({ ...claim, data }));
    const reply = await eventually('the dock is answered', () =>
      world.tap.seen.find((seen) => seen.tid === tid && seen.topic === `thing/product/${dock.sn}/events_reply`),
    );
    return reply.data['result'];
  };
  await expect(resultFor(`${mine?.object_key_prefix}/DJI_001/a.jpeg`)).resolves.toBe(0);
  await expect(resultFor(`${theirs?.object_key_prefix}/DJI_001/a.jpeg`)).resolves.toBe(325_001);
  await expect(resultFor(`${mine?.object_key_prefix}/../../${other.sn}/media/a.jpeg`)).resolves.toBe(325_001);
}, 60_000);

it('K9: answers with the keys that it has while the storage is down, and refuses those for whom it has none', async () => {
  const [known, unknown] = [await world.dock(), await world.dock()];
  const before = await asked(known);
  await world.stack.kill('object-store');
  const during = await asked(known);
  expect(during.output?.credentials.access_key_id).toBe(before.output?.credentials.access_key_id);
  await expect(asked(unknown)).resolves.toEqual({ result: 314000 });
  await world.stack.start('object-store');
  await eventually('keys are given out again', async () => ((await asked(unknown)).result === 0 ? true : undefined));
}, 90_000);
