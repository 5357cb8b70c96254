import { jest } from '@jest/globals';
import { HeadBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  aPolicy,
  allowAll,
  assume,
  iam,
  outcome,
  sendForm,
  sessionOf,
  someRoles,
  uploadBelow,
} from '../a-role.fixture.js';
import { ACCESS_KEY_ID, BUCKET, type RunningStore, startStore } from '../running-store.fixture.js';

// On a machine that does much else besides.
jest.setTimeout(30_000);

let nowMs = Date.now();
let store: RunningStore;
beforeAll(async () => {
  store = await startStore({ roles: someRoles(), clock: { nowMs: () => nowMs } });
});
afterAll(() => store.stop());

const putAs = (credentials: object, Key: string, running = store) =>
  running.client({ credentials } as object).send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));

describe('a role that is assumed', () => {
  it('gives credentials that end, and says who has them', async () => {
    const { Credentials, AssumedRoleUser } = await assume(store, uploadBelow('log/1/'), { DurationSeconds: 900 });
    expect(Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(Credentials?.Expiration).toEqual(new Date(Math.floor(nowMs + 900_000)));
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts:::assumed-role/uploader/dock-1');
    expect(AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA[0-9A-F]{17}:dock-1$/);
  });

  it('lets a session do what both the role and the session policy allow', async () => {
    const session = await sessionOf(store, uploadBelow('log/1/'));
    expect(await outcome(putAs(session, 'log/1/a'))).toBe('done');
    expect(await outcome(putAs(session, 'log/2/a'))).toBe('AccessDenied');
  });

  it('lets a session without a policy do what the role may', async () => {
    const session = await sessionOf(store);
    expect(await outcome(putAs(session, 'anything'))).toBe('done');
    const elsewhere = new PutObjectCommand({ Bucket: 'other-bucket', Key: 'a', Body: 'x' });
    expect(await outcome(store.client({ credentials: session }).send(elsewhere))).toBe('AccessDenied');
  });

  it('does not give a session more than the role has, whatever its policy says', async () => {
    const session = await sessionOf(store, aPolicy({ ...allowAll, Resource: '*' }));
    const elsewhere = new PutObjectCommand({ Bucket: 'other-bucket', Key: 'a', Body: 'x' });
    expect(await outcome(store.client({ credentials: session }).send(elsewhere))).toBe('AccessDenied');
  });

  it('gives sessions that outlive a restart', async () => {
    const session = await sessionOf(store, uploadBelow('log/1/'));
    const again = await startStore({ directory: store.directory, roles: someRoles(), clock: { nowMs: () => nowMs } });
    expect(await outcome(putAs(session, 'log/1/b', again))).toBe('done');
    await again.stop();
  });

  it('gives sessions that are worth nothing once the role is gone', async () => {
    const session = await sessionOf(store);
    const again = await startStore({ directory: store.directory, roles: [], clock: { nowMs: () => nowMs } });
    expect(await outcome(putAs(session, 'a', again))).toBe('AccessDenied');
    await again.stop();
  });
});

describe('a session token', () => {
  it('that is damaged is refused', async () => {
    const session = await sessionOf(store);
    const sessionToken = session.sessionToken.replace(/^./, (char) => (char === 'A' ? 'B' : 'A'));
    expect(await outcome(putAs({ ...session, sessionToken }, 'a'))).toBe('InvalidToken');
  });

  it('that is missing, or of another session, is refused', async () => {
    const [session, other] = [await sessionOf(store), await sessionOf(store)];
    const { accessKeyId, secretAccessKey } = session;
    expect(await outcome(putAs({ accessKeyId, secretAccessKey }, 'a'))).toBe('InvalidAccessKeyId');
    expect(await outcome(putAs({ ...session, sessionToken: other.sessionToken }, 'a'))).toBe('InvalidToken');
  });

  it('is worth nothing without its secret', async () => {
    const session = await sessionOf(store);
    expect(await outcome(putAs({ ...session, secretAccessKey: 'another' }, 'a'))).toBe('SignatureDoesNotMatch');
  });
});

describe('a role is not assumed', () => {
  const refusal = async (...given: Parameters<typeof assume> extends [unknown, ...infer Rest] ? Rest : never) =>
    outcome(assume(store, ...given));

  it('by a session', async () => {
    const credentials = await sessionOf(store);
    expect(await refusal(undefined, {}, { credentials })).toBe('AccessDenied');
  });

  it('by a session that has ended', async () => {
    const credentials = await sessionOf(store, undefined, { DurationSeconds: 900 });
    nowMs += 901_000;
    const systemClockOffset = nowMs - Date.now();
    expect(await refusal(undefined, {}, { credentials, systemClockOffset })).toMatch(/^ExpiredToken/);
    nowMs = Date.now();
  });

  it.each([
    ['by a key that nobody has', { accessKeyId: 'AKNOBODY', secretAccessKey: 'irrelevant' }, 'InvalidClientTokenId'],
    ['by another secret', { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'not the secret' }, 'SignatureDoesNotMatch'],
  ])('%s', async (_what, credentials, code) => {
    expect(await refusal(undefined, {}, { credentials })).toBe(code);
  });

  it('when it is not configured', async () => {
    expect(await refusal(undefined, { RoleArn: 'arn:aws:iam:::role/another' })).toBe('AccessDenied');
  });

  it.each([
    ['a policy that is none', '{', 'MalformedPolicyDocument'],
    [
      'a policy with words that are not understood',
      aPolicy({ ...allowAll, Principal: '*' }),
      'MalformedPolicyDocument',
    ],
    ['a policy that is too long', aPolicy({ ...allowAll, Sid: 'x'.repeat(2_048) }), 'PackedPolicyTooLarge'],
  ])('with %s', async (_what, policy, code) => {
    expect(await refusal(policy)).toMatch(new RegExp(`^${code}`));
  });

  it.each([
    ['a time that is too short', { DurationSeconds: 899 }],
    ['a time that is longer than the role allows', { DurationSeconds: 7_201 }],
    ['a name that is too short', { RoleSessionName: 'a' }],
    ['a name with other characters', { RoleSessionName: 'a b' }],
    ['managed policies, which are not known', { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/None' }] }],
    ['tags, which are not known', { Tags: [{ Key: 'a', Value: 'b' }] }],
  ])('with %s', async (_what, more) => {
    expect(await refusal(undefined, more)).toBe('ValidationError');
  });

  it('when the body is another one than the one that was signed', async () => {
    const form = { Action: 'AssumeRole', Version: '2011-06-15', RoleSessionName: 'dock-1' };
    const other = new URLSearchParams({ ...form, RoleArn: 'arn:aws:iam:::role/uploader' }).toString();
    expect(await sendForm(store, 'sts', form, undefined, other)).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    });
  });

  it('by a signature for another service', async () => {
    const form = { Action: 'AssumeRole', Version: '2011-06-15' };
    expect(await sendForm(store, 's3', form)).toMatchObject({ status: 400, code: 'IncompleteSignature' });
  });

  it('without a signature', async () => {
    const body = new URLSearchParams({ Action: 'AssumeRole', Version: '2011-06-15' });
    const response = await fetch(`${store.url}/`, { method: 'POST', body });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>MissingAuthenticationToken</Code>');
  });
});

describe('the policies of a role', () => {
  const denyOlderThan = (time: number) =>
    JSON.stringify(
      aPolicy({
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { DateLessThan: { 'aws:TokenIssueTime': new Date(time).toISOString() } },
      }),
    );

  it('revoke the sessions that are older than a time, also after a restart, until the policy is deleted', async () => {
    const old = await sessionOf(store);
    nowMs += 2_000;
    const young = await sessionOf(store);
    const PolicyDocument = denyOlderThan(nowMs - 1_000);
    expect((await sendForm(store, 'iam', iam('PutRolePolicy', { PolicyDocument }))).status).toBe(200);
    expect(await outcome(putAs(old, 'a'))).toBe('AccessDenied');
    expect(await outcome(putAs(young, 'a'))).toBe('done');

    const again = await startStore({ directory: store.directory, roles: someRoles(), clock: { nowMs: () => nowMs } });
    expect(await outcome(putAs(old, 'a', again))).toBe('AccessDenied');
    await again.stop();

    const { text } = await sendForm(store, 'iam', iam('GetRolePolicy'));
    expect(decodeURIComponent(/<PolicyDocument>(.*)<\/PolicyDocument>/.exec(text)?.[1] ?? '')).toBe(PolicyDocument);
    expect((await sendForm(store, 'iam', iam('DeleteRolePolicy'))).status).toBe(200);
    expect(await outcome(putAs(old, 'a'))).toBe('done');
    expect(await sendForm(store, 'iam', iam('GetRolePolicy'))).toMatchObject({ status: 404, code: 'NoSuchEntity' });
    nowMs = Date.now();
  });

  it('are not for a session to see or to change', async () => {
    const session = await sessionOf(store);
    const PolicyDocument = JSON.stringify(aPolicy(allowAll));
    for (const form of [iam('GetRolePolicy'), iam('PutRolePolicy', { PolicyDocument }), iam('DeleteRolePolicy')]) {
      expect(await sendForm(store, 'iam', form, session)).toMatchObject({ status: 403, code: 'AccessDenied' });
    }
  });

  it.each([
    ['is not understood', { PolicyDocument: '{}' }, 'MalformedPolicyDocument'],
    ['is of no role', { RoleName: 'nobody', PolicyDocument: JSON.stringify(aPolicy(allowAll)) }, 'NoSuchEntity'],
    [
      'would replace the one of the configuration',
      { PolicyName: 'configured', PolicyDocument: JSON.stringify(aPolicy(allowAll)) },
      'UnmodifiableEntity',
    ],
  ])('do not take one that %s', async (_what, more, code) => {
    expect((await sendForm(store, 'iam', iam('PutRolePolicy', more))).code).toBe(code);
  });

  it('do not keep the configured key from anything', async () => {
    const PolicyDocument = denyOlderThan(nowMs + 1_000);
    await sendForm(store, 'iam', iam('PutRolePolicy', { PolicyDocument }));
    expect(await outcome(store.client().send(new HeadBucketCommand({ Bucket: BUCKET })))).toBe('done');
    await sendForm(store, 'iam', iam('DeleteRolePolicy'));
  });
});
