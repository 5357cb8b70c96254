import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { LOG_PROTO, PROTO_FOLDER, dockModel } from '@aerie/bus-contract';
import { type Message, enumName, timestampOf, wordOf } from '@aerie/grpc-api';
import { CAMPAIGN_STATES, LOG_MODULES, STATES } from '@aerie/log-core';
import { CAMPAIGN_DOCK_STATES, newCampaign } from '../campaigns/campaign.input.js';
import { campaignDockSchema, campaignSchema } from '../campaigns/campaign.schema.js';
import type { FileView } from '../files/file.read-model.js';
import { fileQuery, fileSchema, usageSchema } from '../files/file.schema.js';
import { listingSchema } from '../listings/listing.schema.js';
import type { CampaignView } from '../campaigns/campaign.view.js';
import { policyInput, policySchema } from '../policy/policy.schema.js';
import { uploadDetailSchema } from '../uploads/store/upload.schema.js';
import type { UploadView } from '../uploads/store/upload.view.js';
import { newUpload } from '../uploads/upload.input.js';
import { CampaignsGrpcController } from './campaigns.grpc.controller.js';
import {
  bodyOfCampaign,
  bodyOfPolicy,
  campaignDockMessage,
  campaignMessage,
  policyMessage,
  queryOfCampaigns,
  queryOfDocks,
} from './campaigns.messages.js';
import { versionOf } from './requests.js';
import { UploadsGrpcController } from './uploads.grpc.controller.js';
import {
  type ListingView,
  type UploadDetailView,
  bodyOfListing,
  bodyOfUpload,
  fileMessage,
  listingMessage,
  queryOfFiles,
  queryOfUploads,
  uploadMessage,
  usageMessage,
} from './uploads.messages.js';

const contract = loadSync(LOG_PROTO, {
  includeDirs: [PROTO_FOLDER],
  longs: Number,
  enums: String,
  oneofs: true,
  arrays: true,
});

interface Described {
  readonly type: { readonly field?: readonly { name: string }[]; readonly value?: readonly { name: string }[] };
}
const described = (name: string): Described['type'] => (contract[`log.v1.${name}`] as unknown as Described).type;
const fieldsOf = (name: string): string[] => (described(name).field ?? []).map(({ name: field }) => field);
const namesOf = (name: string): string[] => (described(name).value ?? []).map(({ name: value }) => value);

interface Codec {
  readonly responseSerialize: (message: Message) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Message;
}
const SERVICE = (
  (loadPackageDefinition(contract)['log'] as never)['v1'] as Record<string, { service: Record<string, Codec> }>
)['LogService']?.service as Record<string, Codec>;

/** As it would travel: written and read again by the library. */
function overTheWire(method: string, message: Message): Message {
  const { responseSerialize, responseDeserialize } = SERVICE[method] as Codec;
  return responseDeserialize(responseSerialize(message));
}

