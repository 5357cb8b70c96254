import { createHash, randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  PRESIGN_TOGETHER,
  deleteObjectsQuestion,
  headObjectsQuestion,
  listObjectsQuestion,
  presignDownloadQuestion,
  presignDownloadsQuestion,
  uploadKeysQuestion,
} from '@aerie/bus-contract';
import { ask } from '@aerie/messaging';
import { eventually } from '@aerie/testing';
import {
  ORGANISATION,
  OTHER_API_KEY,
  OTHER_ORGANISATION,
  type RunningService,
  startService,
} from './running-service.fixture.js';

let service: RunningService;
beforeAll(async () => {
  service = await startService();
}, 60_000);
afterAll(() => service?.stop(), 30_000);

const anAsk = (parts: Readonly<Record<string, unknown>> = {}) => ({
  organisationId: ORGANISATION,
  dockSn: 'D-1',
  uploadId: randomUUID(),
  attempt: 1,
  sizeBytes: 20_000_000,
  askedBy: 'log-service',
  reason: 'log upload',
  ...parts,
});
const keysFor = (parts: Readonly<Record<string, unknown>> = {}) => ask(service.nats, uploadKeysQuestion, anAsk(parts));

type Keys = Awaited<ReturnType<typeof keysFor>>;
const clientOf = (keys: Keys): S3Client =>
  new S3Client({
    endpoint: keys.endpoint,
    region: keys.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      sessionToken: keys.sessionToken,
    },
  });

/** Uploads objects as a dock does, each with its name for content. */
async function put(parts: Readonly<Record<string, unknown>>, ...names: readonly string[]): Promise<Keys> {
  const keys = await keysFor(parts);
  const client = clientOf(keys);
  for (const name of names) {
    await client.send(new PutObjectCommand({ Bucket: keys.bucket, Key: `${keys.prefix}${name}`, Body: name }));
  }
  client.destroy();
  return keys;
}

describe('keys for a log upload', () => {
  it('upload below the folder of the attempt and nowhere else, for as long as the work takes (N61)', async () => {
    const uploadId = randomUUID();
    const keys = await keysFor({ uploadId });
    expect(keys.prefix).toBe(`org/${ORGANISATION}/dock/D-1/logs/${uploadId}/1/`);
    expect(keys.expiresAtMs - Date.now()).toBeLessThan(3_700_000);
    const client = clientOf(keys);
    const put = (Key: string) => client.send(new PutObjectCommand({ Bucket: keys.bucket, Key, Body: 'a log' }));
    await put(`${keys.prefix}3.tar`);
    for (const outside of [
      `org/${ORGANISATION}/dock/D-1/logs/${uploadId}/10/3.tar`,
      `org/${ORGANISATION}/dock/D-1/logs/${uploadId}/1`,
      `org/${ORGANISATION}/dock/D-2/logs/${uploadId}/1/3.tar`,
      `${keys.prefix.slice(0, -1)}%2f../../3.tar`,
    ]) {
      // A key that climbs is refused as a key already.
      await expect(put(outside)).rejects.toMatchObject({
        name: expect.stringMatching(/^(AccessDenied|InvalidArgument)$/),
      });
    }
    const own = { Bucket: keys.bucket, Key: `${keys.prefix}3.tar` };
    await expect(client.send(new GetObjectCommand(own))).rejects.toMatchObject({ name: 'AccessDenied' });
    client.destroy();
  });

  it('are the same when the same is asked again, and others for another attempt (K1)', async () => {
    const uploadId = randomUUID();
    const [first, again] = [await keysFor({ uploadId }), await keysFor({ uploadId })];
    const next = await keysFor({ uploadId, attempt: 2 });
    expect(again.accessKeyId).toBe(first.accessKeyId);
    expect(next.accessKeyId).not.toBe(first.accessKeyId);
    expect(next.prefix).not.toBe(first.prefix);
  });

  it('are in the ledger before they are out, each time, with who, what for and until when, and without a secret', async () => {
    const uploadId = randomUUID();
    const keys = await keysFor({ uploadId });
    await keysFor({ uploadId });
    const rows = await service.dataSource.query<Record<string, unknown>[]>(
      'SELECT * FROM credential.issue WHERE access_key_id = $1',
      [keys.accessKeyId],
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      kind: 'keys',
      dock_sn: 'D-1',
      object_prefix: keys.prefix,
      actions: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      asked_by: 'service:log-service',
      reason: 'log upload',
      expires_at: new Date(keys.expiresAtMs),
    });
    const text = JSON.stringify(rows);
    expect([text.includes(keys.secretAccessKey), text.includes(keys.sessionToken)]).toEqual([false, false]);
  });

  it.each([
    ['uploadId', { uploadId: '../1' }],
    ['dockSn', { dockSn: 'D*' }],
    ['organisationId', { organisationId: '..' }],
  ])('are not made for a wrong %s', async (field, parts) => {
    await expect(keysFor(parts)).rejects.toMatchObject({
      cause: { code: 'invalid_prefix', fields: [expect.objectContaining({ field })] },
    });
  });

  it('are not given out while the ledger cannot be written, because then nobody could call them back', async () => {
    await service.owner.query('ALTER TABLE credential.issue RENAME TO issue_elsewhere');
    try {
      await expect(keysFor()).rejects.toMatchObject({ cause: { code: 'ledger_unavailable' } });
    } finally {
      await service.owner.query('ALTER TABLE credential.issue_elsewhere RENAME TO issue');
    }
    await expect(keysFor()).resolves.toMatchObject({ provider: 'minio' });
  });
});

