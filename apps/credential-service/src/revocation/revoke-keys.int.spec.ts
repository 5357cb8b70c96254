import { randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { uploadKeysQuestion } from '@aerie/bus-contract';
import { Caller } from '@aerie/http-api/testing';
import { ask } from '@aerie/messaging';
import { eventually } from '@aerie/testing';
import { ROUTES } from '../openapi/credential-api.js';
import {
  API_KEY,
  ORGANISATION,
  OTHER_ORGANISATION,
  type RunningService,
  startService,
} from '../running-service.fixture.js';

let service: RunningService;
let caller: Caller;
let replicaUrl: string;
beforeAll(async () => {
  service = await startService();
  // Two processes: what one of them remembers, the other must not give out either.
  replicaUrl = (await service.replica()).url;
  service.intake.start();
  caller = new Caller({ url: service.url, routes: ROUTES, key: API_KEY });
}, 60_000);
afterAll(() => service?.stop(), 30_000);

const keysFor = (organisationId: string, dockSn: string, uploadId: string) =>
  ask(service.nats, uploadKeysQuestion, {
    ...{ organisationId, dockSn, uploadId, attempt: 1, sizeBytes: 1, askedBy: 'spec', reason: 'spec' },
  });
type Keys = Awaited<ReturnType<typeof keysFor>>;

/** Null where the storage takes an upload by these keys, else its word. */
async function refusalOf(keys: Keys): Promise<string | null> {
  const client = new S3Client({
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
  const put = new PutObjectCommand({ Bucket: keys.bucket, Key: `${keys.prefix}x`, Body: 'x' });
  const refusal = await client.send(put).then(
    () => null,
    (error: unknown) => (error as Error).name,
  );
  client.destroy();
  return refusal;
}

const revoke = async (dockSn?: string) =>
  (await caller.call('revokeKeys', { body: { reason: 'spec', ...(dockSn === undefined ? {} : { dockSn }) } })).body;

async function find(revocation: Readonly<Record<string, unknown>>, state: string) {
  const { body } = await caller.call('listRevocations');
  const items = body['items'] as { id: string; state: string }[];
  return items.find((item) => item.id === revocation['id'] && item.state === state);
}

/** As a dock that asks until it gets some. */
const freshKeys = (organisationId: string, dockSn: string, uploadId: string): Promise<Keys> =>
  eventually('keys are given out', () => keysFor(organisationId, dockSn, uploadId).catch(() => undefined));

it('makes the keys of one dock useless at once, and no others', async () => {
  const uploadId = randomUUID();
  // The first question of all may find the service still busy with its start.
  const [mine, sibling, others] = await Promise.all([
    freshKeys(ORGANISATION, 'R-1', uploadId),
    freshKeys(ORGANISATION, 'R-10', uploadId),
    freshKeys(OTHER_ORGANISATION, 'R-1', uploadId),
  ]);
  expect(await Promise.all([mine, sibling, others].map(refusalOf))).toEqual([null, null, null]);
  await expect(revoke('R-1')).resolves.toMatchObject({ state: 'denied' });
  expect(await Promise.all([mine, sibling, others].map(refusalOf))).toEqual(['AccessDenied', null, null]);
});

it('gives out no keys that were called back, whichever process remembers them, and new ones soon after', async () => {
  const uploadId = randomUUID();
  // Both processes have answered, so both remember keys.
  const before = new Set<string>();
  await eventually('both processes have been asked', async () => {
    before.add((await keysFor(ORGANISATION, 'R-2', uploadId)).accessKeyId);
    return before.size === 2 ? true : undefined;
  });
  await revoke('R-2');
  for (let count = 0; count < 10; count++) {
    const keys = await freshKeys(ORGANISATION, 'R-2', uploadId);
    expect(before.has(keys.accessKeyId)).toBe(false);
    expect(await refusalOf(keys)).toBeNull();
  }
});

it('calls all docks of an organisation back, and none of another', async () => {
  const uploadId = randomUUID();
  const [mine, others] = [
    await freshKeys(ORGANISATION, 'R-3', uploadId),
    await freshKeys(OTHER_ORGANISATION, 'R-3', uploadId),
  ];
  await revoke();
  expect(await Promise.all([mine, others].map(refusalOf))).toEqual(['AccessDenied', null]);
});

it('keeps every denial where many are made at the same instant by two processes', async () => {
  const docks = ['R-5', 'R-6', 'R-7'];
  const uploadId = randomUUID();
  const keys = await Promise.all(docks.map((sn) => freshKeys(ORGANISATION, sn, uploadId)));
  const other = new Caller({ url: replicaUrl, routes: ROUTES, key: API_KEY });
  const states = await Promise.all(
    docks.map(async (dockSn, index) => {
      const body = { dockSn, reason: 'spec' };
      return (await (index % 2 === 0 ? caller : other).call('revokeKeys', { body })).body['state'];
    }),
  );
  expect(states).toEqual(['denied', 'denied', 'denied']);
  expect(await Promise.all(keys.map(refusalOf))).toEqual(docks.map(() => 'AccessDenied'));
});

it('says which storages of before are not told, and does not pretend for one that was replaced meanwhile', async () => {
  const uploadId = randomUUID();
  await freshKeys(ORGANISATION, 'R-8', uploadId);
  const { url, bucket, roleArn, accessKeyId, secretAccessKey } = service.storage;
  const choice = {
    ...{ provider: 's3', dockEndpoint: url, iamEndpoint: url, region: 'us-east-1', bucket, roleArn, accessKeyId },
    secretAccessKey,
  };
  await caller.call('replaceStorage', { body: choice });
  const untold = [{ storageVersion: 0, keysUntil: expect.any(String) }];
  await expect(revoke('R-8')).resolves.toMatchObject({ state: 'denied', storageVersion: 1, untold });

  await service.storage.kill();
  const pending = await revoke('R-8');
  expect(pending).toMatchObject({ state: 'pending', storageVersion: 1 });
  await caller.call('removeStorage');
  await service.storage.start();
  const ended = await eventually('it is given up', () => find(pending, 'abandoned'), 30_000);
  expect(ended).toMatchObject({ lastError: 'StorageReplaced' });
}, 60_000);

it('goes on telling a storage that was away, and gives nothing out meanwhile that was called back', async () => {
  const uploadId = randomUUID();
  const keys = await freshKeys(ORGANISATION, 'R-4', uploadId);
  await service.storage.kill();
  const revocation = await revoke('R-4');
  expect(revocation).toMatchObject({ state: 'pending', deniedAt: null, lastError: expect.any(String) });
  await expect(keysFor(ORGANISATION, 'R-4', uploadId)).rejects.toThrow();
  await service.storage.start();
  await eventually('the storage has been told', () => find(revocation, 'denied'), 30_000);
  expect(await refusalOf(keys)).toBe('AccessDenied');
}, 60_000);
