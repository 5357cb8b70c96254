import { errorChain } from '@aerie/kernel';
import { providerCodeOf } from '../providers/provider-error.js';
import type { Storage } from '../storages/storage.js';
import type { Diagnosis, StepName } from './step.js';

/** What an error of a storage says, without anything that was sent. */
export interface Failure {
  /** The storage's own code, or that of the network. */
  readonly code: string;
  readonly status: number | null;
  /** The region that the storage says it wants. */
  readonly region: string | null;
  readonly message: string;
}

export function failureOf(error: unknown): Failure {
  const code = providerCodeOf(error);
  let status: number | null = null;
  let region: string | null = null;
  for (let current: unknown = error, depth = 0; typeof current === 'object' && current !== null && depth < 5; depth++) {
    const { $metadata, $response, Region, status: plain, cause } = current as Readonly<Record<string, unknown>>;
    const { httpStatusCode } = ($metadata ?? {}) as { httpStatusCode?: number };
    const { headers } = ($response ?? {}) as { headers?: Readonly<Record<string, string>> };
    status ??= httpStatusCode ?? (typeof plain === 'number' ? plain : null);
    region ??= (typeof Region === 'string' ? Region : undefined) ?? headers?.['x-amz-bucket-region'] ?? null;
    current = cause;
  }
  const message = errorChain(error);
  region ??= /expecting '([a-z0-9-]+)'/.exec(message)?.[1] ?? null;
  return { code, status, region, message: message.slice(0, 300) };
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve now',
  ETIMEDOUT: 'there was no answer in time',
  TimeoutError: 'there was no answer in time',
  AbortError: 'there was no answer in time',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  EADDRREFUSED: 'Aerie does not connect to such addresses',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that is not known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that is not known',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  EPROTO: 'it does not speak TLS, or only an old one',
};

const isNetwork = ({ code }: Failure): boolean => Object.hasOwn(NETWORK, code);

export function diagnoseAddress(field: string, url: string, failure: Failure): Diagnosis {
  return {
    found: `${url} does not answer: ${NETWORK[failure.code] ?? failure.code}`,
    change: `Check the host and the port of ${field}, and that a firewall lets them through.`,
  };
}

/** Wrong wherever a signature is checked. */
export function diagnoseSignature(failure: Failure, storage: Storage): Diagnosis | null {
  const { code, region, message } = failure;
  // Storages say it under several codes, and AWS STS in words alone.
  if ((region !== null && region !== storage.region) || /scoped to a valid region/.test(message)) {
    return wrongRegion(failure, storage);
  }
  switch (code) {
    case 'InvalidAccessKeyId':
    case 'InvalidClientTokenId':
    case 'UnrecognizedClientException':
    case 'InvalidAccessKeyId.NotFound':
      return {
        found: 'the storage does not know this access key',
        change: 'Set accessKeyId and secretAccessKey to a key that exists and is active.',
      };
    case 'SignatureDoesNotMatch':
      return {
        found: 'the signature is not the one that the storage computed: the secret is wrong',
        change: 'Set secretAccessKey to the secret of this accessKeyId.',
      };
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
    case 'RequestInTheFuture':
      return {
        found: 'the clocks differ by more than 15 minutes',
        change: 'Set the clocks of this machine and of the storage by NTP. Docks take theirs from it, too.',
      };
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'IllegalLocationConstraintException':
      return wrongRegion(failure, storage);
    default:
      return null;
  }
}

const wrongRegion = ({ region }: Failure, storage: Storage): Diagnosis => ({
  found: `the storage is in another region than ${storage.region}`,
  change: region === null ? 'Set region to that of the bucket.' : `Set region to ${region}.`,
});

/** What is wrong and what to change, from what the storage said at a step. */
export function diagnose(step: StepName, failure: Failure, storage: Storage): Diagnosis {
  const wrongSignature = diagnoseSignature(failure, storage);
  if (wrongSignature !== null) return wrongSignature;
  if (isNetwork(failure)) return diagnoseAddress(fieldOf(step, storage), urlOf(step, storage), failure);
  const { code, status } = failure;
  if (code === 'NoSuchBucket' || code === 'NoSuchBucketException' || (step === 'bucket' && status === 404)) {
    return {
      found: `there is no bucket ${storage.bucket}`,
      change: `Make the bucket ${storage.bucket}, or set bucket to the one that there is.`,
    };
  }
  if (step === 'assume_role') return diagnoseRole(failure, storage);
  if (step === 'bucket' && status === 301) return wrongRegion(failure, storage);
  if (code === 'AccessDenied' || status === 403) return diagnoseRights(step, storage);
  return {
    found: `the storage answered ${code}${status === null ? '' : ` (${status})`}`,
    change: 'Look it up in the documentation of the storage; docs/storage.md says what each step does.',
  };
}

function diagnoseRole({ code, message }: Failure, { roleArn, lifetimeSeconds }: Storage): Diagnosis {
  if (/DurationSeconds|MaxSessionDuration/i.test(message)) {
    return {
      found: `the role ${roleArn} does not allow keys that live ${lifetimeSeconds} seconds`,
      change: 'Raise the longest session of the role, or lower lifetimeSeconds.',
    };
  }
  if (
    ['NoSuchEntity', 'NoSuchRole', 'EntityNotExist.Role', 'ValidationError', 'InvalidParameter.RoleArn'].includes(code)
  ) {
    return { found: `there is no role ${roleArn}`, change: 'Set roleArn to the role for uploads of docks.' };
  }
  if (code === 'AccessDenied' || code === 'NoPermission' || code === 'AccessDeniedException') {
    return {
      found: `the access key may not assume the role ${roleArn}`,
      change: 'Let the trust of the role name this key, and its externalId where it asks for one.',
    };
  }
  return {
    found: `the storage gave out no keys: ${code}`,
    change: 'Check stsEndpoint and roleArn; a storage without STS cannot be used by docks.',
  };
}

function diagnoseRights(step: StepName, { roleArn, bucket }: Storage): Diagnosis {
  switch (step) {
    case 'put':
    case 'put_in_parts':
      return {
        found: 'the keys of a dock may not upload: the role has no right to',
        change: `Let ${roleArn} do s3:PutObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on arn:aws:s3:::${bucket}/org/*.`,
      };
    case 'bucket':
      return {
        found: `the access key may not look at the bucket ${bucket}`,
        change: `Let the access key do s3:ListBucket on arn:aws:s3:::${bucket}.`,
      };
    default:
      return {
        found: 'the access key may not read or delete what docks have uploaded',
        change: `Let the access key do s3:GetObject and s3:DeleteObject on arn:aws:s3:::${bucket}/org/*.`,
      };
  }
}

const SERVICE_STEPS: readonly StepName[] = ['bucket', 'region', 'head', 'clean_up'];

const fieldOf = (step: StepName, storage: Storage): string => {
  if (step === 'assume_role') return storage.stsEndpoint === null ? 'region' : 'stsEndpoint';
  return SERVICE_STEPS.includes(step) ? 'serviceEndpoint' : 'dockEndpoint';
};

const urlOf = (step: StepName, storage: Storage): string => {
  if (step === 'assume_role') return storage.stsEndpoint ?? `the STS of ${storage.region}`;
  return SERVICE_STEPS.includes(step) ? storage.serviceEndpoint : storage.dockEndpoint;
};
