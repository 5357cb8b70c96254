import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { sendTo } from './plain-http.js';
import { DENIED, EXPIRED_URL, WRONG_SIGNATURE, refusedAnswer } from './refusals.js';
import { SERVER, assumeRole, keysBelow, newPrefix, openBucket, s3, uploadPolicy } from './server.js';

const root = newPrefix();
const Bucket = SERVER.bucket;
const Key = `${root}route one.kmz`;
// A presigned PUT would otherwise be bound to the checksum of an empty body.
const owner = s3(undefined, { requestChecksumCalculation: 'WHEN_REQUIRED' });
const secondsAgo = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

beforeAll(async () => {
  await openBucket();
  await owner.send(new PutObjectCommand({ Bucket, Key, Body: 'the route' }));
  await owner.send(new PutObjectCommand({ Bucket, Key: `${root}other`, Body: 'another' }));
}, 30_000);

const addressOf = (more: object = {}, options: object = {}) =>
  getSignedUrl(owner, new GetObjectCommand({ Bucket, Key, ...more }), { expiresIn: 60, ...options });
const uploadAddress = (name: string, options: object = {}) =>
  getSignedUrl(owner, new PutObjectCommand({ Bucket, Key: root + name }), { expiresIn: 60, ...options });

describe('a presigned address', () => {
  it('lets anybody read one object', async () => {
    expect(await sendTo(await addressOf())).toMatchObject({ status: 200, body: 'the route' });
  });

  it('can say under which name a browser saves the object', async () => {
    const { headers } = await sendTo(
      await addressOf({ ResponseContentDisposition: 'attachment; filename="route.kmz"' }),
    );
    expect(headers['content-disposition']).toBe('attachment; filename="route.kmz"');
  });

  it('lets anybody write one object', async () => {
    expect((await sendTo(await uploadAddress('uploaded'), 'PUT', 'by a dock')).status).toBe(200);
    expect(await sendTo(await addressOf({ Key: `${root}uploaded` }))).toMatchObject({ body: 'by a dock' });
  });

  it.each([
    ['another key', (url: string) => url.replace('route%20one.kmz', 'other')],
    ['a longer life', (url: string) => url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600')],
    ['a later date', (url: string) => url.replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20991231')],
    ['a parameter more', (url: string) => `${url}&response-content-type=text%2Fhtml`],
    [
      'another signature',
      (url: string) => url.replace(/(X-Amz-Signature=)(.)/, (_, name, first) => `${name}${first === '0' ? '1' : '0'}`),
    ],
  ])('is refused with %s', async (_, tamper) => {
    const url = await addressOf();
    expect(tamper(url)).not.toBe(url);
    // AWS says of a date in the future that the address is not yet valid: AccessDenied.
    refusedAnswer(await sendTo(tamper(url)), [
      ...WRONG_SIGNATURE,
      'AccessDenied',
      'RequestTimeTooSkewed',
      'AuthorizationQueryParametersError',
    ]);
  });

  it('for reading is refused for writing and for deleting', async () => {
    refusedAnswer(await sendTo(await addressOf(), 'PUT', 'x'), WRONG_SIGNATURE);
    refusedAnswer(await sendTo(await addressOf(), 'DELETE'), WRONG_SIGNATURE);
    expect(await sendTo(await addressOf())).toMatchObject({ body: 'the route' });
  });

  it('for writing is refused for reading', async () => {
    refusedAnswer(await sendTo(await uploadAddress('other')), WRONG_SIGNATURE);
  });

  it('is refused once its time is over', async () => {
    const signingDate = secondsAgo(10);
    expect((await sendTo(await addressOf({}, { signingDate, expiresIn: 60 }))).status).toBe(200);
    refusedAnswer(await sendTo(await addressOf({}, { signingDate, expiresIn: 5 })), EXPIRED_URL);
    refusedAnswer(await sendTo(await uploadAddress('late', { signingDate, expiresIn: 5 }), 'PUT', 'x'), EXPIRED_URL);
    expect(await keysBelow(`${root}late`)).toEqual([]);
  });

  it('by a session can do no more than the session', async () => {
    const session = await assumeRole({ policy: uploadPolicy(`${root}mine/`) });
    const client = s3(session, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    const sign = (command: GetObjectCommand | PutObjectCommand) => getSignedUrl(client, command);
    const mine = await sign(new PutObjectCommand({ Bucket, Key: `${root}mine/log` }));
    expect((await sendTo(mine, 'PUT', 'x')).status).toBe(200);
    refusedAnswer(await sendTo(await sign(new PutObjectCommand({ Bucket, Key: `${root}yours` })), 'PUT', 'x'), DENIED);
    refusedAnswer(await sendTo(await sign(new GetObjectCommand({ Bucket, Key }))), DENIED);
    expect(await keysBelow(`${root}yours`)).toEqual([]);
  });
});

describe('a presigned form', () => {
  // One that ends the server takes all that comes after it with it: so every form is followed by a look.
  afterEach(async () => expect(await sendTo(await addressOf())).toMatchObject({ status: 200 }));

  const formFor = (name: string) =>
    createPresignedPost(owner, {
      ...{ Bucket, Key: root + name, Expires: 60 },
      Conditions: [
        ['content-length-range', 1, 10],
        ['eq', '$Content-Type', 'application/zip'],
      ],
      Fields: { 'Content-Type': 'application/zip' },
    });

  async function submit(name: string, content: string, changes: Readonly<Record<string, string>> = {}) {
    const { url, fields } = await formFor(name);
    const form = new FormData();
    for (const [field, value] of Object.entries({ ...fields, ...changes })) form.append(field, value);
    form.append('file', new Blob([content]), 'log.zip');
    const request = new Request(url, { method: 'POST', body: form });
    const headers = { 'content-type': request.headers.get('content-type') ?? '' };
    return sendTo(url, 'POST', Buffer.from(await request.arrayBuffer()), headers);
  }

  it('takes a file within the limits that were signed', async () => {
    expect((await submit('form', '10 bytes !')).status).toBe(204);
    expect(await sendTo(await addressOf({ Key: `${root}form` }))).toMatchObject({ body: '10 bytes !' });
  });

  it('refuses a file that is too large or too small', async () => {
    refusedAnswer(await submit('form-large', '11 bytes !!'), ['EntityTooLarge']);
    refusedAnswer(await submit('form-small', ''), ['EntityTooSmall']);
    expect(await keysBelow(`${root}form-`)).toEqual([]);
  });

  // AWS: AccessDenied, "Policy Condition failed". Ceph: the same, or InvalidPolicyDocument.
  it('refuses a key or a type that was not signed', async () => {
    refusedAnswer(await submit('form-key', 'x', { key: `${root}form-elsewhere` }), [
      'AccessDenied',
      'InvalidPolicyDocument',
    ]);
    refusedAnswer(await submit('form-type', 'x', { 'Content-Type': 'text/html' }), [
      'AccessDenied',
      'InvalidPolicyDocument',
    ]);
    expect(await keysBelow(`${root}form-`)).toEqual([]);
  });

  it('refuses a policy or a signature that was changed', async () => {
    const policy = Buffer.from(
      JSON.stringify({ expiration: '2099-01-01T00:00:00Z', conditions: [['starts-with', '$key', '']] }),
    ).toString('base64');
    refusedAnswer(await submit('form-policy', 'x', { Policy: policy }), WRONG_SIGNATURE);
    refusedAnswer(await submit('form-signature', 'x', { 'X-Amz-Signature': '0'.repeat(64) }), WRONG_SIGNATURE);
    expect(await keysBelow(`${root}form-`)).toEqual([]);
  });
});
