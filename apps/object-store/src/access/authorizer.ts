import type { Clock } from '@aerie/kernel';
import { permits } from '../policy/evaluate.js';
import { type Statement, parsePolicy } from '../policy/policy-document.js';
import { S3Error } from '../s3/s3-error.js';
import type { Caller } from './caller.js';

export interface Wish {
  readonly action: `s3:${string}`;
  readonly bucket: string;
  /** None for a wish about the bucket. */
  readonly key?: string;
  /** Of lists. */
  readonly prefix?: string;
}

/** What a role may do at this moment: all its policies as one. A role that is gone may do nothing. */
export interface RolePolicies {
  policyOf(roleArn: string): readonly Statement[];
}

/** Decides who may do what. A session may do what its role may now, and its session policy too. */
export class Authorizer {
  constructor(
    private readonly roles: RolePolicies,
    private readonly clock: Clock,
  ) {}

  isAllowed(caller: Caller, { action, bucket, key, prefix }: Wish): boolean {
    if (caller.kind === 'root') return true;
    const { roleArn, policy, issuedAtMs } = caller.session;
    const policies = [this.roles.policyOf(roleArn), ...(policy === null ? [] : [parsePolicy(policy)])];
    return permits(policies, {
      action,
      resource: `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`,
      nowMs: this.clock.nowMs(),
      // The store itself speaks plain HTTP, and believes no proxy about what is before it.
      secureTransport: false,
      tokenIssuedAtMs: issuedAtMs,
      ...(prefix === undefined ? {} : { prefix }),
    });
  }

  demand(caller: Caller, wish: Wish): void {
    if (this.isAllowed(caller, wish)) return;
    throw new S3Error('AccessDenied', `These credentials may not do ${wish.action} here.`);
  }
}
