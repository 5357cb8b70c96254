import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  type CallParts,
  Caller,
  describeAudit,
  describePermissions,
  describeRefusedInput,
  keyOfRole,
  successesOf,
} from '@aerie/http-api/testing';
import { fill } from '@aerie/persistence/testing';
import { eventually } from '@aerie/testing';
import { API_KEY, OTHER_API_KEY, type RunningService, startService } from '../running-service.fixture.js';
import { playUpload } from './play-upload.fixture.js';
import { LOG_API, ROUTES } from './log-api.js';

let service: RunningService;
let caller: Caller;
beforeAll(async () => {
  service = await startService();
  caller = new Caller({ url: service.url, routes: ROUTES, key: API_KEY });
}, 60_000);
afterAll(() => service?.stop(), 30_000);

type Body = Readonly<Record<string, unknown>>;
const fieldsOf = (body: Body): string[] => (body['errors'] as { field: string }[]).map(({ field }) => field);
const itemsOf = (body: Body): Body[] => body['items'] as Body[];
const countOf = async (table: string): Promise<number> => {
  const [row] = await service.dataSource.query<{ count: string }[]>(`SELECT count(*) AS count FROM log.${table}`);
  return Number(row?.count);
};

const BACKWARDS = { from: '2030-01-02T00:00:00Z', until: '2030-01-01T00:00:00Z' };

describe('a listing', () => {
  it('tells what a dock and its aircraft have, and what to do about an aircraft that is off', async () => {
    const { status, body } = await caller.call('createLogListing', { params: { sn: 'NEAR-1' } });
    expect([status, body['dockSn']]).toEqual([200, 'NEAR-1']);
    expect(body['modules']).toMatchObject([
      { module: 'dock', problem: null, files: [{ bootIndex: 7 }, { bootIndex: 8, endAt: null, sizeBytes: 3_000_000 }] },
      {
        module: 'aircraft',
        problem: { code: 'aircraft_off', advice: expect.stringContaining('drone_open') },
        files: [],
      },
    ]);
    const some = await caller.call('createLogListing', { params: { sn: 'NEAR-1' }, body: { modules: ['dock'] } });
    expect(some.body['modules']).toMatchObject([{ module: 'dock' }]);
  });

  it.each([
    ['says nothing', 'SILENT-1', null],
    ['is away', 'AWAY-1', null],
    ['says no', 'REFUSES-1', 324_013],
  ])('is a matter of the dock that %s', async (_what, sn, dockResult) => {
    const { status, body } = await caller.call('createLogListing', { params: { sn } });
    expect([status, body['code'], body['dockResult'], fieldsOf(body)]).toEqual([
      504,
      'dock_silent',
      dockResult,
      ['sn'],
    ]);
  });

  it('tells no instant where the dock names none of any calendar', async () => {
    const { status, body } = await caller.call('createLogListing', { params: { sn: 'NEAR-2' } });
    expect(status).toBe(200);
    expect(body['modules']).toMatchObject([
      { files: [{ bootIndex: 9, startAt: null, endAt: null, sizeBytes: 1e12 }] },
      { files: [] },
    ]);
  });

  it('is made of docks of the organisation only, and asks nobody where the input is wrong', async () => {
    const asked = await countOf('dock_call');
    for (const sn of ['THEIRS-1', 'GONE-1', 'A-NEAR-1', 'N 1', '..', 'N\u0000']) {
      const { status, body } = await caller.call('createLogListing', { params: { sn: encodeURIComponent(sn) } });
      expect([sn, status]).toEqual([sn, 404]);
      if (/^[\w -]+$/.test(sn)) expect([body['code'], fieldsOf(body)]).toEqual(['unknown_dock', ['sn']]);
    }
    const params = { sn: 'NEAR-1' };
    const doubled = await caller.call('createLogListing', { params, body: { modules: ['dock', 'dock'] } });
    expect([doubled.status, fieldsOf(doubled.body)]).toEqual([422, ['modules']]);
    const wrong = await caller.call('createLogListing', { params, body: { modules: ['rc'], speling: 1 } });
    expect(fieldsOf(wrong.body).sort()).toEqual(['modules.0', 'speling']);
    expect(await countOf('dock_call')).toBe(asked);
  });
});

