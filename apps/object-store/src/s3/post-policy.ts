import { z } from 'zod';
import { S3Error } from './s3-error.js';

/** What the policy of a form upload asks for. */
export interface PostPolicy {
  readonly expiresAtMs: number;
  readonly rules: readonly Rule[];
  readonly minBytes: number;
  readonly maxBytes: number;
}

interface Rule {
  readonly kind: 'eq' | 'starts-with';
  /** In lower case. */
  readonly field: string;
  readonly value: string;
}

const condition = z.union([
  z.tuple([z.literal(['eq', 'starts-with']), z.string().regex(/^\$/), z.string()]),
  z.tuple([z.literal('content-length-range'), z.number().int().min(0), z.number().int().min(0)]),
  z.record(z.string(), z.string()),
]);
const schema = z.strictObject({
  expiration: z.iso.datetime({ offset: true }),
  conditions: z.array(condition).max(100),
});

/** Fields that no policy needs to speak of. [S3, POST policy] */
const FREE = /^(policy|x-amz-signature|file|x-ignore-.*)$/;

export function readPostPolicy(base64: string): PostPolicy {
  const parsed = schema.safeParse(parseJson(Buffer.from(base64, 'base64').toString('utf8')));
  if (!parsed.success) throw new S3Error('InvalidPolicyDocument', 'The policy of the form is not valid.');
  const rules: Rule[] = [];
  let [minBytes, maxBytes] = [0, Number.MAX_SAFE_INTEGER];
  for (const one of parsed.data.conditions) {
    if (!Array.isArray(one)) {
      for (const [field, value] of Object.entries(one)) rules.push({ kind: 'eq', field: field.toLowerCase(), value });
    } else if (one[0] === 'content-length-range') {
      minBytes = Math.max(minBytes, one[1]);
      maxBytes = Math.min(maxBytes, one[2]);
    } else {
      rules.push({ kind: one[0], field: one[1].slice(1).toLowerCase(), value: one[2] });
    }
  }
  return { expiresAtMs: Date.parse(parsed.data.expiration), rules, minBytes, maxBytes };
}

/** Every rule holds, and every field is spoken of by a rule. */
export function checkPostPolicy(policy: PostPolicy, fields: ReadonlyMap<string, string>, nowMs: number): void {
  if (nowMs >= policy.expiresAtMs) throw denied('Policy expired.');
  for (const { kind, field, value } of policy.rules) {
    const given = fields.get(field) ?? '';
    if (kind === 'eq' ? given !== value : !given.startsWith(value)) throw denied(`Condition failed for ${field}.`);
  }
  const spokenOf = new Set(policy.rules.map(({ field }) => field));
  const extra = [...fields.keys()].find((name) => !FREE.test(name) && name !== 'bucket' && !spokenOf.has(name));
  if (extra !== undefined) throw denied(`Extra input field: ${extra}.`);
}

const denied = (why: string): S3Error => new S3Error('AccessDenied', `Invalid according to Policy: ${why}`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
