import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { sendSigned, sendTo } from './plain-http.js';
import { DENIED, SKEWED, UNKNOWN_KEY, WRONG_SIGNATURE, WRONG_TOKEN, refused, refusedAnswer } from './refusals.js';
import { type Keys, OWNER, SERVER, keysBelow, newPrefix, openBucket, s3 } from './server.js';

const root = newPrefix();
const Bucket = SERVER.bucket;
const Key = `${root}object`;
const MINUTE_MS = 60_000;

beforeAll(async () => {
  await openBucket();
  await s3().send(new PutObjectCommand({ Bucket, Key, Body: 'hello' }));
}, 30_000);

afterEach(async () => expect(await keysBelow(root)).toEqual([Key]));

const get = (keys?: Keys, systemClockOffset = 0) =>
  s3(keys, { systemClockOffset }).send(new GetObjectCommand({ Bucket, Key }));
const put = (keys?: Keys, systemClockOffset = 0) =>
  s3(keys, { systemClockOffset }).send(new PutObjectCommand({ Bucket, Key: `${root}intruder`, Body: 'x' }));

it('refuses a secret that is not that of the key', async () => {
  const keys = { ...OWNER, secretAccessKey: `${OWNER.secretAccessKey}x` };
  await refused(get(keys), WRONG_SIGNATURE);
  await refused(put(keys), WRONG_SIGNATURE);
  await refused(s3(keys).send(new ListObjectsV2Command({ Bucket })), WRONG_SIGNATURE);
});

it('refuses a key that it does not know', async () => {
  await refused(get({ ...OWNER, accessKeyId: 'AKNOBODYKNOWSTHIS' }), UNKNOWN_KEY);
  await refused(put({ ...OWNER, accessKeyId: 'AKNOBODYKNOWSTHIS' }), UNKNOWN_KEY);
});

it('refuses long-lived keys that come with a token', async () => {
  await refused(get({ ...OWNER, sessionToken: 'anything' }), WRONG_TOKEN);
  await refused(put({ ...OWNER, sessionToken: 'anything' }), WRONG_TOKEN);
});

it('refuses a request without any signature', async () => {
  const url = `${SERVER.endpoint}/${Bucket}/${Key}`;
  refusedAnswer(await sendTo(url), DENIED);
  refusedAnswer(await sendTo(`${url}-intruder`, 'PUT', 'x'), DENIED);
  refusedAnswer(await sendTo(url, 'DELETE'), [...DENIED, 'MethodNotAllowed']);
});

it.each([-20, 20])('refuses a clock that is %i minutes off', async (minutes) => {
  await refused(get(OWNER, minutes * MINUTE_MS), SKEWED);
  await refused(put(OWNER, minutes * MINUTE_MS), SKEWED);
});

it.each([-5, 5])('forgives a clock that is %i minutes off', async (minutes) => {
  await expect(get(OWNER, minutes * MINUTE_MS)).resolves.toBeDefined();
});

it('refuses a signature that was made for another object, method or header', async () => {
  const signedPath = `/${Bucket}/${Key}`;
  refusedAnswer(await sendSigned({ method: 'GET', path: `/${Bucket}/${root}other`, signedPath }), WRONG_SIGNATURE);
  refusedAnswer(
    await sendSigned({ method: 'PUT', path: `/${Bucket}/${root}intruder`, signedPath, body: 'x' }),
    WRONG_SIGNATURE,
  );
});

// AWS: XAmzContentSHA256Mismatch. Ceph checks the body against the hash while it reads and says BadDigest or a mismatch.
it('refuses a body that is not the one that was signed', async () => {
  const answer = await sendSigned({
    method: 'PUT',
    path: `/${Bucket}/${root}intruder`,
    headers: { 'x-amz-content-sha256': '0'.repeat(64) },
    body: 'not what the hash says',
  });
  refusedAnswer(answer, ['XAmzContentSHA256Mismatch', 'SignatureDoesNotMatch', 'BadDigest', 'InvalidDigest']);
});

it('refuses a body that is not the one that its MD5 names', async () => {
  const answer = await sendSigned({
    method: 'PUT',
    path: `/${Bucket}/${root}intruder`,
    headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    body: 'another body',
  });
  refusedAnswer(answer, ['BadDigest', 'InvalidDigest']);
});