describe('an upload', () => {
  const request = (parts: Body, more: CallParts = {}) =>
    caller.call('createLogUpload', { body: { dockSn: 'AWAY-1', ...parts }, ...more });

  it.each([
    ['files', { files: [{ module: 'dock', bootIndex: 7 }] }, { files: [{ module: 'dock', bootIndex: 7 }] }],
    [
      'window',
      { window: { from: '2027-05-01T00:00:00+02:00', until: '2027-05-02T00:00:00+02:00' } },
      { window: { from: '2027-04-30T22:00:00.000Z', modules: ['dock', 'aircraft'] }, files: null },
    ],
    ['latest', { latest: { count: 3, modules: ['aircraft'] } }, { latest: { count: 3, modules: ['aircraft'] } }],
  ])('can be asked for by %s', async (_what, parts, shown) => {
    const { status, body } = await request({ ...parts, missionId: randomUUID() });
    expect(status).toBe(201);
    expect(body).toMatchObject({ state: 'requested', version: 1, origin: 'person', createdBy: 'key:key-1', ...shown });
  });

  it('is asked for once under a key, and the key serves no other request', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await request({ latest: { count: 1 } }, { headers });
    const before = await countOf('upload');
    expect((await request({ latest: { count: 1 } }, { headers })).text).toBe(first.text);
    const other = await request({ latest: { count: 2 } }, { headers });
    expect([other.status, other.body['code'], fieldsOf(other.body)]).toEqual([
      ...[422, 'idempotency_key_reused', ['Idempotency-Key']],
    ]);
    expect(await countOf('upload')).toBe(before);
  });

  it.each([
    ['dockSn', 422, { dockSn: '../D', latest: { count: 1 } }],
    ['dockSn', 404, { dockSn: 'THEIRS-1', latest: { count: 1 } }],
    ['files', 422, {}],
    ['files', 422, { files: [{ module: 'dock', bootIndex: 7 }], latest: { count: 1 } }],
    ['files', 422, { files: [] }],
    ['files.0.module', 422, { files: [{ module: 'rc', bootIndex: 7 }] }],
    ['files.0.bootIndex', 422, { files: [{ module: 'dock', bootIndex: -1 }] }],
    ['window.from', 422, { window: { from: 'yesterday', until: '2027-05-02T00:00:00Z' } }],
    ['window.until', 422, { window: { from: '2027-05-02T00:00:00Z', until: '2027-05-02T00:00:00Z' } }],
    ['latest.count', 422, { latest: { count: 0 } }],
    ['missionId', 422, { latest: { count: 1 }, missionId: 'the first' }],
    ['speling', 422, { latest: { count: 1 }, speling: 1 }],
  ])('is refused with a wrong %s (%i), and nothing is written', async (field, expected, parts) => {
    const before = await countOf('upload');
    const { status, body } = await request(parts);
    expect([status, fieldsOf(body)]).toEqual([expected, [field]]);
    expect(await countOf('upload')).toBe(before);
  });

  it('is refused where the body cannot be read, or is too large', async () => {
    expect((await caller.call('createLogUpload', { body: '{' })).status).toBe(400);
    expect((await caller.call('createLogUpload', { body: { dockSn: 'x'.repeat(70_000) } })).status).toBe(413);
    const headers = { 'Idempotency-Key': randomUUID() };
    const deep = await caller.call('createLogUpload', { body: `${'['.repeat(30_000)}${']'.repeat(30_000)}`, headers });
    expect([deep.status, fieldsOf(deep.body)]).toEqual([422, ['body']]);
  });

  it('is told with its attempts, its archives and all that happened', async () => {
    const missionId = randomUUID();
    const id = await playUpload(service.dataSource, { dockSn: 'AWAY-1', missionId });
    const { body } = await caller.call('getLogUpload', { params: { id } });
    expect(body).toMatchObject({
      ...{ state: 'partly_stored', final: true, missionId, attempt: 2, failures: 1, nextActionAt: null },
      archives: [
        { module: 'dock', state: 'stored', bootIndexes: [7, 8], reportedBytes: 9_000_000 },
        { module: 'aircraft', state: 'unavailable', problem: { code: 'aircraft_off', dockResult: 324_015 } },
      ],
      attempts: [{ number: 1, cause: { code: 'start_refused', dockError: { en: 'log list failed' } } }, { number: 2 }],
      fileIds: [expect.any(String)],
    });
    const { body: timeline } = await caller.call('getLogUploadTimeline', { params: { id } });
    expect(itemsOf(timeline)[0]).toMatchObject({ kind: 'note', what: 'requested', version: 1 });
    expect(itemsOf(timeline).at(-1)).toMatchObject({ kind: 'decision', what: 'objectsChecked', to: body['state'] });
    expect(itemsOf((await caller.call('listLogUploads', { query: { missionId } })).body)).toHaveLength(1);
    // Of a long life the end is told.
    await fill(service.dataSource, (tx) =>
      tx.run(
        `INSERT INTO log.timeline (upload_id, kind, what, detail)
         SELECT $1, 'note', 'line ' || number, '{}' FROM generate_series(1, 10000) AS number`,
        [id],
      ),
    );
    const long = itemsOf((await caller.call('getLogUploadTimeline', { params: { id } })).body);
    expect([long.length, long[0]?.['what'], long.at(-1)?.['what']]).toEqual([10_000, 'line 1', 'line 10000']);
  });

  it('is listed by dock, state and campaign, page by page, and to nobody else', async () => {
    const query = { dockSn: 'AWAY-1', limit: '2' };
    const first = await caller.call('listLogUploads', { query });
    const second = await caller.call('listLogUploads', {
      query: { ...query, cursor: String(first.body['nextCursor']) },
    });
    const ids = [...itemsOf(first.body), ...itemsOf(second.body)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    const some = await caller.call('listLogUploads', { query: { state: 'partly_stored,failed', dockSn: 'AWAY-1' } });
    expect(itemsOf(some.body)).toMatchObject([{ state: 'partly_stored' }]);
    expect(itemsOf((await caller.call('listLogUploads', { query: { campaignId: randomUUID() } })).body)).toEqual([]);
    expect(itemsOf((await caller.call('listLogUploads', { key: OTHER_API_KEY })).body)).toEqual([]);
    for (const wrong of [{ state: 'lost' }, { dockSn: '../D' }, { limit: '0' }, { cursor: 'x' }, { missionId: '1' }]) {
      expect((await caller.call('listLogUploads', { query: wrong })).status).toBe(422);
    }
  });

  it('can be called off, twice, and is being stopped where the dock exports', async () => {
    const params = { id: String((await request({ latest: { count: 1 } })).body['id']) };
    expect((await caller.call('cancelLogUpload', { params })).body).toMatchObject({ state: 'canceled', final: true });
    expect((await caller.call('cancelLogUpload', { params })).body).toMatchObject({ state: 'canceled' });
    const exporting = { id: await playUpload(service.dataSource, { dockSn: 'AWAY-2', until: 'uploading' }) };
    const { body } = await caller.call('cancelLogUpload', { params: exporting, headers: { 'If-Match': '*' } });
    expect(body).toMatchObject({ state: 'stopping', archives: [{ percent: 40 }, {}] });
  });

  it('is not called off by somebody who saw another version, or once it has ended', async () => {
    const params = { id: await playUpload(service.dataSource, { dockSn: 'AWAY-1' }) };
    const { body: seen } = await caller.call('getLogUpload', { params });
    const outdated = await caller.call('cancelLogUpload', { params, headers: { 'If-Match': '"1"' } });
    expect([outdated.status, outdated.body['version']]).toEqual([412, seen['version']]);
    const wrong = await caller.call('cancelLogUpload', { params, headers: { 'If-Match': '7' } });
    expect([wrong.status, fieldsOf(wrong.body)]).toEqual([422, ['If-Match']]);
    const late = await caller.call('cancelLogUpload', { params });
    expect([late.status, late.body['code'], late.body['state']]).toEqual([409, 'upload_state', 'partly_stored']);
    expect((await caller.call('getLogUpload', { params })).body['version']).toBe(seen['version']);
  });

  it('is nothing to others, and no id is none', async () => {
    const id = await playUpload(service.dataSource, { dockSn: 'AWAY-1' });
    for (const operationId of ['getLogUpload', 'getLogUploadTimeline', 'cancelLogUpload']) {
      for (const parts of [{ params: { id }, key: OTHER_API_KEY }, { params: { id: 'one' } }, unknown()]) {
        const { status, body } = await caller.call(operationId, parts);
        expect([status, body['code'], fieldsOf(body)]).toEqual([404, 'unknown_upload', ['id']]);
      }
    }
  });
});

