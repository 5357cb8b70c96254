import { createHash } from 'node:crypto';
import type { Clock } from '@aerie/kernel';
import type { Caller } from '../access/caller.js';
import type { SessionTokens } from '../access/session-tokens.js';
import { MalformedPolicyError, parsePolicy } from '../policy/policy-document.js';
import { elements } from '../s3/xml.js';
import { FormError } from './form-error.js';
import type { FormParameters } from './form-parameters.js';
import { MIN_DURATION_SECONDS, type Role, accountOf, roleName } from './role.js';
import type { RoleStore } from './role-store.js';

/** [STS, PackedPolicyTooLarge] */
const MAX_SESSION_POLICY_CHARACTERS = 2_048;
const DEFAULT_DURATION_SECONDS = 3_600;

/** Gives out credentials that end, for one role, narrowed by the policy of the request. */
export class AssumeRole {
  constructor(
    private readonly roles: RoleStore,
    private readonly tokens: SessionTokens,
    private readonly clock: Clock,
  ) {}

  execute(caller: Caller, form: FormParameters): string {
    if (caller.kind !== 'root') throw new FormError('AccessDenied', 'A session may not assume a role.');
    form.allowOnly(['RoleArn', 'RoleSessionName', 'DurationSeconds', 'Policy']);
    const arn = form.require('RoleArn', /^arn:.{1,2044}$/);
    const sessionName = form.require('RoleSessionName', /^[\w+=,.@-]{2,64}$/);
    const policy = readSessionPolicy(form.get('Policy'));
    const role = this.roles.find(arn);
    if (role === null) throw new FormError('AccessDenied', `Not authorized to perform sts:AssumeRole on ${arn}.`);
    const issuedAtMs = this.clock.nowMs();
    const expiresAtMs = issuedAtMs + readDuration(form, role) * 1_000;
    const accessKeyId = this.tokens.newAccessKeyId();
    const token = this.tokens.seal({ accessKeyId, roleArn: arn, sessionName, policy, issuedAtMs, expiresAtMs });
    const credentials = elements({
      AccessKeyId: accessKeyId,
      SecretAccessKey: this.tokens.secretOf(accessKeyId).reveal(),
      SessionToken: token,
      Expiration: new Date(expiresAtMs).toISOString(),
    });
    const user = elements({
      AssumedRoleId: `${roleId(role)}:${sessionName}`,
      Arn: `arn:aws:sts::${accountOf(role)}:assumed-role/${roleName(role)}/${sessionName}`,
    });
    const size = Math.ceil(((policy?.length ?? 0) * 100) / MAX_SESSION_POLICY_CHARACTERS);
    return (
      `<Credentials>${credentials}</Credentials><AssumedRoleUser>${user}</AssumedRoleUser>` +
      (policy === null ? '' : elements({ PackedPolicySize: size }))
    );
  }
}

function readSessionPolicy(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text.length > MAX_SESSION_POLICY_CHARACTERS) {
    throw new FormError(
      'PackedPolicyTooLarge',
      `A session policy has at most ${MAX_SESSION_POLICY_CHARACTERS} characters.`,
    );
  }
  checkPolicy(text);
  return text;
}

export function checkPolicy(text: string): void {
  try {
    parsePolicy(text);
  } catch (error) {
    if (!(error instanceof MalformedPolicyError)) throw error;
    throw new FormError('MalformedPolicyDocument', error.message, { cause: error });
  }
}

function readDuration(form: FormParameters, { maxDurationSeconds }: Role): number {
  const text = form.get('DurationSeconds');
  if (text === undefined) return Math.min(DEFAULT_DURATION_SECONDS, maxDurationSeconds);
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (seconds >= MIN_DURATION_SECONDS && seconds <= maxDurationSeconds) return seconds;
  throw new FormError('ValidationError', `DurationSeconds must be ${MIN_DURATION_SECONDS} to ${maxDurationSeconds}.`);
}

/** Always the same for one role, in the shape that AWS gives its own. */
const roleId = ({ arn }: Role): string =>
  `AROA${createHash('sha256').update(arn).digest('hex').slice(0, 17).toUpperCase()}`;
