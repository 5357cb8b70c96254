import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  Caller,
  describeAudit,
  describePermissions,
  describeRefusedInput,
  keyOfRole,
  successesOf,
} from '@aerie/http-api/testing';
import { eventually } from '@aerie/testing';
import { API_KEY, ORGANISATION, OTHER_API_KEY, type RunningService, startService } from '../running-service.fixture.js';
import { CREDENTIAL_API, ROUTES } from './credential-api.js';

let service: RunningService | undefined;
let caller: Caller;
beforeAll(async () => {
  service = await startService();
  caller = new Caller({ url: service.url, routes: ROUTES, key: API_KEY });
}, 60_000);
afterAll(() => service?.stop(), 30_000);

const aChoice = (parts: Readonly<Record<string, unknown>> = {}) => ({
  provider: 's3',
  dockEndpoint: service?.storage.url,
  region: 'us-east-1',
  bucket: 'aerie',
  roleArn: service?.storage.roleArn,
  accessKeyId: service?.storage.accessKeyId,
  secretAccessKey: service?.storage.secretAccessKey,
  ...parts,
});

describe('the storage', () => {
  it('is that of the deployment until another is chosen, and shows nothing that is only its operator’s', async () => {
    const { body } = await caller.call('getStorage');
    expect(body).toMatchObject({ chosenBy: 'deployment', version: 0, roleArn: null, accessKeyId: null });
    expect(body['revocation']).toEqual({ supported: true, reason: null });
  });

  it('can be chosen, changed without its secret, and given up, each time under a version of its own', async () => {
    const chosen = await caller.call('replaceStorage', { body: aChoice(), headers: { 'If-Match': '"0"' } });
    expect(chosen.body).toMatchObject({ chosenBy: 'organisation', version: 1, pathStyle: true });
    const { secretAccessKey: _kept, ...withoutSecret } = aChoice({ lifetimeSeconds: 7_200 });
    const changed = await caller.call('replaceStorage', { body: withoutSecret });
    expect(changed.body).toMatchObject({ version: 2, lifetimeSeconds: 7_200 });
    const outdated = await caller.call('replaceStorage', { body: withoutSecret, headers: { 'If-Match': '"1"' } });
    expect(outdated).toMatchObject({ status: 412, body: { version: 2 } });
    expect((await caller.call('removeStorage')).body).toMatchObject({ chosenBy: 'deployment', version: 0 });
    const again = await caller.call('replaceStorage', { body: aChoice() });
    expect(again.body).toMatchObject({ version: 3 });
    await caller.call('removeStorage');
  });

  it('does not use a stored secret at another place than the one it was given for', async () => {
    await caller.call('replaceStorage', { body: aChoice() });
    const { secretAccessKey: _kept, ...elsewhere } = aChoice({ stsEndpoint: 'http://127.0.0.1:1' });
    const { status, body } = await caller.call('replaceStorage', { body: elsewhere });
    expect([status, body['errors']]).toEqual([422, [expect.objectContaining({ field: 'secretAccessKey' })]]);
    await caller.call('removeStorage');
  });

  it('can be given up and replaced although its secret does not open any more', async () => {
    await caller.call('replaceStorage', { body: aChoice() });
    await service?.owner.query("UPDATE credential.storage SET secret_key_id = 'lost'");
    expect((await caller.call('replaceStorage', { body: aChoice() })).status).toBe(200);
    await service?.owner.query("UPDATE credential.storage SET secret_key_id = 'lost'");
    expect((await caller.call('removeStorage')).body).toMatchObject({ version: 0 });
  });

  it('keeps where the operator has put things from its organisations', async () => {
    const { text } = await caller.call('examineStorage');
    expect(text).not.toContain(service?.storage.roleArn);
  });

  it('never shows its secret, in whatever answer', async () => {
    const secret = 'a-secret-that-nobody-sees';
    const { text } = await caller.call('replaceStorage', { body: aChoice({ secretAccessKey: secret }) });
    const shown = [text, (await caller.call('getStorage')).text, (await caller.call('examineStorage')).text];
    expect(shown.filter((one) => one.includes(secret))).toEqual([]);
    await caller.call('removeStorage');
  });

  it('is kept from other organisations', async () => {
    await caller.call('replaceStorage', { body: aChoice() });
    const others = await caller.call('getStorage', { key: OTHER_API_KEY });
    expect(others.body).toMatchObject({ chosenBy: 'deployment' });
    await caller.call('removeStorage');
  });

  it.each([
    ['provider', { provider: 'gcs' }],
    ['dockEndpoint', { dockEndpoint: 'storage.example.com' }],
    ['dockEndpoint', { dockEndpoint: 'http://user:password@storage.example.com' }],
    ['dockEndpoint', { dockEndpoint: 'http://storage.example.com/bucket' }],
    ['serviceEndpoint', { serviceEndpoint: 'http://169.254.169.254' }],
    ['stsEndpoint', { stsEndpoint: 'http://[fd00:ec2::254]' }],
    ['iamEndpoint', { iamEndpoint: 'http://0.0.0.0:9000' }],
    ['iamEndpoint', { provider: 'ali', iamEndpoint: 'http://127.0.0.1:9000' }],
    ['region', { region: 'EU Central' }],
    ['bucket', { bucket: 'a/b' }],
    ['lifetimeSeconds', { lifetimeSeconds: 60 }],
    ['secretAccessKey', { accessKeyId: 'AKANOTHER', secretAccessKey: undefined }],
    ['speling', { speling: 1 }],
  ])('is refused with a wrong %s, and nothing is written', async (field, parts) => {
    const { status, body } = await caller.call('replaceStorage', { body: aChoice(parts) });
    expect(status).toBe(422);
    expect(new Set((body['errors'] as { field: string }[]).map((error) => error.field))).toEqual(new Set([field]));
    expect((await caller.call('getStorage')).body).toMatchObject({ version: 0 });
  });

  it('is examined step by step', async () => {
    const { body } = await caller.call('examineStorage');
    expect(body['steps']).toEqual(
      expect.arrayContaining([expect.objectContaining({ step: 'put', verdict: 'passed' })]),
    );
    expect(body).toMatchObject({ healthy: true, chosenBy: 'deployment' });
  });
});

