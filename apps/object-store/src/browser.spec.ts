import { jest } from '@jest/globals';
import {
  CompleteMultipartUploadCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { type PresignedPostOptions, createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { outcome, sessionOf, someRoles, uploadBelow } from './a-role.fixture.js';
import { BUCKET, type RunningStore, startStore } from './running-store.fixture.js';

// On a machine that does much else besides.
jest.setTimeout(30_000);

const ORIGIN = 'https://console.example';
let nowMs = Date.now();
let store: RunningStore;
beforeAll(async () => {
  store = await startStore({ roles: someRoles(), corsOrigins: [ORIGIN], clock: { nowMs: () => nowMs } });
});
afterAll(() => store.stop());
afterEach(() => {
  nowMs = Date.now();
});

interface FormOptions extends Partial<PresignedPostOptions> {
  readonly credentials?: object;
  /** Changes the form after it was signed. */
  readonly tamper?: (fields: Record<string, string>) => void;
  readonly file?: string;
  readonly before?: () => void;
}

async function post(Key: string, { credentials, tamper, file, before, ...more }: FormOptions = {}) {
  const client = store.client(credentials === undefined ? {} : ({ credentials } as object));
  const { url, fields } = await createPresignedPost(client, { Bucket: BUCKET, Key, Expires: 600, ...more });
  tamper?.(fields);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([file ?? 'content']), 'photo one.jpg');
  before?.();
  const response = await fetch(url, { method: 'POST', body: form });
  const text = await response.text();
  return { response, text, answer: `${response.status} ${/<Code>(.*)<\/Code>/.exec(text)?.[1] ?? ''}`.trim() };
}

describe('a form of a browser', () => {
  it('uploads one file', async () => {
    const { answer, response } = await post('form/a', { Fields: { 'Content-Type': 'image/jpeg' } });
    expect(answer).toBe('204');
    expect(response.headers.get('etag')).toBe('"9a0364b9e99bb480dd25e1f0284c8555"');
    expect(store.store.find(BUCKET, 'form/a')).toMatchObject({ sizeBytes: 7, contentType: 'image/jpeg' });
  });

  it('is answered with XML when it asks for that', async () => {
    const { text, answer } = await post('form/xml', { Fields: { success_action_status: '201' } });
    expect(answer).toBe('201');
    expect(text).toContain(`<Bucket>${BUCKET}</Bucket><Key>form/xml</Key>`);
  });

  it('may leave the name to the file', async () => {
    expect((await post('form/by-name/${filename}')).answer).toBe('204');
    expect(store.store.find(BUCKET, 'form/by-name/photo one.jpg')).not.toBeNull();
  });

  it('uploads a file of the size that its policy allows', async () => {
    const range = (least: number, most: number) => ({ Conditions: [['content-length-range', least, most] as const] });
    expect((await post('form/size', { ...range(1, 7) } as FormOptions)).answer).toBe('204');
    expect((await post('form/large', { ...range(1, 6) } as FormOptions)).answer).toBe('400 EntityTooLarge');
    expect((await post('form/small', { ...range(8, 9) } as FormOptions)).answer).toBe('400 EntityTooSmall');
    expect(store.store.list(BUCKET, 'form/large', '', 1)).toEqual([]);
    expect(store.store.list(BUCKET, 'form/small', '', 1)).toEqual([]);
  });

  it('is told why, even when its file is large', async () => {
    const Conditions: PresignedPostOptions['Conditions'] = [['content-length-range', 1, 10]];
    expect((await post('form/huge', { Conditions, file: 'x'.repeat(300_000) })).answer).toBe('400 EntityTooLarge');
  });

  it.each([
    ['another key', (fields: Record<string, string>) => (fields['key'] = 'form/other'), '403 AccessDenied'],
    ['a field more', (fields: Record<string, string>) => (fields['acl'] = 'public-read'), '403 AccessDenied'],
    ['no policy', (fields: Record<string, string>) => delete fields['Policy'], '403 AccessDenied'],
    [
      'another policy',
      (fields: Record<string, string>) => (fields['Policy'] = Buffer.from('{}').toString('base64')),
      '403 SignatureDoesNotMatch',
    ],
    [
      'another signature',
      (fields: Record<string, string>) => (fields['X-Amz-Signature'] = '0'.repeat(64)),
      '403 SignatureDoesNotMatch',
    ],
  ])('is refused with %s than was signed', async (_what, tamper, expected) => {
    const { answer } = await post('form/tampered', { tamper: (fields) => void tamper(fields) });
    expect(answer).toBe(expected);
    expect(store.store.list(BUCKET, 'form/other', '', 1)).toEqual([]);
  });

  it('is good for its time only', async () => {
    const before = () => (nowMs += 601_000);
    expect((await post('form/late', { before: () => void before() })).answer).toBe('403 AccessDenied');
  });

  it('uploads with credentials of a session below their prefix, and nowhere else', async () => {
    const credentials = await sessionOf(store, uploadBelow('log/1/'));
    expect((await post('log/1/form', { credentials })).answer).toBe('204');
    expect((await post('log/10/form', { credentials })).answer).toBe('403 AccessDenied');
    const tamper = (fields: Record<string, string>) => void delete fields['X-Amz-Security-Token'];
    expect((await post('log/1/form', { credentials, tamper })).answer).toBe('403 InvalidAccessKeyId');
  });

  it('that is no form is refused', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    for (const body of ['', '--x\r\ncontent-disposition: form-data; name="key"\r\n\r\na\r\n--x--\r\n', 'nonsense']) {
      expect((await fetch(`${store.url}/${BUCKET}`, { method: 'POST', headers, body })).status).toBe(400);
    }
  });
});

