import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock } from '@aerie/kernel';
import { denialPolicy } from '../../keys/denial-policy.js';
import { uploadPolicy } from '../../keys/session-policy.js';
import type { Agents } from '@aerie/outbound';
import type { Storage } from '../../storages/storage.js';
import { contentDispositionOf } from '../content-disposition.js';
import { checkedKeys } from '../checked-keys.js';
import { unavailable } from '../provider-error.js';
import {
  type Denial,
  type DenialSupport,
  type DownloadAsk,
  type IssuedKeys,
  type SignedUpload,
  StorageProvider,
  type UploadAsk,
  type UploadKeysAsk,
} from '../storage.provider.js';
import { NO_LONGER_THAN, S3Door } from './s3-door.js';

/** A dock waits ten seconds for its answer. A repeat of the SDK's is within this too. */
const CALL_TIMEOUT_MS = 4_000;
const ATTEMPTS = 2;
/** The name of our policy at the role; nobody else's is touched. */
const DENIAL_POLICY = 'aerie-revoked-keys';
/** IAM has one address for all regions, and its signatures name this one. [AWS IAM, endpoints] */
const IAM_REGION = 'us-east-1';
const NO_IAM = 'this storage has no iamEndpoint, where policies of the role could be changed; keys end by themselves';

/** AWS, and every storage that speaks as it does: MinIO, Ceph RGW, our object-store. [AWS STS, AssumeRole] */
export class S3Provider extends StorageProvider {
  override readonly denialSupport: DenialSupport;
  private readonly sts: STSClient;
  private readonly iam: IAMClient | undefined;
  private readonly signer: S3Client;
  /** Signs for the address that services use. */
  private readonly serviceSigner: S3Client;
  /** How far the storage's clock is ahead of ours, as its last keys show. */
  private clockAheadMs = 0;

  constructor(
    private readonly storage: Storage,
    private readonly agents: Agents,
    private readonly clock: Clock,
  ) {
    super();
    const { provider, stsEndpoint, iamEndpoint, region } = storage;
    const own = {
      credentials: { accessKeyId: storage.accessKeyId, secretAccessKey: storage.secretAccessKey.reveal() },
      maxAttempts: ATTEMPTS,
      requestHandler: { ...agents, connectionTimeout: CALL_TIMEOUT_MS, ...NO_LONGER_THAN(CALL_TIMEOUT_MS) },
    };
    this.sts = new STSClient({ ...own, region, ...(stsEndpoint === null ? {} : { endpoint: stsEndpoint }) });
    this.denialSupport =
      provider === 's3' && iamEndpoint === null ? { supported: false, reason: NO_IAM } : { supported: true };
    if (this.denialSupport.supported) {
      const isAws = iamEndpoint === null;
      this.iam = new IAMClient({
        ...own,
        region: isAws ? IAM_REGION : region,
        ...(isAws ? {} : { endpoint: iamEndpoint }),
      });
    }
    const signing = {
      ...own,
      region,
      forcePathStyle: storage.pathStyle,
      // Else an address gets the checksum of an empty body into it.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      // Docks check the fingerprint by themselves, and some storages refuse parameters that they do not know.
      responseChecksumValidation: 'WHEN_REQUIRED',
    } as const;
    this.signer = new S3Client({ ...signing, endpoint: storage.dockEndpoint });
    this.serviceSigner = new S3Client({ ...signing, endpoint: storage.serviceEndpoint });
  }