describe('addresses of objects', () => {
  const anUpload = { name: 'survey.zip', contentType: 'application/zip', sizeBytes: 9 };

  it('take a file of the said size and type by PUT, and give it back under a name', async () => {
    const { body } = await caller.call('presignUpload', { body: anUpload });
    const send = (text: string) =>
      fetch(String(body['url']), { method: 'PUT', body: text, headers: body['fields'] as Record<string, string> });
    expect((await send('too long, alas')).status).toBe(403);
    expect((await send('the bytes')).status).toBe(200);
    const { body: download } = await caller.call('presignDownload', { body: { objectKey: body['objectKey'] } });
    const got = await fetch(String(download['url']));
    expect([await got.text(), got.headers.get('content-disposition')]).toEqual([
      'the bytes',
      `attachment; filename="survey.zip"; filename*=UTF-8''survey.zip`,
    ]);
  });

  it('take a form from a browser', async () => {
    const { body } = await caller.call('presignUpload', { body: { ...anUpload, method: 'POST' } });
    const send = (text: string) => {
      const form = new FormData();
      for (const [name, value] of Object.entries(body['fields'] as object)) form.set(name, String(value));
      form.set('file', new Blob([text]));
      return fetch(String(body['url']), { method: 'POST', body: form });
    };
    expect((await send('too long, alas')).status).toBe(400);
    expect((await send('the bytes')).status).toBe(204);
  });

  it('are not made for what belongs to others, or for no file', async () => {
    const objectKey = `org/${randomUUID()}/uploads/1/a`;
    const { status, body } = await caller.call('presignDownload', { body: { objectKey } });
    expect([status, body['code']]).toEqual([422, 'object_not_of_organisation']);
    expect((await caller.call('presignUpload', { body: { ...anUpload, name: '../a' } })).status).toBe(422);
    expect((await caller.call('presignUpload', { body: { ...anUpload, sizeBytes: 0 } })).status).toBe(422);
  });
});

