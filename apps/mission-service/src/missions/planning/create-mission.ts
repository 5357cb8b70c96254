import type { Principal } from '@aerie/bus-contract';
import { type StoredAnswer, answerOnce, once } from '@aerie/http-api';
import type { PreflightResult } from '@aerie/mission-core';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { SCHEMA } from '../../database.js';
import { insertMission } from './insert-mission.js';
import { viewOf } from '../store/mission.view.js';
import { type ConflictView, conflictOf } from './conflicts.js';
import type { NewMission, Origin } from './new-mission.js';
import type { PlanMission } from './plan-mission.js';

export interface CreateRequest {
  readonly route: string;
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
}

/** What would become of a mission, had it been accepted now. */
export interface Preview {
  readonly verdict: 'go' | 'no_go';
  readonly conflicts: readonly ConflictView[];
  readonly earliestExecuteAt: string | null;
  readonly preflight: PreflightResult;
  readonly plan: {
    readonly prepareAt: string;
    readonly executeAt: string | null;
    readonly deadline: string | null;
    readonly plannedDurationSeconds: number;
  };
}

/** Accepts a mission. The answer is given only after the mission and the record of the answer are committed. */
export class CreateMission {
  constructor(
    private readonly dataSource: DataSource,
    private readonly planMission: PlanMission,
    private readonly wake: (missionId: string, delayMs: number) => void,
  ) {}

  /** The answer to a request that was accepted before, also while `accept` refused it; otherwise that of `accept`. */
  answerOnce(
    { organisationId }: Principal,
    { route, idempotencyKey: key, body }: CreateRequest,
    accept: () => Promise<StoredAnswer>,
  ): Promise<StoredAnswer> {
    return answerOnce(this.dataSource, SCHEMA, { organisationId, route, key, body }, accept);
  }

  async execute(
    caller: Principal,
    input: NewMission,
    request: CreateRequest,
    origin: Origin | null = null,
  ): Promise<StoredAnswer> {
    const planned = await this.planMission.plan(caller, input, origin);
    const preflight = await this.planMission.preflight(planned);
    const { route, idempotencyKey: key, body } = request;
    const answer = await inTransaction(this.dataSource, (tx) =>
      once(tx, SCHEMA, { organisationId: caller.organisationId, route, key, body }, async () => {
        const row = await insertMission(tx, planned, preflight);
        return { status: 201, body: JSON.stringify({ ...viewOf(row), warnings: warningsOf(preflight) }) };
      }),
    );
    // Harmless for a repeat, whose mission has another id.
    this.wake(planned.id, (planned.plan.nextActionAtMs ?? planned.plan.sinceMs) - planned.plan.sinceMs);
    return answer;
  }

  /** All checks of `execute`; nothing is written. */
  async preview(caller: Principal, input: NewMission): Promise<Preview> {
    const planned = await this.planMission.plan(caller, input, null);
    const [preflight, { holders, earliestExecuteAt }] = await Promise.all([
      this.planMission.preflight(planned),
      this.planMission.conflicts(planned),
    ]);
    const { prepareAtMs, executeAtMs, deadlineMs, plannedDurationMs } = planned.plan;
    return {
      verdict: holders.length > 0 ? 'no_go' : preflight.verdict,
      conflicts: holders.map(conflictOf),
      earliestExecuteAt: earliestExecuteAt?.toISOString() ?? null,
      preflight,
      plan: {
        prepareAt: new Date(prepareAtMs).toISOString(),
        executeAt: isoOf(executeAtMs),
        deadline: isoOf(deadlineMs),
        plannedDurationSeconds: plannedDurationMs / 1_000,
      },
    };
  }
}

/** What would hold the mission back if it were due now; until then it may pass. */
const warningsOf = ({ rules }: PreflightResult) =>
  rules.filter(({ verdict }) => verdict === 'no_go').map(({ rule, message }) => ({ rule, message }));

const isoOf = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());
