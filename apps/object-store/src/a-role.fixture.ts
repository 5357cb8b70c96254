import { type AssumeRoleCommandInput, AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { ACCESS_KEY_ID, BUCKET, type RunningStore, SECRET } from './running-store.fixture.js';
import { type Role, rolesSchema } from './sts/role.js';

export const ROLE_ARN = 'arn:aws:iam:::role/uploader';

export const aPolicy = (...statements: object[]): object => ({ Version: '2012-10-17', Statement: statements });

export const allowAll = {
  Effect: 'Allow',
  Action: 's3:*',
  Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
};

/** A role for all of the bucket; what a session of it may do is for its own policy to say. */
export const someRoles = (more: object = {}): Role[] =>
  rolesSchema.parse([{ arn: ROLE_ARN, policy: aPolicy(allowAll), maxDurationSeconds: 7_200, ...more }]);

/** What an upload of a log needs, and no more. */
export const uploadBelow = (prefix: string): object =>
  aPolicy({
    Effect: 'Allow',
    Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
    Resource: `arn:aws:s3:::${BUCKET}/${prefix}*`,
  });

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

export const rootCredentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };

export async function assume(
  store: RunningStore,
  policy?: object | string,
  more: Partial<AssumeRoleCommandInput> = {},
  config: STSClientConfig = {},
) {
  const sts = new STSClient({
    endpoint: store.url,
    region: 'us-east-1',
    credentials: rootCredentials,
    maxAttempts: 1,
    ...config,
  });
  const Policy = typeof policy === 'object' ? JSON.stringify(policy) : policy;
  try {
    return await sts.send(
      new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: 'dock-1', ...(Policy ? { Policy } : {}), ...more }),
    );
  } finally {
    sts.destroy();
  }
}

export async function sessionOf(...given: Parameters<typeof assume>): Promise<SessionCredentials> {
  const { Credentials: made } = await assume(...given);
  return {
    accessKeyId: made?.AccessKeyId ?? '',
    secretAccessKey: made?.SecretAccessKey ?? '',
    sessionToken: made?.SessionToken ?? '',
    expiration: made?.Expiration ?? new Date(0),
  };
}

/** A form for STS or IAM, signed by hand. */
export async function sendForm(
  store: RunningStore,
  service: string,
  form: Record<string, string>,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } = rootCredentials,
  sentBody?: string,
): Promise<{ readonly status: number; readonly text: string; readonly code: string | undefined }> {
  const { host, hostname } = new URL(store.url);
  const body = new URLSearchParams(form).toString();
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service, sha256: Sha256, applyChecksum: false });
  const headers = { host, 'content-type': 'application/x-www-form-urlencoded' };
  const signed = await signer.sign({ method: 'POST', protocol: 'http:', hostname, path: '/', headers, body });
  const response = await fetch(`${store.url}/`, { method: 'POST', headers: signed.headers, body: sentBody ?? body });
  const text = await response.text();
  return { status: response.status, text, code: /<Code>(.*)<\/Code>/.exec(text)?.[1] };
}

export const iam = (Action: string, more: Record<string, string> = {}) => ({
  Action,
  Version: '2010-05-08',
  RoleName: 'uploader',
  PolicyName: 'revocation',
  ...more,
});

/** The name of the error, or that there was none. */
export const outcome = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as Error).name,
  );
