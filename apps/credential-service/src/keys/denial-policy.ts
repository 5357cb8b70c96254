import type { Denial } from '../providers/storage.provider.js';

/** All policies written into a role have 10,240 characters together. [AWS IAM, quotas] A third is left to others. */
const MAX_POLICY_CHARACTERS = 6_800;

/** Where all organisations lie. */
const ALL = 'org/';

/**
 * The same denials as one policy can hold them. Where there are too many, all docks of an organisation are denied
 * instead of some: more than was asked for, never less. Null: too many even so.
 */
export function fitDenials(bucket: string, denials: readonly Denial[]): readonly Denial[] | null {
  const ofOrganisations = denials.map((denial) => ({ ...denial, prefix: organisationOf(denial.prefix) }));
  for (const wider of [denials, ofOrganisations]) {
    const latest = latestOf(wider);
    if (textOf(bucket, latest).length <= MAX_POLICY_CHARACTERS) return latest;
  }
  return null;
}

/**
 * The policy that makes keys useless which were made before an instant, as JSON.
 *
 * @throws Error where one policy cannot hold it, see `fitDenials`
 */
export function denialPolicy(bucket: string, denials: readonly Denial[]): string {
  const text = textOf(bucket, latestOf(denials));
  if (text.length > MAX_POLICY_CHARACTERS) throw new Error('there are more denials than one policy holds');
  return text;
}

function latestOf(denials: readonly Denial[]): readonly Denial[] {
  const latest = new Map<string, Denial>();
  for (const denial of denials) {
    const known = latest.get(denial.prefix);
    if (known === undefined || known.notBefore < denial.notBefore) latest.set(denial.prefix, denial);
  }
  return [...latest.values()];
}

function textOf(bucket: string, denials: readonly Denial[]): string {
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
