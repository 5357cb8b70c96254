import { createHmac } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Outbound } from '@aerie/outbound';
import { aStorage } from '../../storages/a-storage.fixture.js';
import { OssProvider } from './oss.provider.js';

// The shapes of requests alone: nothing here was ever sent to the service itself.

const NOW_MS = Date.UTC(2026, 0, 31, 12, 0, 0);
const PREFIX = 'org/0b0f3c6e-6f0a-4c86-9b1c-1f6d3f0d4a11/dock/D-1/media/';
const SECRET = 'the secret of this test';

interface Asked {
  readonly method: string | undefined;
  readonly type: string | undefined;
  readonly form: URLSearchParams;
}

let asked: Asked[];
let answer: { readonly status: number; readonly body: unknown };
let server: Server;
let provider: OssProvider;
const agents = new Outbound(true).agents();
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (piece: Buffer) => (text += piece.toString()));
    request.on('end', () => {
      const { method, headers } = request;
      asked.push({ method, type: headers['content-type'], form: new URLSearchParams(text) });
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const storage = aStorage({
    provider: 'ali',
    dockEndpoint: 'https://oss-cn-hangzhou.aliyuncs.com',
    serviceEndpoint: 'https://oss-cn-hangzhou-internal.aliyuncs.com',
    stsEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'cn-hangzhou',
    pathStyle: false,
    roleArn: 'acs:ram::1234567890:role/dock-upload',
  });
  provider = new OssProvider(storage, agents, { nowMs: () => NOW_MS });
});
afterAll(async () => {
  agents.httpAgent.destroy();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked = [];
  answer = {
    status: 200,
    body: {
      RequestId: 'irrelevant',
      Credentials: {
        AccessKeyId: 'STS.example',
        AccessKeySecret: 'made-for-a-dock',
        SecurityToken: 'a-token',
        Expiration: '2026-01-31T16:00:00Z',
      },
    },
  };
});

const issue = () => provider.issueKeys({ prefix: PREFIX, lifetimeSeconds: 14_400, sessionName: 'dock-D-1' });