const unknown = (): CallParts => ({ params: { id: randomUUID() } });

describe('files', () => {
  const aFile = async (): Promise<{ readonly id: string; readonly uploadId: string; readonly missionId: string }> => {
    const missionId = randomUUID();
    const uploadId = await playUpload(service.dataSource, { dockSn: 'AWAY-1', missionId });
    const { body } = await caller.call('listLogFiles', { query: { uploadId } });
    return { id: String(itemsOf(body)[0]?.['id']), uploadId, missionId };
  };
  const forget = (id: string) =>
    service.dataSource.query('UPDATE log.file SET deleted_at = clock_timestamp() WHERE id = $1', [id]);

  it('are shown, and listed by all that they are known by', async () => {
    const { id, uploadId, missionId } = await aFile();
    const { body } = await caller.call('getLogFile', { params: { id } });
    expect(body).toMatchObject({
      ...{ id, uploadId, missionId, module: 'dock', deviceSn: 'AWAY-1', attempt: 2, bootIndexes: [7, 8] },
      ...{ sizeBytes: 9_000_000, verifiedBy: 'fingerprint', fingerprint: 'c0ffee', deletedAt: null },
    });
    const past = { from: '2026-01-01T00:00:00Z', module: 'dock', dockSn: 'AWAY-1' };
    expect(itemsOf((await caller.call('listLogFiles', { query: { missionId, ...past } })).body)).toEqual([body]);
    // An offset and a year that JavaScript knows and PostgreSQL does not.
    for (const from of ['2026-01-01T00:00:00+16:00', '0000-01-01T00:00:00Z']) {
      expect(itemsOf((await caller.call('listLogFiles', { query: { missionId, from } })).body)).toEqual([body]);
    }
    const future = { until: '2026-01-01T00:00:00Z' };
    expect(itemsOf((await caller.call('listLogFiles', { query: future })).body)).toEqual([]);
    expect(itemsOf((await caller.call('listLogFiles', { key: OTHER_API_KEY })).body)).toEqual([]);
    for (const wrong of [{ module: 'rc' }, { deleted: 'perhaps' }, { from: 'yesterday' }, { uploadId: '1' }]) {
      const refused = await caller.call('listLogFiles', { query: wrong });
      expect([refused.status, fieldsOf(refused.body)]).toEqual([422, Object.keys(wrong)]);
    }
    const backwards = await caller.call('listLogFiles', { query: BACKWARDS });
    expect([backwards.status, fieldsOf(backwards.body)]).toEqual([422, ['until']]);
  });

  it('are downloaded at an address, under a name that tells what they are', async () => {
    const { id, uploadId } = await aFile();
    const { body } = await caller.call('getLogFileDownload', { params: { id } });
    expect(body['saveAs']).toMatch(/^AWAY-1-dock-8-\d{8}\.tar$/);
    expect(await (await fetch(String(body['url']))).text()).toContain(uploadId);
  });

  it('are packed into a ZIP with a manifest', async () => {
    const files = [await aFile(), await aFile()];
    const { status, text } = await caller.call('createLogBundle', { body: { fileIds: files.map(({ id }) => id) } });
    expect(status).toBe(200);
    // Neither the manifest's name nor the archives themselves are packed.
    for (const part of ['manifest.json', ...files.map(({ uploadId }) => uploadId)]) expect(text).toContain(part);
  });

  it('are kept as evidence when their content is deleted', async () => {
    const { id, uploadId } = await aFile();
    await forget(id);
    expect((await caller.call('getLogFile', { params: { id } })).body['deletedAt']).not.toBeNull();
    expect(itemsOf((await caller.call('listLogFiles', { query: { uploadId } })).body)).toEqual([]);
    const all = await caller.call('listLogFiles', { query: { uploadId, deleted: 'true' } });
    expect(itemsOf(all.body)).toHaveLength(1);
    const download = await caller.call('getLogFileDownload', { params: { id } });
    expect([download.status, download.body['code'], fieldsOf(download.body)]).toEqual([409, 'file_deleted', ['id']]);
    const bundle = await caller.call('createLogBundle', { body: { fileIds: [id] } });
    expect([bundle.status, bundle.body['code'], fieldsOf(bundle.body)]).toEqual([409, 'file_deleted', ['fileIds']]);
  });

  it('are counted for each dock', async () => {
    const { body } = await caller.call('getLogUsage');
    expect(itemsOf(body)).toMatchObject([{ dockSn: 'AWAY-1', sizeBytes: Number(itemsOf(body)[0]?.['files']) * 9e6 }]);
    expect(itemsOf((await caller.call('getLogUsage', { key: OTHER_API_KEY })).body)).toEqual([]);
  });

  it('are nothing to others, and no id is none', async () => {
    const { id } = await aFile();
    for (const operationId of ['getLogFile', 'getLogFileDownload']) {
      for (const parts of [{ params: { id }, key: OTHER_API_KEY }, { params: { id: 'one' } }, unknown()]) {
        const { status, body } = await caller.call(operationId, parts);
        expect([status, body['code'], fieldsOf(body)]).toEqual([404, 'unknown_file', ['id']]);
      }
    }
    const some = await caller.call('createLogBundle', { body: { fileIds: [id, randomUUID()] } });
    expect([some.status, some.body['code'], fieldsOf(some.body)]).toEqual([404, 'unknown_file', ['fileIds.1']]);
  });

  it.each([
    ['fileIds', {}],
    ['fileIds', { fileIds: [] }],
    ['fileIds', { fileIds: ['11111111-1111-4111-8111-111111111111', '11111111-1111-4111-8111-111111111111'] }],
    ['fileIds.0', { fileIds: ['one'] }],
  ])('are not packed with wrong %s', async (field, body) => {
    const refused = await caller.call('createLogBundle', { body });
    expect([refused.status, fieldsOf(refused.body)]).toEqual([422, [field]]);
  });

  it('are not packed beyond a size', async () => {
    const { id } = await aFile();
    await service.dataSource.query('UPDATE log.file SET size_bytes = 5000000000 WHERE id = $1', [id]);
    const { status, body } = await caller.call('createLogBundle', { body: { fileIds: [id] } });
    expect([status, body['code'], fieldsOf(body)]).toEqual([422, 'bundle_too_large', ['fileIds']]);
    await forget(id);
  });
});