describe('a download', () => {
  const objectKey = `${ORGANISATION}/waylines/${'b'.repeat(64)}.kmz`;
  const presign = (parts: Readonly<Record<string, unknown>> = {}) =>
    ask(service.nats, presignDownloadQuestion, {
      organisationId: ORGANISATION,
      objectKey,
      lifetimeSeconds: 60,
      ...parts,
    });

  it('is answered with a URL', async () => {
    const { url, expiresAtMs } = await presign();
    expect(url).toContain(`${service.storage.url}/aerie/${objectKey}?`);
    expect(expiresAtMs).toBeGreaterThan(Date.now() + 55_000);
  });

  it('is refused with its reason for another organisation', async () => {
    const asked = presign({ organisationId: randomUUID() });
    await expect(asked).rejects.toMatchObject({ cause: { code: 'object_not_of_organisation' } });
  });

  it('is refused with its reason for a lifetime of a year', async () => {
    await expect(presign({ lifetimeSeconds: 31_536_000 })).rejects.toMatchObject({
      cause: { code: 'invalid_question' },
    });
  });

  it('leads where docks reach the storage, and where services do when a service is to fetch it', async () => {
    const inner = service.storage.url.replace('127.0.0.1', 'localhost');
    const { accessKeyId, secretAccessKey, roleArn, region, bucket, url: outer } = service.storage;
    const chosen = await fetch(`${service.url}/api/v1/storage`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${OTHER_API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ provider: 's3', dockEndpoint: outer, serviceEndpoint: inner, stsEndpoint: outer },
        ...{ region, bucket, roleArn, accessKeyId, secretAccessKey },
      }),
    });
    expect(chosen.status).toBe(200);
    const organisationId = OTHER_ORGANISATION;
    const { prefix } = await put({ organisationId }, '1.tar');
    const asked = { organisationId, objectKey: `${prefix}1.tar` };
    for (const [reachableBy, place] of [
      ['service', inner],
      ['dock', outer],
    ] as const) {
      const { url } = await presign({ ...asked, reachableBy });
      expect(url.startsWith(`${place}/`)).toBe(true);
      expect(await (await fetch(url)).text()).toBe('1.tar');
    }
  });
});