describe('the ledger', () => {
  it('shows what was given out, page by page, and to nobody else', async () => {
    for (let count = 0; count < 3; count++) {
      await caller.call('presignDownload', { body: { objectKey: `org/${ORGANISATION}/uploads/1/ledger-${count}` } });
    }
    service?.intake.start();
    const prefix = `org/${ORGANISATION}/uploads/1/ledger-`;
    const list = (query: Record<string, string>) => caller.call('listIssues', { query: { prefix, ...query } });
    await eventually('all are written down', async () => ((await list({})).body['items'] as unknown[]).length === 3);
    const first = await list({ limit: '2' });
    const second = await list({ limit: '2', cursor: String(first.body['nextCursor']) });
    const items = [...(first.body['items'] as object[]), ...(second.body['items'] as object[])];
    expect(new Set(items.map((item) => (item as { objectPrefix: string }).objectPrefix)).size).toBe(3);
    expect(second.body['nextCursor']).toBeNull();
    expect(items[0]).toMatchObject({ kind: 'download', actions: ['GET'], askedBy: 'key:key-1', accessKeyId: null });
    const others = await caller.call('listIssues', { key: OTHER_API_KEY, query: { prefix } });
    expect(others.body['items']).toEqual([]);
  });

  it('can be searched by dock, kind, keys and time', async () => {
    const query = { dockSn: 'D-1', kind: 'keys', accessKeyId: 'ASIA1', from: '2026-01-01T00:00:00Z' };
    expect((await caller.call('listIssues', { query })).body['items']).toEqual([]);
    expect((await caller.call('listIssues', { query: { kind: 'secrets' } })).status).toBe(422);
    const times = { from: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' };
    expect((await caller.call('listIssues', { query: times })).body['errors']).toEqual([
      expect.objectContaining({ field: 'until' }),
    ]);
  });
});

describeRefusedInput(CREDENTIAL_API, () => ({ url: service?.url ?? '', key: API_KEY }));
describePermissions(ROUTES, () => ({ url: service?.url ?? '', keyOf: keyOfRole }));

describe('revocation', () => {
  it('is taken by a storage that can', async () => {
    const { body } = await caller.call('revokeKeys', { body: { dockSn: 'D-1', reason: 'stolen' } });
    expect(body).toMatchObject({
      dockSn: 'D-1',
      state: 'denied',
      revokedBy: 'key:key-1',
      attempts: 1,
      lastError: null,
    });
    const { body: list } = await caller.call('listRevocations');
    expect(list['items']).toEqual([expect.objectContaining({ id: body['id'] })]);
    const others = await caller.call('listRevocations', { key: OTHER_API_KEY });
    expect(others.body['items']).toEqual([]);
  });

  it('is refused for one dock after the other, where it had better be all', async () => {
    const revokeOne = (index: number) =>
      caller.call('revokeKeys', { body: { dockSn: `MANY-${index}`, reason: 'spec' } });
    // One was called back before.
    for (let index = 1; index < 8; index++) expect((await revokeOne(index)).status).toBe(200);
    const { status, body } = await revokeOne(8);
    expect([status, body['code']]).toEqual([409, 'too_many_revocations']);
    expect((await caller.call('revokeKeys', { body: { reason: 'all' } })).body).toMatchObject({ state: 'denied' });
  });

  it('is refused where the storage cannot, with the time that keys still live, and nothing is written', async () => {
    await caller.call('replaceStorage', { body: aChoice() });
    const { status, body } = await caller.call('revokeKeys', { body: { reason: 'all of them' } });
    expect([status, body['code'], body['keysLiveSeconds']]).toEqual([409, 'revocation_not_supported', 14_400]);
    expect(body['reason']).toMatch('iamEndpoint');
    expect(((await caller.call('listRevocations')).body['items'] as unknown[]).length).toBe(9);
    await caller.call('removeStorage');
  });

  it('is refused for a dock that is not registered, unless the caller says that it was', async () => {
    const { status, body } = await caller.call('revokeKeys', { body: { dockSn: 'NOBODY-1', reason: 'spec' } });
    expect([status, body['code']]).toEqual([404, 'unknown_dock']);
    expect((body['errors'] as { message: string }[])[0]?.message).toContain('formerDock');
    const others = await caller.call('revokeKeys', { key: OTHER_API_KEY, body: { dockSn: 'D-1', reason: 'spec' } });
    expect(others.status).toBe(404);
    const former = { dockSn: 'NOBODY-1', formerDock: true, reason: 'stolen' };
    expect((await caller.call('revokeKeys', { key: OTHER_API_KEY, body: former })).status).toBe(200);
  });

  it('needs a reason and a dock that can be', async () => {
    const { body } = await caller.call('revokeKeys', { body: { dockSn: '../D' } });
    expect((body['errors'] as { field: string }[]).map(({ field }) => field).sort()).toEqual(['dockSn', 'reason']);
  });
});

it('tells nobody anything without a key', async () => {
  for (const { operationId, public: open } of ROUTES) {
    const body = operationId === 'replaceStorage' ? { body: aChoice() } : {};
    const { status } = await caller.call(operationId, { key: null, ...body });
    expect([operationId, status]).toEqual([operationId, open === true ? 200 : 401]);
  }
});

// Looks back at all before it.
describeAudit(ROUTES, [], () => {
  const { audit, dataSource, owner, settings: env } = service as RunningService;
  const keep = () => audit.keep();
  const verify = { script: fileURLToPath(new URL('../verify-audit.js', import.meta.url)), env };
  return {
    schema: 'credential',
    caller,
    operationId: 'listStorageAuditRecords',
    keep,
    engine: dataSource,
    owner,
    verify,
  };
});

it('has seen every success that is described', () => {
  expect([...caller.seen].sort()).toEqual(successesOf(ROUTES).sort());
});
