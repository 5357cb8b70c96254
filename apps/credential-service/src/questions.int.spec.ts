import { randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { presignDownloadQuestion, uploadKeysQuestion } from '@aerie/bus-contract';
import { ask } from '@aerie/messaging';
import { ORGANISATION, type RunningService, startService } from './running-service.fixture.js';

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
    await service.dataSource.query('ALTER TABLE credential.issue RENAME TO issue_elsewhere');
    try {
      await expect(keysFor()).rejects.toMatchObject({ cause: { code: 'ledger_unavailable' } });
    } finally {
      await service.dataSource.query('ALTER TABLE credential.issue_elsewhere RENAME TO issue');
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
});
