import OSS from 'ali-oss';
import urllib from 'urllib';
import type { Clock } from '@aerie/kernel';
import { ossUploadPolicy } from '../../keys/session-policy.js';
import type { Agents } from '@aerie/outbound';
import type { Storage } from '../../storages/storage.js';
import { contentDispositionOf } from '../content-disposition.js';
import { checkedKeys } from '../checked-keys.js';
import { unavailable } from '../provider-error.js';
import {
  type DenialSupport,
  type DownloadAsk,
  type IssuedKeys,
  type SignedUpload,
  StorageProvider,
  type UploadAsk,
  type UploadKeysAsk,
} from '../storage.provider.js';
import { OssDoor } from './oss-door.js';

/** A dock waits ten seconds for its answer. */
const CALL_TIMEOUT_MS = 4_000;
const STS_ENDPOINT = 'https://sts.aliyuncs.com';
const NO_DENIAL =
  'Alibaba Cloud has no condition by the time at which a token was made; detach the policy of the role to end all keys';

/**
 * Alibaba Cloud OSS, by its official SDK. The shapes of its requests are tested; it was never run against the service
 * itself. [Alibaba STS, AssumeRole; OSS, signature in a URL; OSS, PostObject]
 */
export class OssProvider extends StorageProvider {
  override readonly denialSupport: DenialSupport = { supported: false, reason: NO_DENIAL };
  private readonly sts: OSS.STS;
  private readonly signer: OSS;
  /** Signs for the address that services use. */
  private readonly serviceSigner: OSS;

  constructor(
    private readonly storage: Storage,
    private readonly agents: Agents,
    private readonly clock: Clock,
  ) {
    super();
    const endpoint = storage.stsEndpoint ?? STS_ENDPOINT;
    const { httpAgent, httpsAgent } = agents;
    const options = {
      accessKeyId: storage.accessKeyId,
      accessKeySecret: storage.secretAccessKey.reveal(),
      endpoint,
      // The SDK takes it, its types do not say so (lib/sts.js). Its own way has no agent for https.
      urllib: {
        request: (url: string, args: object) => urllib.request(url, { ...args, agent: httpAgent, httpsAgent }),
      },
    };
    this.sts = new OSS.STS(options);
    this.signer = new OSS(ossOptions(storage, storage.dockEndpoint, agents));
    this.serviceSigner = new OSS(ossOptions(storage, storage.serviceEndpoint, agents));
  }

  override async issueKeys({ prefix, lifetimeSeconds, sessionName }: UploadKeysAsk): Promise<IssuedKeys> {
    const { bucket, roleArn } = this.storage;
    const issuedAtMs = this.clock.nowMs();
    const { credentials } = await this.sts
      .assumeRole(roleArn, ossUploadPolicy(bucket, prefix), lifetimeSeconds, sessionName.slice(0, 64), {
        timeout: CALL_TIMEOUT_MS,
        ctx: null,
      })
      .catch((error: unknown) => {
        throw unavailable('the storage gives out no keys now, try again', withoutRequest(error));
      });
    return checkedKeys({
      ...{ accessKeyId: credentials.AccessKeyId, secretAccessKey: credentials.AccessKeySecret },
      ...{ sessionToken: credentials.SecurityToken, expiresAtMs: Date.parse(credentials.Expiration) },
      ...{ issuedAtMs, lifetimeSeconds },
    });
  }

  override async deny(): Promise<void> {
    throw unavailable(NO_DENIAL, undefined);
  }

  override async presignGet({ objectKey, lifetimeSeconds, saveAs, forService = false }: DownloadAsk): Promise<string> {
    const response = saveAs === undefined ? {} : { response: { 'content-disposition': contentDispositionOf(saveAs) } };
    const signer = forService ? this.serviceSigner : this.signer;
    return signer.signatureUrl(objectKey, { method: 'GET', expires: lifetimeSeconds, ...response });
  }

  override async presignPut({ objectKey, contentType, lifetimeSeconds }: UploadAsk): Promise<SignedUpload> {
    const url = this.signer.signatureUrl(objectKey, {
      method: 'PUT',
      expires: lifetimeSeconds,
      'Content-Type': contentType,
    });
    return { url, fields: { 'Content-Type': contentType } };
  }

  override async presignPost(ask: UploadAsk): Promise<SignedUpload> {
    const { objectKey, contentType, sizeBytes, lifetimeSeconds, signedAtMs } = ask;
    const { bucket } = this.storage;
    const { OSSAccessKeyId, Signature, policy } = this.signer.calculatePostSignature({
      expiration: new Date(signedAtMs + lifetimeSeconds * 1_000).toISOString(),
      conditions: [
        { bucket },
        ['eq', '$key', objectKey],
        ['eq', '$content-type', contentType],
        ['content-length-range', sizeBytes, sizeBytes],
      ],
    }) as unknown as Readonly<Record<'OSSAccessKeyId' | 'Signature' | 'policy', string>>;
    const url = new URL(this.storage.dockEndpoint);
    url.hostname = `${bucket}.${url.hostname}`;
    return {
      url: url.href,
      fields: { key: objectKey, 'Content-Type': contentType, OSSAccessKeyId, policy, Signature },
    };
  }

  override asService(): OssDoor {
    return new OssDoor(ossOptions(this.storage, this.storage.serviceEndpoint, this.agents));
  }

  override asDock(keys: IssuedKeys): OssDoor {
    return new OssDoor({
      ...ossOptions(this.storage, this.storage.dockEndpoint, this.agents),
      accessKeyId: keys.accessKeyId,
      accessKeySecret: keys.secretAccessKey.reveal(),
      stsToken: keys.sessionToken.reveal(),
    });
  }

  override stop(): void {
    // Neither the SDK nor the agents hold anything that must be given back.
  }
}

const ossOptions = (storage: Storage, endpoint: string, { httpAgent, httpsAgent }: Agents): OSS.Options => ({
  accessKeyId: storage.accessKeyId,
  accessKeySecret: storage.secretAccessKey.reveal(),
  bucket: storage.bucket,
  region: storage.region.startsWith('oss-') ? storage.region : `oss-${storage.region}`,
  endpoint,
  secure: endpoint.startsWith('https'),
  timeout: CALL_TIMEOUT_MS,
  // As above.
  ...({ agent: httpAgent, httpsAgent } as object),
});

/** The SDK hangs the whole request, with its signature, on its errors, and the whole answer where it is no JSON. */
function withoutRequest(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ('params' in error) delete error.params;
  if (error.message.startsWith('UnknownError:')) error.message = 'UnknownError';
  return error;
}