describe('a campaign', () => {
  const aWish = (parts: Body = {}): Body => ({
    ...{ name: 'Roofs', docks: { nameContains: 'Roof' }, logs: { latest: { count: 1 } } },
    ...parts,
  });
  const create = (parts: Body = {}, more: CallParts = {}) =>
    caller.call('createLogCampaign', { body: aWish(parts), ...more });
  const created = async (parts: Body = {}): Promise<{ id: string }> => ({
    id: String((await create(parts)).body['id']),
  });

  it('is made of the docks that fit, with everything that can be said', async () => {
    const { status, body } = await create({
      ...{ docks: { sns: ['AWAY-1', 'AWAY-2'], models: ['dock2', 'dock3'] }, docksPerMinute: 5, concurrent: 2 },
      ...{ logs: { window: { from: '2027-05-01T00:00:00Z', until: '2027-05-02T00:00:00Z', modules: ['dock'] } } },
      ...{ maxMegabitsPerSecond: 12.5, hours: { from: '22:00', until: '04:30' }, until: '2099-01-01T00:00:00+01:00' },
      ...{ stopAtFailedPercent: 50, stopNotBeforeDocks: 3 },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...{ state: 'running', version: 1, final: false, filter: { sns: ['AWAY-1', 'AWAY-2'] }, createdBy: 'key:key-1' },
      ...{ logs: { latest: null, window: { modules: ['dock'] } }, hours: { from: '22:00', until: '04:30' } },
      ...{ maxMegabitsPerSecond: 12.5, until: '2098-12-31T23:00:00.000Z', progress: { docks: 2, waiting: 2 } },
    });
    await caller.call('getLogCampaign', { params: { id: String(body['id']) } });
  });

  it('is made once under a key', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await create({}, { headers });
    const before = await countOf('campaign');
    expect((await create({}, { headers })).text).toBe(first.text);
    expect((await create({ name: 'Others' }, { headers })).body['code']).toBe('idempotency_key_reused');
    expect(await countOf('campaign')).toBe(before);
  });

  it.each([
    ['name', 422, { name: ' ' }],
    ['docks', 422, { docks: undefined }],
    ['docks', 422, { docks: { nameContains: 'no such name' } }],
    ['docks.sns.0', 422, { docks: { sns: ['../D'] } }],
    ['docks.sns.1', 404, { docks: { sns: ['AWAY-1', 'THEIRS-1'] } }],
    ['docks.models.0', 422, { docks: { models: ['dock9'] } }],
    ['logs', 422, { logs: {} }],
    ['logs.window.until', 422, { logs: { window: { from: '2027-05-02T00:00:00Z', until: '2027-05-01T00:00:00Z' } } }],
    ['logs.files', 422, { logs: { files: [{ module: 'dock', bootIndex: 7 }], latest: { count: 1 } } }],
    ['name', 422, { name: 'a\u0000b' }],
    ['docks.nameContains', 422, { docks: { nameContains: '\u0000' } }],
    ['docksPerMinute', 422, { docksPerMinute: 0 }],
    ['hours.from', 422, { hours: { from: '24:00', until: '04:00' } }],
    ['until', 422, { until: '2020-01-01T00:00:00Z' }],
    ['stopAtFailedPercent', 422, { stopAtFailedPercent: 101 }],
    ['speling', 422, { speling: 1 }],
  ])('is refused with wrong %s (%i), and nothing is written', async (field, expected, parts) => {
    const before = await countOf('campaign');
    const { status, body } = await create(parts);
    expect([status, fieldsOf(body)]).toEqual([expected, [field]]);
    expect(await countOf('campaign')).toBe(before);
  });

  it('is paused, resumed and called off, each twice, under versions of its own', async () => {
    const params = await created();
    const control = async (operationId: string) => (await caller.call(operationId, { params })).body;
    expect(await control('pauseLogCampaign')).toMatchObject({ state: 'paused', version: 2 });
    expect(await control('pauseLogCampaign')).toMatchObject({ state: 'paused', version: 2 });
    expect(await control('resumeLogCampaign')).toMatchObject({ state: 'running', version: 3 });
    const outdated = await caller.call('cancelLogCampaign', { params, headers: { 'If-Match': '"2"' } });
    expect([outdated.status, outdated.body['version']]).toEqual([412, 3]);
    expect(await control('cancelLogCampaign')).toMatchObject({
      state: 'canceled',
      final: true,
      progress: { skipped: 1 },
    });
    expect(await control('cancelLogCampaign')).toMatchObject({ state: 'canceled', version: 4 });
    for (const operationId of ['pauseLogCampaign', 'resumeLogCampaign']) {
      const { status, body } = await caller.call(operationId, { params });
      expect([status, body['code'], body['state']]).toEqual([409, 'campaign_state', 'canceled']);
    }
  });

  it('tells what became of each dock, and calls off what runs', async () => {
    const params = await created({ docks: { sns: ['AWAY-1', 'NEAR-1'] } });
    const docks = async (query: Record<string, string> = {}) =>
      itemsOf((await caller.call('listLogCampaignDocks', { params, query })).body);
    await eventually('the dock that is there has begun', async () => (await docks({ state: 'running' })).length === 1);
    expect(await docks()).toMatchObject([
      { dockSn: 'AWAY-1', state: 'waiting', uploadId: null },
      { dockSn: 'NEAR-1', state: 'running', uploadId: expect.any(String), endedAt: null },
    ]);
    const page = async (query: Record<string, string>) =>
      (await caller.call('listLogCampaignDocks', { params, query: { limit: '1', ...query } })).body;
    const first = await page({});
    expect(first).toMatchObject({ items: [{ dockSn: 'AWAY-1' }], nextCursor: expect.any(String) });
    const rest = await page({ cursor: String(first['nextCursor']) });
    expect(rest).toMatchObject({ items: [{ dockSn: 'NEAR-1' }], nextCursor: null });
    const uploads = await caller.call('listLogUploads', { query: { campaignId: params.id } });
    expect(itemsOf(uploads.body)).toMatchObject([{ origin: 'campaign', createdBy: `campaign:${params.id}` }]);
    await caller.call('cancelLogCampaign', { params });
    await eventually('its upload is called off', async () => (await docks({ state: 'skipped' })).length === 2);
    expect(await docks()).toMatchObject([{ cause: 'canceled' }, { cause: 'canceled_by_operator' }]);
    for (const query of [{ state: 'lost' }, { limit: '501' }, { cursor: '../D' }]) {
      expect((await caller.call('listLogCampaignDocks', { params, query })).status).toBe(422);
    }
  });

  it('leaves a dock out whose upload a person calls off', async () => {
    const params = await created({ docks: { sns: ['NEAR-2', 'AWAY-2'] } });
    const docks = async () => itemsOf((await caller.call('listLogCampaignDocks', { params })).body);
    const uploadOf = async () => (await docks()).find(({ uploadId }) => uploadId !== null)?.['uploadId'];
    await eventually('a dock has begun', async () => (await uploadOf()) !== undefined);
    const { body } = await caller.call('cancelLogUpload', { params: { id: String(await uploadOf()) } });
    expect(body).toMatchObject({ state: 'canceled', campaignId: params.id });
    expect(await docks()).toMatchObject([{ state: 'waiting' }, { state: 'skipped', cause: 'canceled_by_operator' }]);
  });

  it('is not asked for what became of its docks by the former name of the cursor: the new one is told', async () => {
    const query = { after: 'AWAY-1' };
    const { status, body } = await caller.call('listLogCampaignDocks', { params: { id: randomUUID() }, query });
    expect([status, body['errors']]).toEqual([
      422,
      [{ field: 'after', message: expect.stringMatching(/^is called cursor now/) }],
    ]);
  });

  it('is listed by state, page by page, and to nobody else', async () => {
    const first = await caller.call('listLogCampaigns', { query: { limit: '1' } });
    expect(itemsOf(first.body)).toHaveLength(1);
    const query = { limit: '1', cursor: String(first.body['nextCursor']) };
    const second = await caller.call('listLogCampaigns', { query });
    expect(itemsOf(second.body)[0]?.['id']).not.toBe(itemsOf(first.body)[0]?.['id']);
    const canceled = await caller.call('listLogCampaigns', { query: { state: 'canceled' } });
    expect(itemsOf(canceled.body).map(({ state }) => state)).toEqual(['canceled', 'canceled']);
    expect(itemsOf((await caller.call('listLogCampaigns', { key: OTHER_API_KEY })).body)).toEqual([]);
    expect((await caller.call('listLogCampaigns', { query: { state: 'lost' } })).status).toBe(422);
  });

  it('is nothing to others, and no id is none', async () => {
    const params = await created();
    const operations = ['getLogCampaign', 'listLogCampaignDocks', 'pauseLogCampaign', 'resumeLogCampaign'];
    for (const operationId of [...operations, 'cancelLogCampaign']) {
      for (const parts of [{ params, key: OTHER_API_KEY }, { params: { id: 'one' } }, unknown()]) {
        const { status, body } = await caller.call(operationId, parts);
        expect([status, body['code'], fieldsOf(body)]).toEqual([404, 'unknown_campaign', ['id']]);
      }
    }
  });
});

