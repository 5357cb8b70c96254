import { type Json, objectOf, textOf } from '../wire.js';

/** Where a dock may put objects, and its keys for that. Commands and answers of the cloud write it alike. */
export interface StorageAccess {
  readonly provider: string;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Empty where the keys have none. */
  readonly securityToken: string;
}

/** Undefined when something is missing without which nothing can be uploaded. */
export function readStorageAccess(data: Json): StorageAccess | undefined {
  const keys = objectOf(data['credentials']);
  const access = {
    provider: textOf(data['provider']),
    endpoint: textOf(data['endpoint']),
    region: textOf(data['region']) || 'us-east-1',
    bucket: textOf(data['bucket']),
    accessKeyId: textOf(keys['access_key_id']),
    secretAccessKey: textOf(keys['access_key_secret']),
    securityToken: textOf(keys['security_token']),
  };
  const { provider, endpoint, bucket, accessKeyId, secretAccessKey } = access;
  const complete = [provider, bucket, accessKeyId, secretAccessKey].every((text) => text !== '');
  return complete && /^https?:\/\//.test(endpoint) && URL.canParse(endpoint) ? access : undefined;
}
