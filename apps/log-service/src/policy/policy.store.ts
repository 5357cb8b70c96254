import { LOG_MODULES, type LogModule } from '@aerie/log-core';
import type { Organisations, Tx } from '@aerie/persistence';

/** What an organisation has decided for its logs, with the deployment's word where it has not. */
export interface Policy {
  readonly collectOnFailure: boolean;
  /** Whether a flight that a person ended counts as a failure for that. */
  readonly collectWhenEndedByPerson: boolean;
  readonly collectModules: readonly LogModule[];
  readonly missionsFirst: boolean;
  /** Null: kept for ever. */
  readonly retentionDays: number | null;
  /** 0: nothing was decided. */
  readonly version: number;
}

interface PolicyRow {
  readonly collect_on_failure: boolean | null;
  readonly collect_when_ended_by_person: boolean | null;
  readonly collect_modules: readonly LogModule[] | null;
  readonly missions_first: boolean | null;
  readonly retention_days: number | null;
  readonly revision: number;
}

export class PolicyStore {
  constructor(
    private readonly database: Organisations,
    /** Whether logs of failed missions are collected where nobody has decided. */
    private readonly collectByDefault: boolean,
  ) {}

  of(organisationId: string): Promise<Policy> {
    return this.read(this.database.of(organisationId), organisationId);
  }

  /** The same within a transaction, which must not wait for a connection of another pool. */
  within(tx: Tx, organisationId: string): Promise<Policy> {
    return this.read(tx, organisationId);
  }

  /** Replaces the whole decision. The caller holds the lock. */
  async replace(tx: Tx, organisationId: string, decision: Omit<Policy, 'version'>, by: string): Promise<Policy> {
    const { collectOnFailure, collectWhenEndedByPerson, collectModules, missionsFirst, retentionDays } = decision;
    await tx.run(
      `INSERT INTO log.policy (organisation_id, collect_on_failure, collect_when_ended_by_person, collect_modules,
                               missions_first, retention_days, updated_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (organisation_id) DO UPDATE
          SET collect_on_failure = excluded.collect_on_failure,
              collect_when_ended_by_person = excluded.collect_when_ended_by_person, collect_modules = excluded.collect_modules,
              missions_first = excluded.missions_first, retention_days = excluded.retention_days,
              revision = log.policy.revision + 1, updated_by = excluded.updated_by, updated_at = clock_timestamp()`,
      [
        ...[organisationId, collectOnFailure, collectWhenEndedByPerson, JSON.stringify(collectModules)],
        ...[missionsFirst, retentionDays, by],
      ],
    );
    return this.read(tx, organisationId);
  }

  /** Locks it for a change, also where there is none yet. */
  async lock(tx: Tx, organisationId: string): Promise<Policy> {
    await tx.run(`SELECT pg_advisory_xact_lock(hashtext('log.policy'), hashtext($1))`, [organisationId]);
    return this.read(tx, organisationId);
  }

  private async read(through: { query: Tx['query'] }, organisationId: string): Promise<Policy> {
    const [row] = await through.query<PolicyRow>(
      `SELECT collect_on_failure, collect_when_ended_by_person, collect_modules, missions_first, retention_days, revision
         FROM log.policy WHERE organisation_id = $1`,
      [organisationId],
    );
    return {
      collectOnFailure: row?.collect_on_failure ?? this.collectByDefault,
      collectWhenEndedByPerson: row?.collect_when_ended_by_person ?? false,
      collectModules: row?.collect_modules ?? LOG_MODULES,
      missionsFirst: row?.missions_first ?? true,
      retentionDays: row?.retention_days ?? null,
      version: row?.revision ?? 0,
    };
  }
}
