import { type ExpectedVersion, versionsOf } from '@aerie/http-api';
import { type ApprovalWish, DEFAULT_POLICY, type PreflightPolicy } from '@aerie/mission-core';
import type { Organisations, Tx } from '@aerie/persistence';
import { AskTogether } from '@aerie/kernel';
import { LRUCache } from 'lru-cache';

/** When a flight that stopped goes on by itself. */
export interface AutoResumePolicy {
  /** `break_reason` of the dock, e.g. 773: returned on low battery. Empty: never. */
  readonly onBreakReasons: readonly number[];
  /** So many times in a row. */
  readonly atMost: number;
  /** How long after the end of the flight: the aircraft has to charge. */
  readonly afterMs: number;
}

/** Which missions need the approval of another person, once they are planned. */
export const APPROVAL_OF = ['none', 'planned', 'all'] as const;

/** What may start a mission: a person or a key that plans it, or the policy itself, which goes on with a flight. */
export type PlannedBy = 'caller' | 'policy';

export interface ApprovalPolicy {
  /** `planned`: those that a person or a key plans. `all`: also those that the policy resumes. */
  readonly missions: (typeof APPROVAL_OF)[number];
  /** How long a request for approval may wait; null: until the mission can start no more. */
  readonly lifetimeHours: number | null;
}

export interface Policy {
  readonly approval: ApprovalPolicy;
  readonly preflight: PreflightPolicy;
  readonly autoResume: AutoResumePolicy;
  readonly version: number;
}

/** Nothing takes off by itself unless somebody has said so. */
export const NEVER_RESUME: AutoResumePolicy = { onBreakReasons: [], atMost: 0, afterMs: 0 };
export const NO_APPROVAL: ApprovalPolicy = { missions: 'none', lifetimeHours: null };
const DEFAULTS: Policy = {
  ...{ preflight: DEFAULT_POLICY, autoResume: NEVER_RESUME, approval: NO_APPROVAL, version: 0 },
};

const HOUR_MS = 60 * 60_000;

/** What a mission that is planned now needs, for as long as it lives; null: no approval. */
export function approvalNeeded({ missions, lifetimeHours }: ApprovalPolicy, by: PlannedBy): ApprovalWish | null {
  if (missions === 'none' || (missions === 'planned' && by === 'policy')) return null;
  return { lifetimeMs: lifetimeHours === null ? null : lifetimeHours * HOUR_MS };
}

interface PolicyRow {
  readonly organisation_id: string;
  readonly preflight: Partial<PreflightPolicy>;
  readonly auto_resume: Partial<AutoResumePolicy>;
  readonly approval: Partial<ApprovalPolicy>;
  readonly revision: number;
}

const COLUMNS = 'organisation_id, preflight, auto_resume, approval, revision';

/** A change of a policy works within this time in every replica. */
const CACHE_MS = 2_000;
const CACHED = 10_000;

const policyOf = ({ preflight, auto_resume, approval, revision }: PolicyRow): Policy => ({
  preflight: { ...DEFAULT_POLICY, ...preflight },
  autoResume: { ...NEVER_RESUME, ...auto_resume },
  approval: { ...NO_APPROVAL, ...approval },
  version: revision,
});

/** What organisations have decided for all their missions; the defaults where they have not. */
export class PolicyStore {
  /** Of a batch each asks for the same one. */
  private readonly asked: AskTogether<Policy>;

  constructor(
    private readonly database: Organisations,
    private readonly cache = new LRUCache<string, Policy>({ max: CACHED, ttl: CACHE_MS }),
  ) {
    this.asked = new AskTogether(
      ([id = '']) => this.ofAll([id], database.of(id)),
      (id) => id,
    );
  }

  /** The same through another pool. What is remembered is shared: a change holds for both at once. */
  through(database: Organisations): PolicyStore {
    return new PolicyStore(database, this.cache);
  }

  async of(organisationId: string): Promise<Policy> {
    return this.cache.get(organisationId) ?? (await this.asked.find(organisationId)) ?? DEFAULTS;
  }

  /** The same within a transaction, which must not wait for a connection of another pool. */
  async within(tx: Tx, organisationId: string): Promise<Policy> {
    return (await this.ofAll([organisationId], tx)).get(organisationId) ?? DEFAULTS;
  }

  /** Policies of many organisations at once; one that has none is not in the answer. */
  async ofAll(
    organisationIds: readonly string[],
    through: { readonly query: Tx['query'] },
  ): Promise<ReadonlyMap<string, Policy>> {
    const found = new Map<string, Policy>();
    const missing: string[] = [];
    for (const id of new Set(organisationIds)) {
      const known = this.cache.get(id);
      if (known === undefined) missing.push(id);
      else found.set(id, known);
    }
    if (missing.length === 0) return found;
    const rows = await through.query<PolicyRow>(
      `SELECT ${COLUMNS} FROM mission.policy WHERE organisation_id = ANY($1::uuid[])`,
      [missing],
    );
    const read = new Map(rows.map((row) => [row.organisation_id, policyOf(row)]));
    for (const id of missing) {
      const policy = read.get(id) ?? DEFAULTS;
      this.cache.set(id, policy);
      found.set(id, policy);
    }
    return found;
  }

  /** The version as the table has it. */
  async versionOf(organisationId: string): Promise<number> {
    const rows = await this.database
      .of(organisationId)
      .query<{ revision: number }>('SELECT revision FROM mission.policy WHERE organisation_id = $1', [organisationId]);
    return rows[0]?.revision ?? 0;
  }

  /** Replaces a policy that has the given version; false when somebody was faster. */
  async replace(
    tx: Tx,
    organisationId: string,
    policy: Omit<Policy, 'version'>,
    expectedVersion: ExpectedVersion,
    by: string,
  ): Promise<Policy | null> {
    const row = await tx.one<PolicyRow>(
      `INSERT INTO mission.policy AS p (organisation_id, preflight, auto_resume, approval, updated_by)
       SELECT $1, $2::jsonb, $3::jsonb, $6::jsonb, $5 WHERE $4::integer[] IS NULL OR 0 = ANY($4)
           OR EXISTS (SELECT 1 FROM mission.policy WHERE organisation_id = $1 AND revision = ANY($4))
       ON CONFLICT (organisation_id) DO UPDATE
          SET preflight = excluded.preflight, auto_resume = excluded.auto_resume,
              approval = excluded.approval, updated_by = excluded.updated_by,
              revision = p.revision + 1, updated_at = clock_timestamp()
        WHERE $4::integer[] IS NULL OR p.revision = ANY($4)
       RETURNING ${COLUMNS}`,
      [
        organisationId,
        JSON.stringify(policy.preflight),
        JSON.stringify(policy.autoResume),
        versionsOf(expectedVersion),
        by,
        JSON.stringify(policy.approval),
      ],
    );
    this.cache.delete(organisationId);
    return row === undefined ? null : policyOf(row);
  }
}
