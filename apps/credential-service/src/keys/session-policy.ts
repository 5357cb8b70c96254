import type { ProviderName } from '../storages/storage.js';

/** What a dock's SDK needs to upload, in parts where a file is large; nothing that reads, lists or deletes. */
const UPLOAD_ACTIONS = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'] as const;

const OSS_UPLOAD_ACTIONS = ['oss:PutObject', 'oss:AbortMultipartUpload', 'oss:ListParts'] as const;

export const uploadActionsOf = (provider: ProviderName): readonly string[] =>
  provider === 'ali' ? OSS_UPLOAD_ACTIONS : UPLOAD_ACTIONS;

/** AWS STS takes no more. [AWS STS, AssumeRole, Policy] */
const MAX_POLICY_CHARACTERS = 2_048;

/**
 * The session policy of one set of keys, as JSON: uploads below this one prefix. STS intersects it with what the role
 * may do.
 *
 * @throws Error for a prefix that a policy would read as a pattern, or that does not end in a slash
 */
export function uploadPolicy(bucket: string, prefix: string): string {
  return policy('2012-10-17', UPLOAD_ACTIONS, `arn:aws:s3:::${bucket}/${checked(prefix)}*`);
}

/** As `uploadPolicy`, in the words of Alibaba's RAM. [RAM, policy language version 1; OSS, authorisation] */
export function ossUploadPolicy(bucket: string, prefix: string): string {
  return policy('1', OSS_UPLOAD_ACTIONS, `acs:oss:*:*:${bucket}/${checked(prefix)}*`);
}

function policy(version: string, actions: readonly string[], resource: string): string {
  const text = JSON.stringify({
    Version: version,
    Statement: [{ Effect: 'Allow', Action: actions, Resource: [resource] }],
  });
  if (text.length > MAX_POLICY_CHARACTERS) throw new Error('the policy is longer than STS takes');
  return text;
}

/** The last place before a right leaves the house: whoever made the prefix, it opens one folder and no other. */
function checked(prefix: string): string {
  if (!/^(?:[A-Za-z0-9_-]+\/)+$/.test(prefix)) throw new Error('a prefix has plain parts and ends in a slash');
  return prefix;
}