describe('a page', () => {
  const ask = (origin: string, method = 'PUT') =>
    fetch(`${store.url}/${BUCKET}/a`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'content-type,x-amz-date',
      },
    });

  it('of a configured origin may use the store, and see the ETag', async () => {
    const answer = await ask(ORIGIN);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-headers': 'content-type,x-amz-date',
      vary: 'Origin',
    });
    const refused = await fetch(`${store.url}/${BUCKET}/a`, { headers: { origin: ORIGIN } });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-expose-headers')).toContain('ETag');
  });

  it('of another origin, or with another method, may not', async () => {
    for (const answer of [await ask('https://evil.example'), await ask(ORIGIN, 'PATCH')]) {
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-methods')).toBeNull();
    }
  });
});

describe('a region', () => {
  it('is told by the bucket, and to a client that signs for another', async () => {
    const elsewhere = await startStore({ region: 'eu-central-1' });
    const client = elsewhere.client();
    const location = await client.send(new GetBucketLocationCommand({ Bucket: BUCKET }));
    expect(location.LocationConstraint).toBe('eu-central-1');
    const head = await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    expect(head.BucketRegion).toBe('eu-central-1');
    const wrong = elsewhere.client({ region: 'us-west-2' });
    const put = wrong.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: 'x' }));
    await expect(put).rejects.toMatchObject({
      name: 'AuthorizationHeaderMalformed',
      message: expect.stringContaining("expecting 'eu-central-1'"),
      Region: 'eu-central-1',
    });
    await elsewhere.stop();
  });
});

it('refuses XML that is none, or that has a document type', async () => {
  const client = store.client();
  let body = '';
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: unknown; headers: Record<string, string> };
      request.body = body;
      request.headers['content-length'] = String(body.length);
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  const Parts = [{ PartNumber: 1, ETag: 'x' }];
  const command = () =>
    new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key: 'a', UploadId: 'x', MultipartUpload: { Parts } });
  const deep = '<a>'.repeat(100_000);
  const dtd = '<!DOCTYPE a [<!ENTITY b "c">]><CompleteMultipartUpload/>';
  for (body of ['no xml', '<Other/>', deep, dtd]) expect(await outcome(client.send(command()))).toBe('MalformedXML');
});
