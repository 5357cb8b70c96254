import { Metadata, credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { LOG_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { eventually } from '@aerie/testing';
import { World } from './world.js';

type Message = Record<string, unknown>;
type Unary = (request: Message, metadata: Metadata, done: (error: Error | null, answer: Message) => void) => void;
type Client = Record<string, Unary> & { readonly close: () => void };
interface Loaded {
  readonly log: { readonly v1: { readonly LogService: new (address: string, how: unknown) => Client } };
}

let world: World;
let client: Client;
beforeAll(async () => {
  world = await World.start();
  const options = { includeDirs: [PROTO_FOLDER], longs: Number, enums: String, oneofs: true, arrays: true };
  const { log } = loadPackageDefinition(loadSync(LOG_PROTO, options)) as unknown as Loaded;
  client = new log.v1.LogService(world.stack.logGrpcAddress, credentials.createInsecure());
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

it('lists the logs of a dock, uploads the newest of each, and says where to download them', async () => {
  const dock = await world.dock({ speed: 200 });
  const { logs } = await call<{ logs: { modules: { module: string; files: Message[] }[] } }>('ListDockLogs', {
    sn: dock.sn,
  });
  expect(logs.modules.map(({ module, files }) => [module, files.length > 0])).toEqual([
    ['LOG_MODULE_DOCK', true],
    ['LOG_MODULE_AIRCRAFT', true],
  ]);
  const request = { upload: { dockSn: dock.sn, latest: { count: 1 } }, idempotencyKey: `first-of-${dock.sn}` };
  const { upload } = await call('CreateLogUpload', request);
  expect(upload).toMatchObject({ state: 'UPLOAD_STATE_REQUESTED', origin: 'UPLOAD_ORIGIN_PERSON', version: 1 });
  expect((await call('CreateLogUpload', request))['upload']).toMatchObject({ id: upload?.['id'], version: 1 });
  const stored = await eventually(
    'the upload is stored',
    async () => {
      const { upload: now } = await call('GetLogUpload', { id: upload?.['id'] });
      return now?.['final'] === true ? now : undefined;
    },
    60_000,
  );
  expect(stored).toMatchObject({ state: 'UPLOAD_STATE_STORED', attempts: [{ number: 1 }] });
  const { files } = await call<{ files: Message[] }>('ListLogFiles', { uploadId: upload?.['id'] });
  expect(files.map(({ id }) => id).sort()).toEqual([...(stored['fileIds'] as string[])].sort());
  for (const file of files) {
    const { url, saveAs } = await call<Message>('GetLogFileDownload', { id: file['id'] });
    expect(saveAs).toContain(dock.sn);
    expect((await (await fetch(String(url))).arrayBuffer()).byteLength).toBe(file['sizeBytes']);
    expect((await call('GetLogFile', { id: file['id'] }))['file']).toMatchObject({ objectKey: file['objectKey'] });
  }
  const { docks } = await call<{ docks: Message[] }>('GetLogUsage');
  expect(docks.find(({ dockSn }) => dockSn === dock.sn)).toMatchObject({ files: 2 });
  const late = call('CancelLogUpload', { id: upload?.['id'] });
  await expect(late).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
}, 120_000);

it('makes a campaign, pauses it, lets it go on, and calls it off', async () => {
  const dock = await world.dock({ speed: 200 });
  const campaign = { name: 'All', docks: { sns: [dock.sn] }, logs: { latest: { count: 1 } }, stopAtFailedPercent: 0 };
  const { campaign: made } = await call('CreateLogCampaign', { campaign });
  expect(made).toMatchObject({ state: 'CAMPAIGN_STATE_RUNNING', filter: { sns: [dock.sn] }, progress: { docks: 1 } });
  const id = made?.['id'];
  const outdated = call('CancelLogCampaign', { id, expectedVersion: 9 });
  await expect(outdated).rejects.toMatchObject({ code: status.ABORTED });
  expect((await call('PauseLogCampaign', { id }))['campaign']).toMatchObject({ state: 'CAMPAIGN_STATE_PAUSED' });
  expect((await call('ResumeLogCampaign', { id }))['campaign']).toMatchObject({ state: 'CAMPAIGN_STATE_RUNNING' });
  const { docks } = await call<{ docks: Message[] }>('ListLogCampaignDocks', { id });
  expect(docks.map(({ dockSn }) => dockSn)).toEqual([dock.sn]);
  expect((await call('CancelLogCampaign', { id }))['campaign']).toMatchObject({ state: 'CAMPAIGN_STATE_CANCELED' });
  const { campaigns } = await call<{ campaigns: Message[] }>('ListLogCampaigns', { state: 'CAMPAIGN_STATE_CANCELED' });
  expect(campaigns.map((one) => one['id'])).toEqual([id]);
});

it('shows the policy, and changes it under the same checks as HTTP', async () => {
  expect((await call('GetLogPolicy'))['policy']).toMatchObject({ missionsFirst: true, version: 0 });
  const policy = { collectOnFailure: false, collectModules: ['LOG_MODULE_DOCK'], retentionDays: 30 };
  const { policy: now } = await call('ReplaceLogPolicy', { policy, expectedVersion: 0 });
  expect(now).toMatchObject({
    collectModules: ['LOG_MODULE_DOCK'],
    missionsFirst: true,
    retentionDays: 30,
    version: 1,
  });
});

it('names the field that is wrong, in the trailer that HTTP would have answered with', async () => {
  const fieldsOf = async (refused: Promise<unknown>): Promise<[number, string[]]> => {
    const error = (await refused.catch((caught: unknown) => caught)) as { code: number; metadata: Metadata };
    const problem = JSON.parse(String(error.metadata.get('problem')[0])) as { errors: { field: string }[] };
    return [error.code, problem.errors.map(({ field }) => field).sort()];
  };
  const { INVALID_ARGUMENT, NOT_FOUND } = status;
  expect(await fieldsOf(call('CreateLogUpload'))).toEqual([INVALID_ARGUMENT, ['dockSn']]);
  const noChoice = { upload: { dockSn: 'SCN-1' } };
  expect(await fieldsOf(call('CreateLogUpload', noChoice))).toEqual([INVALID_ARGUMENT, ['files']]);
  expect(await fieldsOf(call('CreateLogCampaign'))).toEqual([INVALID_ARGUMENT, ['docks', 'logs', 'name']]);
  expect(await fieldsOf(call('ReplaceLogPolicy'))).toEqual([INVALID_ARGUMENT, ['collectOnFailure']]);
  expect(await fieldsOf(call('ListDockLogs', { sn: 'GONE' }))).toEqual([NOT_FOUND, ['sn']]);
  for (const method of ['GetLogUpload', 'GetLogFile', 'GetLogCampaign']) {
    expect([method, await fieldsOf(call(method))]).toEqual([method, [NOT_FOUND, ['id']]]);
  }
});

it('tells nothing to who has no key', async () => {
  await expect(call('GetLogPolicy', {}, new Metadata())).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
});
