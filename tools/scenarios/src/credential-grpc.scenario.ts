import { Metadata, credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { CREDENTIAL_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { eventually } from '@aerie/testing';
import { World } from './world.js';

type Message = Record<string, unknown>;
type Unary = (request: Message, metadata: Metadata, done: (error: Error | null, answer: Message) => void) => void;
type Client = Record<string, Unary> & { readonly close: () => void };
interface Loaded {
  readonly credential: { readonly v1: { readonly CredentialService: new (address: string, how: unknown) => Client } };
}

let world: World;
let client: Client;
beforeAll(async () => {
  world = await World.start();
  const options = { includeDirs: [PROTO_FOLDER], longs: Number, enums: String, oneofs: true, arrays: true };
  const { credential } = loadPackageDefinition(loadSync(CREDENTIAL_PROTO, options)) as unknown as Loaded;
  client = new credential.v1.CredentialService(world.stack.credentialGrpcAddress, credentials.createInsecure());
}, 120_000);
afterAll(async () => {
  client.close();
  await world.stop();
}, 60_000);

function withKey(key = world.stack.apiKey): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  return metadata;
}
const call = <Answer = Record<string, Message>>(
  method: string,
  request: Message = {},
  metadata = withKey(),
): Promise<Answer> =>
  new Promise((resolve, reject) =>
    client[method]?.(request, metadata, (error, answer) => (error ? reject(error) : resolve(answer as Answer))),
  );

it('shows the storage, and changes it under the same checks as HTTP', async () => {
  const { storage } = await call('GetStorage');
  expect(storage).toMatchObject({ chosenBy: 'CHOSEN_BY_DEPLOYMENT', provider: 'STORAGE_PROVIDER_S3', version: 0 });
  const choice = {
    provider: 'STORAGE_PROVIDER_S3',
    dockEndpoint: world.stack.objectStoreUrl,
    region: 'us-east-1',
    bucket: 'aerie',
    roleArn: 'arn:aws:iam:::role/dock-upload',
    accessKeyId: 'AKEXAMPLE',
    secretAccessKey: 'not the right one',
  };
  const chosen = await call('ReplaceStorage', { storage: choice, expectedVersion: 0 });
  expect(chosen['storage']).toMatchObject({ chosenBy: 'CHOSEN_BY_ORGANISATION', pathStyle: true, version: 1 });
  await expect(call('ReplaceStorage', { storage: choice, expectedVersion: 7 })).rejects.toMatchObject({
    code: status.ABORTED,
  });
  const { report } = await call('ExamineStorage');
  expect(report).toMatchObject({ healthy: false });
  expect(report?.['steps']).toEqual(
    expect.arrayContaining([expect.objectContaining({ step: 'assume_role', verdict: 'STEP_VERDICT_FAILED' })]),
  );
  await expect(call('RevokeKeys', { reason: 'spec' })).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
  expect((await call('RemoveStorage'))['storage']).toMatchObject({ version: 0 });
});

it('names the field that is wrong, in the trailer that HTTP would have answered with', async () => {
  const refused = call('ReplaceStorage', { storage: { provider: 'STORAGE_PROVIDER_S3' } });
  const error = (await refused.catch((caught: unknown) => caught)) as { code: number; metadata: Metadata };
  expect(error.code).toBe(status.INVALID_ARGUMENT);
  const problem = JSON.parse(String(error.metadata.get('problem')[0])) as { errors: { field: string }[] };
  expect(problem.errors.map(({ field }) => field)).toEqual(expect.arrayContaining(['dockEndpoint', 'roleArn']));
});

it('makes addresses, lists them in the ledger, and calls keys back', async () => {
  const upload = { method: 'UPLOAD_METHOD_PUT', name: 'a.txt', contentType: 'text/plain', sizeBytes: 5 };
  const made = await call<Message>('PresignUpload', upload);
  const headers = made['fields'] as Record<string, string>;
  expect((await fetch(String(made['url']), { method: 'PUT', body: 'hello', headers })).status).toBe(200);
  const { url } = await call<Message>('PresignDownload', { objectKey: made['objectKey'] });
  expect(await (await fetch(String(url))).text()).toBe('hello');
  await eventually('both are in the ledger', async () => {
    const { issues } = await call<{ issues: Message[] }>('ListIssues', { prefix: made['objectKey'] });
    return issues.length === 2 ? true : undefined;
  });
  const { revocation } = await call('RevokeKeys', { dockSn: 'SCN-1', formerDock: true, reason: 'spec' });
  expect(revocation).toMatchObject({ dockSn: 'SCN-1', state: 'REVOCATION_STATE_DENIED' });
  const { revocations } = await call<{ revocations: Message[] }>('ListRevocations');
  expect(revocations.map(({ id }) => id)).toEqual([revocation?.['id']]);
});

it('tells nothing to who has no key', async () => {
  await expect(call('GetStorage', {}, new Metadata())).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
});
