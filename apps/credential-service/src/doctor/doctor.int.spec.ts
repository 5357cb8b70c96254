import { type PrivateStorage, type PrivateStorageOptions, freePort, startPrivateStorage } from '@aerie/testing';
import { Secret } from '@aerie/kernel';
import { openProvider } from '../providers/open-provider.js';
import { aStorage } from '../storages/a-storage.fixture.js';
import { Outbound } from '@aerie/outbound';
import type { Storage } from '../storages/storage.js';
import { examine } from './examine.js';
import { NO_ORGANISATION } from './run-doctor.js';
import type { StepResult } from './step.js';

// A storage as it should be, and one for each fault that lies in the storage itself.
const UPLOADS = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
let well: PrivateStorage;
const others: PrivateStorage[] = [];
beforeAll(async () => {
  well = await startPrivateStorage({ roleActions: UPLOADS, region: 'eu-central-1' });
}, 30_000);
afterAll(async () => {
  for (const storage of [well, ...others]) await storage?.remove();
});

async function another(options: PrivateStorageOptions): Promise<PrivateStorage> {
  const storage = await startPrivateStorage(options);
  others.push(storage);
  return storage;
}

async function reportOf(
  server: PrivateStorage,
  parts: Partial<Storage> = {},
  browserOrigin: string | null = null,
): Promise<readonly StepResult[]> {
  const storage = aStorage({
    dockEndpoint: server.url,
    serviceEndpoint: server.url,
    stsEndpoint: server.url,
    region: server.region,
    roleArn: server.roleArn,
    accessKeyId: server.accessKeyId,
    secretAccessKey: new Secret(server.secretAccessKey),
    ...parts,
  });
  const agents = new Outbound(true).agents();
  const clock = { nowMs: () => Date.now() };
  const provider = openProvider(storage, agents, clock);
  try {
    return await examine({ storage, provider, agents, organisationId: NO_ORGANISATION, browserOrigin, clock });
  } finally {
    provider.stop();
    agents.httpAgent.destroy();
  }
}

const firstFault = (steps: readonly StepResult[]): StepResult | undefined =>
  steps.find(({ verdict }) => verdict === 'failed');

it('finds nothing wrong with a storage as it should be, and leaves nothing behind', async () => {
  const steps = await reportOf(well);
  expect(steps.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  expect(steps.filter(({ verdict }) => verdict === 'skipped').map(({ step }) => step)).toEqual(['cors']);
  const again = await reportOf(well);
  expect(again.find(({ step }) => step === 'clean_up')?.found).toBe('2 objects deleted again');
});

it.each([
  ['dockEndpoint', (port: number) => ({ dockEndpoint: `http://127.0.0.1:${port}` })],
  ['serviceEndpoint', (port: number) => ({ serviceEndpoint: `http://127.0.0.1:${port}` })],
  ['stsEndpoint', (port: number) => ({ stsEndpoint: `http://127.0.0.1:${port}` })],
])('names a wrong %s', async (field, parts) => {
  const fault = firstFault(await reportOf(well, parts(await freePort())));
  expect(fault).toMatchObject({ step: 'address', found: expect.stringContaining('nothing listens there') });
  expect(fault?.change).toContain(field);
});

it('names a host that does not resolve', async () => {
  const fault = firstFault(await reportOf(well, { dockEndpoint: 'http://storage.invalid:9000' }));
  expect(fault).toMatchObject({ step: 'address', change: expect.stringContaining('dockEndpoint') });
  expect(fault?.found).toMatch(/does not resolve/);
});

it('names a wrong secret', async () => {
  const fault = firstFault(await reportOf(well, { secretAccessKey: new Secret('another secret') }));
  expect(fault).toMatchObject({ step: 'assume_role', change: expect.stringContaining('secretAccessKey') });
  expect(fault?.found).toContain('the secret is wrong');
});

it('names an access key that does not exist', async () => {
  const fault = firstFault(await reportOf(well, { accessKeyId: 'AKNOBODY' }));
  expect(fault).toMatchObject({ step: 'assume_role', found: expect.stringContaining('does not know this access key') });
});

it('names a role that does not exist', async () => {
  const fault = firstFault(await reportOf(well, { roleArn: 'arn:aws:iam::000000000000:role/nobody' }));
  expect(fault).toMatchObject({ step: 'assume_role', change: expect.stringContaining('role') });
});

it('names a bucket that is missing', async () => {
  const fault = firstFault(await reportOf(well, { bucket: 'elsewhere' }));
  expect(fault).toMatchObject({ step: 'bucket', found: 'there is no bucket elsewhere' });
  expect(fault?.change).toContain('bucket');
});

it('names a role without rights', async () => {
  const storage = await another({ roleActions: ['s3:GetBucketLocation'] });
  const fault = firstFault(await reportOf(storage));
  expect(fault).toMatchObject({ step: 'put', found: expect.stringContaining('the role has no right to') });
  expect(fault?.change).toContain('s3:PutObject');
});

it.each([20, -20])('names a clock that is off by %i minutes', async (minutes) => {
  const storage = await another({ roleActions: UPLOADS, clockAheadMs: minutes * 60_000 });
  const fault = firstFault(await reportOf(storage));
  expect(fault).toMatchObject({ step: 'clock', change: expect.stringContaining('NTP') });
  expect(fault?.found).toMatch(minutes > 0 ? /1(199|200) s ahead of/ : /1(199|200|201) s behind/);
});

it('names a wrong region, and the right one', async () => {
  const fault = firstFault(await reportOf(well, { region: 'us-west-2' }));
  expect(fault).toMatchObject({ step: 'assume_role', found: expect.stringContaining('another region') });
  expect(fault?.change).toContain('eu-central-1');
});

it('says that path style is needed', async () => {
  // With the bucket in the host, the name of the host is one that nobody knows, or the storage takes it for a key.
  const endpoint = well.url.replace('127.0.0.1', 'localhost');
  const parts = { dockEndpoint: endpoint, serviceEndpoint: endpoint, stsEndpoint: endpoint, pathStyle: false };
  const fault = firstFault(await reportOf(well, parts));
  expect(fault).toMatchObject({ change: 'Set pathStyle to true.' });
  expect(fault?.found).toContain('in the path of URLs');
});

it('names a missing rule for pages of the console', async () => {
  const fault = firstFault(await reportOf(well, {}, 'https://console.example.com'));
  expect(fault).toMatchObject({ step: 'cors', change: expect.stringContaining('https://console.example.com') });
});

it('never says a secret', async () => {
  const secret = 'a secret that nobody is told';
  const reports = [await reportOf(well, { secretAccessKey: new Secret(secret) }), await reportOf(well)];
  const text = JSON.stringify(reports);
  expect([text.includes(secret), text.includes(well.secretAccessKey)]).toEqual([false, false]);
});