describe('keys of Alibaba STS', () => {
  it('are asked for by a form with the role, the life, the name and the policy [STS, AssumeRole]', async () => {
    await issue();
    const [{ method, type, form }] = asked as [Asked];
    expect({ method, type }).toEqual({ method: 'POST', type: 'application/x-www-form-urlencoded' });
    expect(Object.fromEntries(form)).toMatchObject({
      Action: 'AssumeRole',
      Version: '2015-04-01',
      Format: 'JSON',
      RoleArn: 'acs:ram::1234567890:role/dock-upload',
      RoleSessionName: 'dock-D-1',
      DurationSeconds: '14400',
      AccessKeyId: 'AKEXAMPLE',
      SignatureMethod: 'HMAC-SHA1',
    });
    expect(JSON.parse(form.get('Policy') ?? '')).toEqual({
      Version: '1',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['oss:PutObject', 'oss:AbortMultipartUpload', 'oss:ListParts'],
          Resource: [`acs:oss:*:*:aerie/${PREFIX}*`],
        },
      ],
    });
    expect(form.toString()).not.toContain(encodeURIComponent(SECRET));
  });

  it('are asked for with a signature by the secret [RPC signature 1.0]', async () => {
    await issue();
    const [{ form }] = asked as [Asked];
    const escape = (text: string): string =>
      encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
    const signed = [...form]
      .filter(([name]) => name !== 'Signature')
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) => `${escape(name)}=${escape(value)}`)
      .join('&');
    const expected = createHmac('sha1', `${SECRET}&`)
      .update(`POST&%2F&${escape(signed)}`)
      .digest('base64');
    expect(form.get('Signature')).toBe(expected);
  });

  it('are read from the answer', async () => {
    const keys = await issue();
    expect(keys).toMatchObject({
      accessKeyId: 'STS.example',
      issuedAtMs: NOW_MS,
      expiresAtMs: Date.UTC(2026, 0, 31, 16),
    });
    expect([keys.secretAccessKey.reveal(), keys.sessionToken.reveal()]).toEqual(['made-for-a-dock', 'a-token']);
  });

  it('are not there when the service refuses; its word is kept, and what was sent is not', async () => {
    answer = { status: 403, body: { Code: 'NoPermission', Message: 'You are not authorized.', RequestId: 'x' } };
    const error: unknown = await issue().catch((refused: unknown) => refused);
    expect(error).toMatchObject({ kind: 'unavailable', details: { providerCode: 'NoPermission' } });
    expect((error as Error).cause).not.toHaveProperty('params');
  });

  it.each(['http', 'https'])('are not asked for at an address that is not allowed, over %s', async (scheme) => {
    const strict = new Outbound(false).agents();
    const storage = aStorage({
      ...{ provider: 'ali', region: 'cn-hangzhou', pathStyle: false, stsEndpoint: `${scheme}://127.0.0.1:9` },
      dockEndpoint: 'https://oss-cn-hangzhou.aliyuncs.com',
    });
    const refused = new OssProvider(storage, strict, { nowMs: () => NOW_MS });
    const asked = refused.issueKeys({ prefix: PREFIX, lifetimeSeconds: 3_600, sessionName: 'x' });
    await expect(asked).rejects.toMatchObject({ details: { providerCode: 'EADDRREFUSED' } });
  });

  it('are not there when the answer holds none', async () => {
    answer = { status: 200, body: { Credentials: {} } };
    await expect(issue()).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('addresses of OSS', () => {
  const ask = { objectKey: `${PREFIX}a.jpeg`, lifetimeSeconds: 300, signedAtMs: NOW_MS };

  it('read an object, with the bucket in the host [OSS, signature in a URL]', async () => {
    const url = new URL(await provider.presignGet({ ...ask, saveAs: 'a.jpeg' }));
    expect(`${url.origin}${url.pathname}`).toBe(`https://aerie.oss-cn-hangzhou.aliyuncs.com/${PREFIX}a.jpeg`);
    expect([...url.searchParams.keys()].sort()).toEqual(
      ['Expires', 'OSSAccessKeyId', 'Signature', 'response-content-disposition'].sort(),
    );
    expect(url.href).not.toContain(encodeURIComponent(SECRET));
  });

  it('lead to the inner address when a service is to read', async () => {
    const url = new URL(await provider.presignGet({ ...ask, forService: true }));
    expect(url.host).toBe('aerie.oss-cn-hangzhou-internal.aliyuncs.com');
  });

  it('write an object of one type', async () => {
    const upload = { ...ask, contentType: 'image/jpeg', sizeBytes: 12 };
    const { url, fields } = await provider.presignPut(upload);
    expect(new URL(url).searchParams.get('Signature')).toMatch(/=$/);
    expect(fields).toEqual({ 'Content-Type': 'image/jpeg' });
  });

  it('write an object of one size and type by a form [OSS, PostObject]', async () => {
    const { url, fields } = await provider.presignPost({ ...ask, contentType: 'image/jpeg', sizeBytes: 12 });
    expect(url).toBe('https://aerie.oss-cn-hangzhou.aliyuncs.com/');
    const policy = Buffer.from(fields['policy'] ?? '', 'base64').toString();
    expect(JSON.parse(policy)).toEqual({
      expiration: '2026-01-31T12:05:00.000Z',
      conditions: [
        { bucket: 'aerie' },
        ['eq', '$key', ask.objectKey],
        ['eq', '$content-type', 'image/jpeg'],
        ['content-length-range', 12, 12],
      ],
    });
    const expected = createHmac('sha1', SECRET)
      .update(fields['policy'] ?? '')
      .digest('base64');
    expect(fields).toMatchObject({ key: ask.objectKey, OSSAccessKeyId: 'AKEXAMPLE', Signature: expected });
  });
});

it('cannot call keys back, and says what to do instead', async () => {
  expect(provider.denialSupport).toMatchObject({ supported: false, reason: expect.stringContaining('detach') });
});