  override async issueKeys({ prefix, lifetimeSeconds, sessionName }: UploadKeysAsk): Promise<IssuedKeys> {
    const { bucket, roleArn, externalId } = this.storage;
    const issuedAtMs = this.clock.nowMs();
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName.slice(0, 64),
      DurationSeconds: lifetimeSeconds,
      Policy: uploadPolicy(bucket, prefix),
      ...(externalId === null ? {} : { ExternalId: externalId }),
    });
    const answer = await this.sts.send(command, withinCall()).catch((error: unknown) => {
      throw unavailable('the storage gives out no keys now, try again', error);
    });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
    const keys = checkedKeys({
      ...{ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
      ...{ issuedAtMs, expiresAtMs: Expiration?.getTime() ?? Number.NaN, lifetimeSeconds },
    });
    const aheadMs = keys.expiresAtMs - lifetimeSeconds * 1_000 - issuedAtMs;
    // Whole seconds and the way there are no difference between clocks.
    this.clockAheadMs = Math.abs(aheadMs) > 2_000 ? aheadMs : 0;
    return keys;
  }

  override async deny(denials: readonly Denial[], owner: string | null): Promise<void> {
    if (this.iam === undefined) throw unavailable(NO_IAM, undefined);
    // Tokens are born by the storage's clock.
    const byItsClock = denials.map(({ prefix, notBefore }) => ({
      prefix,
      notBefore: new Date(notBefore.getTime() + this.clockAheadMs),
    }));
    const command = new PutRolePolicyCommand({
      RoleName: this.storage.roleArn.split('/').at(-1) ?? '',
      PolicyName: owner === null ? DENIAL_POLICY : `${DENIAL_POLICY}-${owner}`,
      PolicyDocument: denialPolicy(this.storage.bucket, byItsClock),
    });
    await this.iam.send(command, withinCall()).catch((error: unknown) => {
      throw unavailable('the storage did not take the denial, try again', error);
    });
  }

  override presignGet(ask: DownloadAsk): Promise<string> {
    const { objectKey, lifetimeSeconds, signedAtMs, saveAs, forService = false } = ask;
    const command = new GetObjectCommand({
      Bucket: this.storage.bucket,
      Key: objectKey,
      ...(saveAs === undefined ? {} : { ResponseContentDisposition: contentDispositionOf(saveAs) }),
    });
    const signer = forService ? this.serviceSigner : this.signer;
    return getSignedUrl(signer, command, { expiresIn: lifetimeSeconds, signingDate: new Date(signedAtMs) });
  }

  override async presignPut(ask: UploadAsk): Promise<SignedUpload> {
    const command = new PutObjectCommand({
      Bucket: this.storage.bucket,
      Key: ask.objectKey,
      ContentType: ask.contentType,
      ContentLength: ask.sizeBytes,
    });
    const url = await getSignedUrl(this.signer, command, {
      expiresIn: ask.lifetimeSeconds,
      signingDate: new Date(ask.signedAtMs),
      signableHeaders: new Set(['host', 'content-type', 'content-length']),
    });
    return { url, fields: { 'Content-Type': ask.contentType } };
  }

  override async presignPost({ objectKey, contentType, sizeBytes, lifetimeSeconds }: UploadAsk): Promise<SignedUpload> {
    const { url, fields } = await createPresignedPost(this.signer, {
      Bucket: this.storage.bucket,
      Key: objectKey,
      Expires: lifetimeSeconds,
      Fields: { 'Content-Type': contentType },
      Conditions: [
        ['eq', '$Content-Type', contentType],
        ['content-length-range', sizeBytes, sizeBytes],
      ],
    });
    return { url, fields };
  }

  override asService({ otherStyle = false } = {}): S3Door {
    const { accessKeyId, secretAccessKey, serviceEndpoint, pathStyle } = this.storage;
    const credentials = { accessKeyId, secretAccessKey: secretAccessKey.reveal() };
    const style = otherStyle ? !pathStyle : pathStyle;
    return new S3Door(this.storage, { endpoint: serviceEndpoint, pathStyle: style, credentials, agents: this.agents });
  }

  override asDock(keys: IssuedKeys, { otherStyle = false } = {}): S3Door {
    const { dockEndpoint, pathStyle } = this.storage;
    const credentials = {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey.reveal(),
      sessionToken: keys.sessionToken.reveal(),
    };
    const style = otherStyle ? !pathStyle : pathStyle;
    return new S3Door(this.storage, { endpoint: dockEndpoint, pathStyle: style, credentials, agents: this.agents });
  }

  override stop(): void {
    this.sts.destroy();
    this.iam?.destroy();
    this.signer.destroy();
    this.serviceSigner.destroy();
  }
}

const withinCall = () => ({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
