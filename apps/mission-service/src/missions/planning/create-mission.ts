import type { Principal } from '@aerie/bus-contract';
import {
  type FindBefore,
  type IdempotentRequest,
  Refused,
  type StoredAnswer,
  answerOnce,
  demand,
  findBeforeTogether,
  findMeanwhileTogether,
  onceTogether,
  problemOf,
  requestOf,
} from '@aerie/http-api';
import { ConflictError, RunTogether } from '@aerie/kernel';
import type { PreflightResult } from '@aerie/mission-core';
import { type Logger, type OpenSpan, placeOf, traced } from '@aerie/observability';
import {
  type ApiDatabase,
  CommitUnknownError,
  type OrganisationRows,
  type Tx,
  inTransaction,
  isOutage,
  reachKeyOf,
} from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { type AskedBy, askedNow } from '../downlink/decision-traces.js';
import { type ToInsert, insertMissions } from './insert-missions.js';
import type { LockedMission } from '../store/mission.row.js';
import { viewOf } from '../views/mission.view.js';
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
    /** Until when another person would have to approve it; null: it needs no approval. */
    readonly approveBy: string | null;
  };
}

/** A mission that was thought through, and the request that it answers. */
interface Accepting extends ToInsert {
  readonly preflight: PreflightResult;
  readonly request: IdempotentRequest;
  readonly asked: AskedBy;
  readonly caller: Principal;
}

/** One of several missions that are asked for together. */
export interface BatchItem {
  readonly request: CreateRequest;
  /** Reads it; throws what is wrong with it. */
  readonly input: () => NewMission;
}

/** Of several missions that were to be planned together or not at all, one or more were refused. */
export class BatchRefusedError extends Error {
  /** In their order; null or an answer: that one would have been accepted. */
  readonly refusals: readonly (Refused | null)[];

  constructor(results: readonly (StoredAnswer | Refused | null)[]) {
    super('not all missions of the batch can be planned');
    this.refusals = results.map((result) => (result instanceof Refused ? result : null));
  }
}

/** Missions written in one transaction: few enough that none of them waits long for it. */
const WRITTEN_AT_ONCE = 100;
/** While one transaction waits, for the disk or for a dock, another one goes on. */
const TRANSACTIONS = 2;

/**
 * Accepts missions. An answer is given only after the mission and the record of the answer are committed. What is asked
 * for at the same time is written together.
 */
export class CreateMission {
  private readonly findBefore: FindBefore;
  private readonly findMeanwhile: FindBefore;
  private readonly writing: RunTogether<Accepting, StoredAnswer | Refused>;

  constructor(
    private readonly database: ApiDatabase,
    private readonly planMission: PlanMission,
    private readonly wake: (missionId: string, delayMs: number) => void,
    private readonly logger: Logger,
  ) {
    this.findBefore = findBeforeTogether(database, SCHEMA);
    this.findMeanwhile = findMeanwhileTogether(database, SCHEMA);
    this.writing = new RunTogether({
      atOnce: WRITTEN_AT_ONCE,
      runs: TRANSACTIONS,
      groupOf: ({ caller }) => reachKeyOf(caller),
      run: (group) => this.write(group),
      // After a commit that nobody confirmed they may all stand: nothing is written a second time.
      failsAll: (error) => error instanceof CommitUnknownError || isOutage(error),
    });
  }

  /** The answer to a request that was accepted before, also while `accept` refused it; otherwise that of `accept`. */
  answerOnce(
    caller: Principal,
    { route, idempotencyKey: key, body }: CreateRequest,
    accept: () => Promise<StoredAnswer>,
  ): Promise<StoredAnswer> {
    const request = requestOf(caller, { route, key, body });
    return answerOnce(this.database, SCHEMA, request, accept, this.findBefore, this.findMeanwhile);
  }

  async execute(
    caller: Principal,
    input: NewMission,
    request: CreateRequest,
    origin: Origin | null = null,
  ): Promise<StoredAnswer> {
    const accepting = await this.think(caller, input, request, origin);
    const answer = await this.writing.run(accepting);
    if (answer instanceof Refused) throw answer.error;
    this.wakeFor(accepting);
    return answer;
  }

  /** Several missions, each with a verdict of its own, in their order. Never rejects. */
  executeEach(caller: Principal, missions: readonly BatchItem[]): Promise<(StoredAnswer | Refused)[]> {
    return Promise.all(
      missions.map(({ request, input }) =>
        this.answerOnce(caller, request, async () => this.execute(caller, input(), request)).catch((error: unknown) => {
          if (problemOf(error).status >= 500) this.logger.error({ err: error }, 'a mission of a batch failed');
          return new Refused(error);
        }),
      ),
    );
  }

