import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RolePolicies } from '../access/authorizer.js';
import { type Statement, parsePolicy } from '../policy/policy-document.js';
import { syncDirectory } from '../storage/sync-directory.js';
import { type Role, roleName } from './role.js';
import { FormError } from './form-error.js';

/** The policy of the configuration goes by this name; it is changed there only. */
const CONFIGURED = 'configured';
const MAX_POLICIES_OF_A_ROLE = 20;
/** [IAM, inline policies of a role] */
export const MAX_ROLE_POLICY_CHARACTERS = 10_240;

/** By name of the role, then by name of the policy: the text of the document. */
const fileSchema = z.record(z.string(), z.record(z.string(), z.string()));
type Inline = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * The roles of the configuration, and the policies that were put on them since. One file holds all of the latter; it is
 * replaced by one rename, so after a crash it is the old one or the new one. All policies of a role count together.
 */
export class RoleStore implements RolePolicies {
  private statements: ReadonlyMap<string, readonly Statement[]> = new Map();
  private writing: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly directory: string,
    private readonly roles: readonly Role[],
    private inline: Inline,
  ) {
    this.compile();
  }

  static async open(directory: string, roles: readonly Role[]): Promise<RoleStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const inline = await readInline(join(directory, FILE));
    return new RoleStore(directory, roles, inline);
  }

  find(arn: string): Role | null {
    return this.roles.find((role) => role.arn === arn) ?? null;
  }

  policyOf(roleArn: string): readonly Statement[] {
    return this.statements.get(roleArn) ?? [];
  }

  policyText(name: string, policyName: string): string {
    const role = this.roleNamed(name);
    const text = policyName === CONFIGURED ? role.policy : this.inline.get(name)?.get(policyName);
    if (text === undefined) throw new FormError('NoSuchEntity', `The role has no policy ${policyName}.`);
    return text;
  }

  /** In force, and on disk, once it resolves. */
  putPolicy(name: string, policyName: string, text: string): Promise<void> {
    return this.change(name, policyName, (policies) => {
      if (!policies.has(policyName) && policies.size >= MAX_POLICIES_OF_A_ROLE) {
        throw new FormError('LimitExceeded', `A role has at most ${MAX_POLICIES_OF_A_ROLE} policies.`);
      }
      policies.set(policyName, text);
    });
  }

  deletePolicy(name: string, policyName: string): Promise<void> {
    return this.change(name, policyName, (policies) => {
      if (policies.delete(policyName)) return;
      throw new FormError('NoSuchEntity', `The role has no policy ${policyName}.`);
    });
  }

  /** One after the other: each change starts from what the one before has left. */
  private change(name: string, policyName: string, edit: (policies: Map<string, string>) => void): Promise<void> {
    const work = this.writing.then(async () => {
      this.roleNamed(name);
      if (policyName === CONFIGURED) {
        throw new FormError('UnmodifiableEntity', 'This policy is of the configuration. Put one of another name.');
      }
      const policies = new Map(this.inline.get(name));
      edit(policies);
      const inline = new Map(this.inline).set(name, policies);
      await writeInline(this.directory, inline);
      this.inline = inline;
      this.compile();
    });
    this.writing = work.catch(() => undefined);
    return work;
  }

  private roleNamed(name: string): Role {
    const role = this.roles.find((candidate) => roleName(candidate) === name);
    if (role === undefined) throw new FormError('NoSuchEntity', `There is no role ${name}.`);
    return role;
  }

  private compile(): void {
    const textsOf = (role: Role): string[] => [
      ...(role.policy === undefined ? [] : [role.policy]),
      ...(this.inline.get(roleName(role))?.values() ?? []),
    ];
    this.statements = new Map(this.roles.map((role) => [role.arn, textsOf(role).flatMap(parsePolicy)]));
  }
}

const FILE = 'role-policies.json';

async function readInline(path: string): Promise<Inline> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  const roles = fileSchema.parse(JSON.parse(text));
  return new Map(Object.entries(roles).map(([name, policies]) => [name, new Map(Object.entries(policies))]));
}

async function writeInline(directory: string, inline: Inline): Promise<void> {
  const temporary = join(directory, `${FILE}.${randomUUID()}`);
  const content = Object.fromEntries([...inline].map(([name, policies]) => [name, Object.fromEntries(policies)]));
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(content, null, 2));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(directory, FILE));
    await syncDirectory(directory);
  } finally {
    await rm(temporary, { force: true });
  }
}