describe('many downloads in one question', () => {
  const routeOf = (index: number): string =>
    `${ORGANISATION}/waylines/${createHash('sha256').update(String(index)).digest('hex')}.kmz`;
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      ...{ organisationId: ORGANISATION, objectKey: routeOf(index), lifetimeSeconds: 60 },
      ...{ dockSn: `D-${index}`, askedBy: 'mission-service' },
    }));
  const presignMany = (downloads: ReturnType<typeof many>) =>
    ask(service.nats, presignDownloadsQuestion, { downloads });

  it('are answered one by one, in their order, and one of somebody else is refused by itself', async () => {
    const asked = many(3).map((one, index) => (index === 1 ? { ...one, organisationId: randomUUID() } : one));
    const { downloads } = await presignMany(asked);
    expect(downloads).toEqual([
      { url: expect.stringContaining(`/aerie/${routeOf(0)}?`) as string, expiresAtMs: expect.any(Number) as number },
      { refusal: { code: 'object_not_of_organisation', message: expect.any(String) as string } },
      { url: expect.stringContaining(`/aerie/${routeOf(2)}?`) as string, expiresAtMs: expect.any(Number) as number },
    ]);
  });

  it('are written down by one statement, each with its dock', async () => {
    const reason = `route ${randomUUID()}`;
    await presignMany(many(PRESIGN_TOGETHER).map((one) => ({ ...one, reason })));
    const written = () =>
      service.dataSource.query<{ docks: number; statements: number }[]>(
        `SELECT count(DISTINCT dock_sn)::int AS docks, count(DISTINCT xmin::text)::int AS statements
           FROM credential.issue WHERE reason = $1 AND kind = 'download'`,
        [reason],
      );
    service.intake.start();
    await eventually('all are in the ledger', async () => (await written())[0]?.docks === PRESIGN_TOGETHER);
    expect(await written()).toEqual([{ docks: PRESIGN_TOGETHER, statements: 1 }]);
  });

  it.each([
    ['none at all', 0],
    ['more than one question takes', PRESIGN_TOGETHER + 1],
  ])('are refused for %s', async (_what, count) => {
    await expect(presignMany(many(count))).rejects.toMatchObject({ cause: { code: 'invalid_question' } });
  });
});

describe('the objects of an organisation', () => {
  const organisationId = ORGANISATION;
  const uploadedBelow = async (...names: readonly string[]): Promise<string> => (await put({}, ...names)).prefix;
  const MD5_OF_DOCK = createHash('md5').update('dock.tar').digest('hex');

  it('are told where they are there, and left out where they are not (K3)', async () => {
    const prefix = await uploadedBelow('dock.tar');
    const objectKeys = [`${prefix}dock.tar`, `${prefix}aircraft.tar`];
    await expect(ask(service.nats, headObjectsQuestion, { organisationId, objectKeys })).resolves.toEqual({
      objects: [{ objectKey: objectKeys[0], sizeBytes: 8, etag: MD5_OF_DOCK }],
    });
  });

  it('are listed below their prefix, up to a limit (K2)', async () => {
    const prefix = await uploadedBelow('b.tar', 'a/dock.tar');
    const asked = { organisationId, prefix, limit: 10 };
    const { objects } = await ask(service.nats, listObjectsQuestion, asked);
    expect(objects.map(({ objectKey, sizeBytes }) => [objectKey, sizeBytes])).toEqual([
      [`${prefix}a/dock.tar`, 10],
      [`${prefix}b.tar`, 5],
    ]);
    expect((await ask(service.nats, listObjectsQuestion, { ...asked, limit: 1 })).objects).toHaveLength(1);
  });

  it('are deleted, and deleted again without a complaint', async () => {
    const prefix = await uploadedBelow('dock.tar');
    const objectKeys = [`${prefix}dock.tar`, `${prefix}never-there.tar`];
    for (let turn = 0; turn < 2; turn++) {
      const { deletedKeys } = await ask(service.nats, deleteObjectsQuestion, { organisationId, objectKeys });
      expect(deletedKeys).toEqual(objectKeys);
    }
    await expect(ask(service.nats, headObjectsQuestion, { organisationId, objectKeys })).resolves.toEqual({
      objects: [],
    });
  });

  it.each([
    ['of another organisation', `org/${OTHER_ORGANISATION}/dock/D-1/logs/x/1/dock.tar`],
    ['that climbs', `org/${ORGANISATION}/../${OTHER_ORGANISATION}/dock.tar`],
    ['that is a route', `${ORGANISATION}/waylines/${'a'.repeat(64)}.kmz`],
  ])('are not told, listed or deleted by a key %s', async (_what, key) => {
    const refused = (field: string) => ({
      cause: { code: 'object_not_of_organisation', fields: [expect.objectContaining({ field })] },
    });
    const asked = { organisationId, objectKeys: [key] };
    await expect(ask(service.nats, headObjectsQuestion, asked)).rejects.toMatchObject(refused('objectKeys'));
    await expect(ask(service.nats, deleteObjectsQuestion, asked)).rejects.toMatchObject(refused('objectKeys'));
    const below = { organisationId, prefix: `${key}/`, limit: 1 };
    await expect(ask(service.nats, listObjectsQuestion, below)).rejects.toMatchObject(refused('prefix'));
  });
});