  /**
   * Several missions, all or none. Rejects with `BatchRefusedError` when one of them is refused; then none is planned. What
   * was accepted under the same keys before keeps its answer.
   */
  async executeAll(caller: Principal, missions: readonly BatchItem[]): Promise<readonly StoredAnswer[]> {
    const requests = missions.map(({ request: { route, idempotencyKey: key, body } }) =>
      requestOf(caller, { route, key, body }),
    );
    const before = await this.allBefore(requests);
    if (before !== null) return before;
    try {
      const thought = await Promise.allSettled(
        missions.map(async ({ request, input }) => this.think(caller, input(), request, null)),
      );
      const accepting = thought.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      if (accepting.length < thought.length) {
        throw new BatchRefusedError(
          thought.map((one) => (one.status === 'fulfilled' ? null : new Refused(one.reason as unknown))),
        );
      }
      const answers = await this.writeAll(accepting);
      for (const one of accepting) this.wakeFor(one);
      return answers;
    } catch (refusal) {
      // They are committed together, so the first speaks for all of them.
      const [first] = requests;
      if (first?.key === undefined) throw refusal;
      const meanwhile = await this.findMeanwhile(first);
      const answers = meanwhile === null ? null : await this.allBefore(requests);
      if (answers === null) throw refusal;
      return answers;
    }
  }

  private async allBefore(requests: readonly IdempotentRequest[]): Promise<readonly StoredAnswer[] | null> {
    if (requests.some(({ key }) => key === undefined)) return null;
    const answers = await Promise.all(requests.map((request) => this.findBefore(request)));
    return answers.every((answer) => answer !== null) ? answers : null;
  }

  private async think(
    caller: Principal,
    input: NewMission,
    { route, idempotencyKey: key, body }: CreateRequest,
    origin: Origin | null,
  ): Promise<Accepting> {
    const asked = askedNow();
    demand(caller, input.kind === 'immediate' ? 'missions.start' : 'missions.plan');
    const planned = await this.planMission.plan(caller, input, origin);
    const preflight = await this.planMission.preflight(planned);
    return { asked, caller, planned, preflight, request: requestOf(caller, { route, key, body }) };
  }

  private write(group: readonly Accepting[]): Promise<(StoredAnswer | Refused)[]> {
    const place = placeOf(group.flatMap(({ asked }) => asked.trace ?? []));
    const attributes = { 'aerie.mission.count': group.length };
    return traced({ name: 'write missions', ...place, attributes }, (span) =>
      inTransaction(this.rowsOf(group), (tx) => this.writeIn(tx, group, span)),
    );
  }

  private writeIn(tx: Tx, group: readonly Accepting[], span?: OpenSpan): Promise<(StoredAnswer | Refused)[]> {
    return onceTogether(
      tx,
      SCHEMA,
      group.map(({ request }) => request),
      async (fresh) => {
        const accepting = fresh.flatMap((index) => group[index] ?? []);
        const results = await insertMissions(tx, accepting, span);
        return results.map((result, index) =>
          result instanceof ConflictError ? new Refused(result) : answerWith(result, accepting[index]?.preflight),
        );
      },
    );
  }

  /** All or none, in one transaction. Rejects with `BatchRefusedError` and writes nothing when one of them is refused. */
  private async writeAll(accepting: readonly Accepting[]): Promise<StoredAnswer[]> {
    return traced({ name: 'write missions', attributes: { 'aerie.mission.count': accepting.length } }, (span) =>
      inTransaction(this.rowsOf(accepting), async (tx) => {
        const answers = await this.writeIn(tx, accepting, span);
        if (answers.some((answer) => answer instanceof Refused)) throw new BatchRefusedError(answers);
        return answers.filter((answer): answer is StoredAnswer => !(answer instanceof Refused));
      }),
    );
  }

  /** All of them are asked for by callers who reach the same. */
  private rowsOf([first]: readonly Accepting[]): OrganisationRows {
    return this.database.of(first?.caller ?? '');
  }

  /** Harmless for a repeat, whose mission has another id. */
  private wakeFor({ planned: { id, plan } }: Accepting): void {
    this.wake(id, (plan.nextActionAtMs ?? plan.sinceMs) - plan.sinceMs);
  }

  /** All checks of `execute`; nothing is written. */
  async preview(caller: Principal, input: NewMission): Promise<Preview> {
    const planned = await this.planMission.plan(caller, input, null);
    const [preflight, { holders, earliestExecuteAt }] = await Promise.all([
      this.planMission.preflight(planned),
      this.planMission.conflicts(caller, planned),
    ]);
    const { prepareAtMs, executeAtMs, deadlineMs, plannedDurationMs, approval } = planned.plan;
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
        approveBy: isoOf(approval?.untilMs ?? null),
      },
    };
  }
}

const answerWith = (row: LockedMission, preflight: PreflightResult | undefined): StoredAnswer => ({
  status: 201,
  body: JSON.stringify({ ...viewOf(row), warnings: warningsOf(preflight?.rules ?? []) }),
});

/** What would hold the mission back if it were due now; until then it may pass. */
const warningsOf = (rules: PreflightResult['rules']) =>
  rules.filter(({ verdict }) => verdict === 'no_go').map(({ rule, message }) => ({ rule, message }));

const isoOf = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());