const AT = '2030-01-01T12:00:00.250Z';
const STAMP = { seconds: 1_893_499_200, nanos: 250_000_000 };
const CAUSE = {
  code: 'aircraft_off',
  dockResult: 324_015,
  dockError: { en: 'off', zh: '关机' },
  advice: 'start it',
} as const;
/** It was asked for in two ways more than any upload is. */
const UPLOAD: UploadDetailView = {
  ...{ id: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', dockSn: 'DOCK-1', origin: 'campaign' },
  ...{ missionId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', campaignId: 'cccccccc-cccc-4ccc-8ccc-cccccccccccc' },
  files: [{ module: 'dock', bootIndex: 0 }] as never,
  window: { from: AT, until: AT, modules: ['dock'] } as never,
  latest: { count: 3, modules: ['dock', 'aircraft'] },
  ...{ state: 'partly_stored', version: 7, attempt: 2, failures: 1, cause: CAUSE, final: true },
  archives: [
    {
      ...{ module: 'dock', bootIndexes: [0, 7], expectedBytes: 20_000_000_000, state: 'stored', problem: CAUSE },
      ...{ percent: 12.5, reportedBytes: 19_000_000_000 },
    },
  ],
  ...{ yieldsToMissions: true, deadline: AT, nextActionAt: AT, createdBy: 'key:1', createdAt: AT, updatedAt: AT },
  attempts: [{ number: 1, startedAt: AT, endedAt: AT, cause: CAUSE }],
  fileIds: ['dddddddd-dddd-4ddd-8ddd-dddddddddddd'],
};
const CAMPAIGN: CampaignView = {
  ...{ id: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', name: 'Roofs', state: 'stopped', version: 3 },
  ...{ cause: 'too_many_failed', final: false, filter: { sns: ['D-1'], models: ['dock3'], nameContains: 'roof' } },
  logs: { window: UPLOAD.window, latest: UPLOAD.latest },
  ...{ docksPerMinute: 5, concurrent: 2, maxMegabitsPerSecond: 12.5, hours: { from: '22:00', until: '04:30' } },
  ...{ until: AT, stopAtFailedPercent: 20, stopNotBeforeDocks: 10 },
  progress: { docks: 15, waiting: 1, running: 2, done: 3, failed: 4, skipped: 5, megabitsPerSecond: 1.25 },
  ...{ nextActionAt: AT, createdBy: 'key:1', createdAt: AT, updatedAt: AT },
};
const LISTING: ListingView = {
  dockSn: 'DOCK-1',
  listedAt: AT,
  modules: [
    {
      ...{ module: 'aircraft', problem: CAUSE },
      files: [{ bootIndex: 0, startAt: AT, endAt: null, sizeBytes: 20_000_000_000 }],
    },
  ],
};

describe('the contract', () => {
  const listed = listingSchema.shape.modules.element;
  it.each([
    ['LogUpload', uploadDetailSchema],
    ['Archive', uploadDetailSchema.shape.archives.element],
    ['Attempt', uploadDetailSchema.shape.attempts.element],
    ['NewLogUpload', newUpload],
    ['DockLogs', listingSchema],
    ['ModuleLogs', listed],
    ['ListedFile', listed.shape.files.element],
    ['LogFile', fileSchema],
    ['DockUsage', usageSchema.shape.items.element],
    ['LogCampaign', campaignSchema],
    ['CampaignProgress', campaignSchema.shape.progress],
    ['NewLogCampaign', newCampaign],
    ['CampaignDock', campaignDockSchema],
    ['LogPolicy', policySchema],
    ['NewLogPolicy', policyInput],
  ])('has a place in %s for everything that HTTP has', (name, { shape }) => {
    expect(fieldsOf(name).sort()).toEqual(Object.keys(shape).sort());
  });

  it('asks for files by all that HTTP asks for', () => {
    const paged = [...Object.keys(fileQuery.shape), 'pageSize', 'pageToken'];
    expect(fieldsOf('ListLogFilesRequest').sort()).toEqual(paged.sort());
  });

  it.each([
    ['UploadState', 'UPLOAD_STATE', STATES],
    ['UploadOrigin', 'UPLOAD_ORIGIN', uploadDetailSchema.shape.origin.options],
    ['ArchiveState', 'ARCHIVE_STATE', uploadDetailSchema.shape.archives.element.shape.state.options],
    ['LogModule', 'LOG_MODULE', LOG_MODULES],
    ['Proof', 'PROOF', fileSchema.shape.verifiedBy.options],
    ['DockModel', 'DOCK_MODEL', dockModel.options],
    ['CampaignState', 'CAMPAIGN_STATE', CAMPAIGN_STATES],
    ['CampaignDockState', 'CAMPAIGN_DOCK_STATE', CAMPAIGN_DOCK_STATES],
  ])('knows the same words in %s as the service', (name, prefix, words) => {
    const names = [`${prefix}_UNSPECIFIED`, ...words.map((word) => enumName(prefix, word))];
    expect(namesOf(name).sort()).toEqual(names.sort());
    for (const word of words) expect(wordOf(prefix, words, enumName(prefix, word))).toBe(word);
  });

  it('has an answer for every call', () => {
    const answered = [UploadsGrpcController, CampaignsGrpcController].flatMap(({ prototype }) =>
      Object.values(Object.getOwnPropertyDescriptors(prototype)).flatMap(({ value }) => {
        const [pattern] = (Reflect.getMetadata('microservices:pattern', value as object) ?? []) as { rpc: string }[];
        return pattern === undefined ? [] : [pattern.rpc];
      }),
    );
    expect(answered.sort()).toEqual(Object.keys(SERVICE).sort());
  });

  it('keeps to the rules of buf', () => {
    const buf = path.join(PROTO_FOLDER, '..', '..', '..', 'node_modules', '.bin', 'buf');
    const { status, stdout, stderr } = spawnSync(buf, ['lint'], { cwd: PROTO_FOLDER, encoding: 'utf8' });
    expect({ status, problems: `${stdout}${stderr}` }).toEqual({ status: 0, problems: '' });
  }, 30_000);
});

describe('on the wire', () => {
  const cause = { ...CAUSE, dockError: { en: 'off', zh: '关机' } };

  it('an upload loses nothing', () => {
    const { upload } = overTheWire('GetLogUpload', { upload: uploadMessage(UPLOAD) });
    expect(upload).toMatchObject({
      ...UPLOAD,
      ...{ origin: 'UPLOAD_ORIGIN_CAMPAIGN', state: 'UPLOAD_STATE_PARTLY_STORED', cause },
      files: [{ module: 'LOG_MODULE_DOCK', bootIndex: 0 }],
      window: { from: STAMP, until: STAMP, modules: ['LOG_MODULE_DOCK'] },
      latest: { count: 3, modules: ['LOG_MODULE_DOCK', 'LOG_MODULE_AIRCRAFT'] },
      archives: [
        {
          ...{ module: 'LOG_MODULE_DOCK', bootIndexes: [0, 7], expectedBytes: 20_000_000_000, percent: 12.5 },
          ...{ state: 'ARCHIVE_STATE_STORED', problem: cause, reportedBytes: 19_000_000_000 },
        },
      ],
      attempts: [{ number: 1, startedAt: STAMP, endedAt: STAMP, cause }],
      ...{ deadline: STAMP, nextActionAt: STAMP, createdAt: STAMP, updatedAt: STAMP },
    });
  });

  it('an upload leaves out what it does not have', () => {
    const nothing = { files: null, window: null, latest: null, cause: null, missionId: null, nextActionAt: null };
    const bare = { ...UPLOAD, ...nothing, attempts: undefined, fileIds: undefined } as unknown as UploadView;
    const { uploads } = overTheWire('ListLogUploads', { uploads: [uploadMessage(bare)] }) as { uploads: Message[] };
    expect(uploads[0]).toMatchObject({ files: [], attempts: [], fileIds: [] });
    for (const field of ['window', 'latest', 'cause', 'missionId', 'nextActionAt']) {
      expect(uploads[0]?.[field] ?? null).toBeNull();
    }
  });

  it('a campaign loses nothing', () => {
    const { campaign } = overTheWire('GetLogCampaign', { campaign: campaignMessage(CAMPAIGN) });
    expect(campaign).toMatchObject({
      ...CAMPAIGN,
      state: 'CAMPAIGN_STATE_STOPPED',
      filter: { sns: ['D-1'], models: ['DOCK_MODEL_DOCK3'], nameContains: 'roof' },
      logs: { window: { from: STAMP, modules: ['LOG_MODULE_DOCK'] }, latest: { count: 3 } },
      ...{ until: STAMP, nextActionAt: STAMP, createdAt: STAMP, updatedAt: STAMP },
    });
  });

  it('the other answers lose nothing', () => {
    expect(overTheWire('ListDockLogs', { logs: listingMessage(LISTING) })['logs']).toMatchObject({
      ...{ dockSn: 'DOCK-1', listedAt: STAMP },
      modules: [{ problem: cause, files: [{ startAt: STAMP, sizeBytes: 20_000_000_000 }] }],
    });
    const file: FileView = {
      ...{ id: 'f', uploadId: 'u', dockSn: 'D', deviceSn: 'A', module: 'aircraft', missionId: 'm', attempt: 2 },
      ...{ bootIndexes: [7], objectKey: 'o', sizeBytes: 20_000_000_000, fingerprint: 'c0', sha256: 'a0' },
      ...{ verifiedBy: 'size', storedAt: AT, deletedAt: AT },
    };
    expect(overTheWire('GetLogFile', { file: fileMessage(file) })['file']).toMatchObject({
      ...file,
      ...{ module: 'LOG_MODULE_AIRCRAFT', verifiedBy: 'PROOF_SIZE', storedAt: STAMP, deletedAt: STAMP },
    });
    const usage = { dockSn: 'D', files: 3, sizeBytes: 20_000_000_000, lastStoredAt: AT };
    const { docks } = overTheWire('GetLogUsage', { docks: [usageMessage(usage)] });
    expect(docks).toMatchObject([{ ...usage, lastStoredAt: STAMP }]);
    const dock = { dockSn: 'D', state: 'skipped', uploadId: 'u', cause: 'canceled', endedAt: AT } as const;
    expect(overTheWire('ListLogCampaignDocks', { docks: [campaignDockMessage(dock)] })['docks']).toMatchObject([
      { ...dock, state: 'CAMPAIGN_DOCK_STATE_SKIPPED', endedAt: STAMP },
    ]);
    const policy = {
      collectOnFailure: true,
      collectWhenEndedByPerson: true,
      missionsFirst: true,
      retentionDays: 30,
      version: 2,
    };
    const told = policyMessage({ ...policy, collectModules: ['aircraft'] });
    expect(overTheWire('GetLogPolicy', { policy: told })['policy']).toMatchObject({
      ...policy,
      collectModules: ['LOG_MODULE_AIRCRAFT'],
    });
  });
});

describe('a request becomes what HTTP would have got', () => {
  it('for a listing', () => {
    expect(bodyOfListing({ sn: 'D-1', modules: [] })).toEqual({});
    expect(bodyOfListing({ modules: ['LOG_MODULE_DOCK'] })).toEqual({ modules: ['dock'] });
  });

  it('for an upload', () => {
    expect(bodyOfUpload(null)).toEqual({});
    expect(bodyOfUpload({ dockSn: 'D-1', files: [{ module: 'LOG_MODULE_DOCK', bootIndex: 0 }], window: null })).toEqual(
      {
        dockSn: 'D-1',
        files: [{ module: 'dock', bootIndex: 0 }],
      },
    );
    const window = { from: timestampOf(AT), until: timestampOf(AT), modules: ['LOG_MODULE_AIRCRAFT'] };
    expect(bodyOfUpload({ dockSn: 'D-1', files: [], window, latest: { count: 3, modules: [] } })).toEqual({
      dockSn: 'D-1',
      window: { from: AT, until: AT, modules: ['aircraft'] },
      latest: { count: 3 },
    });
  });

  it('for lists', () => {
    const page = { pageSize: 7, pageToken: 'x' };
    const states = ['UPLOAD_STATE_FAILED', 'UPLOAD_STATE_TIMED_OUT'];
    expect(queryOfUploads({ states, dockSn: 'D-1', ...page })).toEqual({
      ...{ state: 'failed,timed_out', dockSn: 'D-1', limit: 7, cursor: 'x' },
    });
    expect(queryOfUploads({ states: [] })).toEqual({});
    expect(queryOfFiles({ module: 'LOG_MODULE_DOCK', from: timestampOf(AT), deleted: true, ...page })).toEqual({
      ...{ module: 'dock', from: AT, deleted: 'true', limit: 7, cursor: 'x' },
    });
    expect(queryOfFiles({ module: 'LOG_MODULE_UNSPECIFIED', deleted: false })).toEqual({});
    expect(queryOfCampaigns({ state: 'CAMPAIGN_STATE_PAUSED', ...page })).toEqual({
      ...{ state: 'paused', limit: 7, cursor: 'x' },
    });
    expect(queryOfDocks({ id: 'c', state: 'CAMPAIGN_DOCK_STATE_DONE', pageSize: 7, pageToken: 'D-1' })).toEqual({
      ...{ state: 'done', limit: 7, cursor: 'D-1' },
    });
  });

  it('for a campaign', () => {
    expect(bodyOfCampaign(null)).toEqual({});
    expect(bodyOfCampaign({ name: 'All', docks: {}, logs: { latest: { count: 1 } }, hours: null })).toEqual({
      ...{ name: 'All', docks: {}, logs: { latest: { count: 1 } } },
    });
    const docks = { sns: ['D-1'], models: ['DOCK_MODEL_DOCK1'], nameContains: 'roof' };
    const hours = { from: '22:00', until: '04:30' };
    expect(bodyOfCampaign({ docks, logs: {}, hours, until: timestampOf(AT), docksPerMinute: 5 })).toEqual({
      ...{ docks: { ...docks, models: ['dock1'] }, logs: {}, hours, until: AT, docksPerMinute: 5 },
    });
  });

  it('for a policy', () => {
    expect(bodyOfPolicy({ collectModules: [] })).toEqual({});
    const policy = { collectOnFailure: false, missionsFirst: false, retentionDays: 30 };
    expect(bodyOfPolicy({ ...policy, collectModules: ['LOG_MODULE_DOCK'] })).toEqual({
      ...policy,
      collectModules: ['dock'],
    });
  });

  it('with the words that nobody knows, so that the checks name them', () => {
    expect(bodyOfListing({ modules: [9] })).toEqual({ modules: ['9'] });
    expect(queryOfUploads({ states: [9] })).toEqual({ state: '9' });
    expect(queryOfFiles({ module: 9 })).toEqual({ module: '9' });
    expect(queryOfCampaigns({ state: 9 })).toEqual({ state: '9' });
    expect(queryOfDocks({ state: 9 })).toEqual({ state: '9' });
    expect(bodyOfCampaign({ docks: { models: [9] }, logs: {} })).toMatchObject({ docks: { models: ['9'] } });
    expect(bodyOfUpload({ files: [{ module: 9 }], latest: { modules: [9] } })).toMatchObject({
      ...{ files: [{ module: '9' }], latest: { modules: ['9'] } },
    });
    expect(bodyOfPolicy({ collectModules: [9] })).toEqual({ collectModules: ['9'] });
    expect(() => versionOf({ expectedVersion: -1 })).toThrow('not valid');
    expect([versionOf({}), versionOf({ expectedVersion: 3 })]).toEqual([null, 3]);
  });
});