describeRefusedInput(LOG_API, () => ({ url: service.url, key: API_KEY }));
describePermissions(ROUTES, () => ({ url: service.url, keyOf: keyOfRole }));

describe('the policy', () => {
  const all = {
    collectOnFailure: false,
    collectWhenEndedByPerson: true,
    collectModules: ['dock'],
    missionsFirst: false,
    retentionDays: 30,
  };

  it('is that of the deployment until another is decided, and what is left out is back at its default', async () => {
    const defaults = {
      collectOnFailure: true,
      collectWhenEndedByPerson: false,
      collectModules: ['dock', 'aircraft'],
      missionsFirst: true,
    };
    const { body } = await caller.call('getLogPolicy');
    expect(body).toEqual({ ...defaults, retentionDays: null, version: 0 });
    const whole = await caller.call('replaceLogPolicy', { body: all, headers: { 'If-Match': '"0"' } });
    expect(whole.body).toEqual({ ...all, version: 1 });
    expect((await caller.call('getLogPolicy')).body).toEqual(whole.body);
    expect((await caller.call('getLogPolicy', { key: OTHER_API_KEY })).body['version']).toBe(0);
    const least = await caller.call('replaceLogPolicy', { body: { collectOnFailure: true } });
    expect(least.body).toEqual({ ...defaults, retentionDays: null, version: 2 });
  });

  it('decides whether an upload yields to missions', async () => {
    await caller.call('replaceLogPolicy', { body: all });
    const { body } = await caller.call('createLogUpload', { body: { dockSn: 'AWAY-1', latest: { count: 1 } } });
    expect(body['yieldsToMissions']).toBe(false);
  });

  it.each([
    ['collectOnFailure', { collectOnFailure: undefined }],
    ['collectModules', { collectModules: [] }],
    ['collectModules.0', { collectModules: ['rc'] }],
    ['retentionDays', { retentionDays: 0 }],
    ['speling', { speling: 1 }],
  ])('is refused with wrong %s, and nothing is written', async (field, parts) => {
    const before = (await caller.call('getLogPolicy')).body['version'];
    const { status, body } = await caller.call('replaceLogPolicy', { body: { ...all, ...parts } });
    expect([status, fieldsOf(body)]).toEqual([422, [field]]);
    expect((await caller.call('getLogPolicy')).body['version']).toBe(before);
  });

  it('is not replaced by somebody who saw another one', async () => {
    const { body } = await caller.call('getLogPolicy');
    const refused = await caller.call('replaceLogPolicy', { body: all, headers: { 'If-Match': '"99"' } });
    expect([refused.status, refused.body['version']]).toEqual([412, body['version']]);
  });
});

it('tells nobody anything without a key', async () => {
  const params = { id: randomUUID(), sn: 'NEAR-1' };
  for (const { operationId, method, body, public: open } of ROUTES) {
    const sent = method !== 'get' && body !== undefined ? { body: {} } : {};
    const { status } = await caller.call(operationId, { key: null, params, ...sent });
    expect([operationId, status]).toEqual([operationId, open === true ? 200 : 401]);
  }
});

// Looks back at all before it.
describeAudit(ROUTES, ['createLogBundle'], () => {
  const { audit, dataSource, owner, settings: env } = service;
  const keep = () => audit.keep();
  const verify = { script: fileURLToPath(new URL('../verify-audit.js', import.meta.url)), env };
  return { schema: 'log', caller, operationId: 'listLogAuditRecords', keep, engine: dataSource, owner, verify };
});

it('has seen every success that is described', () => {
  expect([...caller.seen].sort()).toEqual(successesOf(ROUTES).sort());
});
