import type { Denial } from '../providers/storage.provider.js';

/** All policies written into a role have 10,240 characters together. [AWS IAM, quotas] A third is left to others. */
const MAX_POLICY_CHARACTERS = 6_800;

/** Where all organisations lie. */
const ALL = 'org/';

/**
 * The policy that makes keys useless which were made before an instant, as JSON. Where there are too many denials for
 * one policy, all docks of an organisation are denied instead of some, and at last all organisations: more than was
 * asked for, never less.
 */
export function denialPolicy(bucket: string, denials: readonly Denial[]): string {
  const ofOrganisations = denials.map((denial) => ({ ...denial, prefix: organisationOf(denial.prefix) }));
  const ofAll = denials.map((denial) => ({ ...denial, prefix: ALL }));
  for (const wider of [denials, ofOrganisations, ofAll]) {
    const text = policyText(bucket, latestOf(wider));
    if (text.length <= MAX_POLICY_CHARACTERS) return text;
  }
  throw new Error('a denial of everything is longer than a policy may be');
}

function latestOf(denials: readonly Denial[]): readonly Denial[] {
  const latest = new Map<string, Denial>();
  for (const denial of denials) {
    const known = latest.get(denial.prefix);
    if (known === undefined || known.notBefore < denial.notBefore) latest.set(denial.prefix, denial);
  }
  return [...latest.values()];
}

function policyText(bucket: string, denials: readonly Denial[]): string {
  // A policy must say something: what nobody has is denied.
  const said = denials.length > 0 ? denials : [{ prefix: ALL, notBefore: new Date(0) }];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: said.map(({ prefix, notBefore }) => ({
      Effect: 'Deny',
      Action: 's3:*',
      Resource: `arn:aws:s3:::${bucket}/${prefix}*`,
      Condition: { DateLessThan: { 'aws:TokenIssueTime': notBefore.toISOString() } },
    })),
  });
}

/** `org/<organisation>/` of a prefix below it. */
const organisationOf = (prefix: string): string => `${prefix.split('/').slice(0, 2).join('/')}/`;
