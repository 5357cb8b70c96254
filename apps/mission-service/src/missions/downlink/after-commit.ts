import { type MissionEvent, type MissionState, type UnsentCause, leadMs } from '@aerie/mission-core';
import { type Logger, type Metrics, type OpenSpan, runInTrace, traced } from '@aerie/observability';
import { AskTogether, OrderPool, RunTogether } from '@aerie/kernel';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';
import { type Advanced, type Order, advance } from '../advance-mission.js';
import { type CommandEffect, commandFor } from '../dji/command-names.js';
import { type SaidBy, spanOfCommand, traceDecision } from './decision-traces.js';
import type { DockCommands } from './dock-commands.js';
import type { ObserveDock } from './observe-dock.js';
import {
  type SendOutcome,
  findStartsOnTheirWay,
  handStarts,
  lockMission,
  recordOutcomes,
} from '../store/flight-critical.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import { timingOf } from '../store/timing-column.js';
import { type TimelineEntry, isInItsCall, writeTimeline } from '../store/timeline.js';
import type { DueWakes } from './due-wakes.js';
import { settleLook } from './settle-look.js';
import type { StartsFirst } from './starts-first.js';

export interface AfterCommitParts {
  readonly dataSource: DatabaseOf<'engine'>;
  readonly commands: DockCommands;
  readonly observeDock: ObserveDock;
  readonly wakes: DueWakes;
  readonly startsFirst: StartsFirst;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Orders in work at once. Beyond it they wait in memory; a crash then loses nothing that a timer does not find. */
const CONCURRENCY = 256;
/** Looks at once, beside the commands: a look may wait for seconds, and a person's command must not wait behind it. */
const LOOKS = 64;
/** Of these, so many are for executes alone: a start must not wait behind prepares that wait for an address. */
const KEPT_FOR_EXECUTE = 64;
/**
 * A person's commands in work, beside the others: a stop must not wait behind the starts of a herd. Each may itself wait for
 * a start, which costs a timer, so there are as many as a herd has flights.
 */
const WISHES = 1_000;
/** What became of commands is written together: that many at most, and this long after the first of them. */
const OUTCOMES_AT_ONCE = 100;
const OUTCOMES_GATHER_MS = 20;
/** Starts handed over in one transaction, and such transactions at once: none waits long behind another. */
const HANDED_AT_ONCE = 100;
const HANDING = 4;
/** Between two looks at what became of a start that a person wants to stop. */
const START_LOOK_MS = 50;
/** A stop that is sent this long before its end still reaches the dock. */
const STOP_MARGIN_MS = 1_000;
/** Orders that wait. What is dropped beyond it, a timer of its mission finds again. */
const MAX_WAITING = 20_000;

/** An order that is written to a dock. */
type Command = Order & { readonly effect: CommandEffect };

/** Nothing is wrong: the command is for a plan that no longer holds. */
const PLAN_CHANGED = 'the plan has changed since';

interface Plan {
  readonly id: string;
  readonly state: MissionState;
  readonly edition: number;
}

interface Told {
  readonly outcome: SendOutcome;
  /** Null: the call says all of it, and its timeline is read from there. */
  readonly entry: TimelineEntry | null;
}

/**
 * What a committed decision asks for: send a command, look at a dock, set a wake. Nothing here is a promise that must
 * survive a crash: the mission's `next_action_at` finds everything again, and execute is never sent a second time.
 */
export class AfterCommit {
  private readonly inWork = new Set<Promise<void>>();
  private readonly executes: Command[] = [];
  private readonly waiting: Command[] = [];
  private readonly wishes: OrderPool<Command>;
  private readonly looks: OrderPool<Order>;
  private sending = 0;
  private outcomes: Told[] = [];
  private telling: NodeJS.Timeout | undefined;
  private readonly sends;
  private readonly startSkew;
  /** What missions are now. */
  private readonly plans: AskTogether<Plan>;
  /** Attempts whose start is on its way. */
  private readonly starting: AskTogether<number>;
  private readonly handing: RunTogether<string, boolean>;

  constructor(private readonly parts: AfterCommitParts) {
    const { dataSource, logger } = parts;
    this.wishes = new OrderPool({
      concurrency: WISHES,
      maxWaiting: MAX_WAITING,
      carryOut: (command) => this.carryOut(command),
      onError: (error, command) => this.failed(error, command),
    });
    this.looks = new OrderPool({
      concurrency: LOOKS,
      maxWaiting: MAX_WAITING,
      carryOut: (order) => runInTrace(order.trace, () => this.observe(order)),
      onError: (error, { mission }) => logger.warn({ err: error, missionId: mission.id }, 'failed to look at a dock'),
    });
    this.plans = new AskTogether(async (ids) => {
      const rows = await dataSource.query<Plan[]>(
        'SELECT id, state, edition FROM mission.mission WHERE id = ANY($1::uuid[])',
        [ids],
      );
      return new Map(rows.map((row) => [row.id, row]));
    });
    this.starting = new AskTogether((ids) =>
      findStartsOnTheirWay({ query: (sql, parameters = []) => dataSource.query(sql, [...parameters]) }, ids),
    );
    this.handing = new RunTogether({
      atOnce: HANDED_AT_ONCE,
      runs: HANDING,
      run: async (tids) => {
        const handed = await inTransaction(dataSource, (tx) => handStarts(tx, tids));
        return tids.map((tid) => handed.has(tid));
      },
      // Each of them is refused then, and its mission tried again.
      failsAll: () => true,
    });
    this.sends = parts.metrics.counter('mission_commands_total', 'Commands by outcome.', ['method', 'outcome']);
    this.startSkew = parts.metrics.histogram(
      'mission_start_skew_seconds',
      'Starts of timed missions: from when the command was due, its lead before the time of the mission, to its PUBACK.',
    );
  }

  /** Call it only after the commit is known to have succeeded. */
  run(advanced: Advanced, said?: SaidBy): void {
    if (advanced.decision.kind === 'refused') return;
    this.parts.wakes.for(advanced.mission);
    this.enqueue(traceDecision(advanced, said));
  }

  /** Carries orders out, some time soon. Never waits. */
  enqueue(orders: readonly Order[]): void {
    for (const order of orders) {
      if (order.effect === 'observeFlight') {
        // Beyond the limit it is left to the mission's timer, which asks for a look again.
        this.looks.add(order);
        continue;
      }
      const command: Command = { ...order, effect: order.effect };
      if (!this.take(command)) this.drop(command, 'too many commands wait');
    }
    this.pump();
  }

  /** False: too many wait already. */
  private take(command: Command): boolean {
    if (isWish(command)) return this.wishes.add(command);
    if (command.effect !== 'sendExecute' && this.waiting.length >= MAX_WAITING) return false;
    (command.effect === 'sendExecute' ? this.executes : this.waiting).push(command);
    return true;
  }

  async settle(): Promise<void> {
    do {
      await Promise.all([this.wishes.settle(), this.looks.settle(), ...this.inWork]);
    } while (this.inWork.size > 0 || !this.wishes.isIdle || !this.looks.isIdle);
    await this.tell();
  }

  private pump(): void {
    while (this.sending < CONCURRENCY) {
      const mayTakeOthers = this.sending < CONCURRENCY - KEPT_FOR_EXECUTE;
      const order = this.executes.shift() ?? (mayTakeOthers ? this.waiting.shift() : undefined);
      if (order === undefined) return;
      this.sending++;
      const work: Promise<void> = this.carryOut(order)
        .catch((error: unknown) => this.failed(error, order))
        .finally(() => {
          this.inWork.delete(work);
          this.sending--;
          this.pump();
        });
      this.inWork.add(work);
    }
  }

  private async carryOut(order: Command): Promise<void> {
    // An execute is sent all the same: only the ingress's word that it was too late opens the mission again.
    if (order.effect === 'sendExecute') return this.parts.startsFirst.during(() => this.send(order));
    if (order.notAfterMs <= Date.now()) this.drop(order, 'too late');
    else await this.send(order);
  }

  private failed(error: unknown, { mission, effect }: Command): void {
    this.parts.logger.warn({ err: error, missionId: mission.id, effect }, 'an order failed');
  }

  private send(order: Command): Promise<void> {
    const { effect, mission, trace } = order;
    // Orders wait for each other: what is done now is none of theirs.
    if (trace === undefined) return runInTrace(undefined, () => this.sendNow(order, undefined));
    return traced(spanOfCommand(order, commandFor(effect, mission.delivery)), (span) => this.sendNow(order, span));
  }

  private async sendNow(order: Command, span: OpenSpan | undefined): Promise<void> {
    const { mission, tid, effect } = order;
    // The instant of the claim, by the database's clock, moved on by our own since then.
    const answer = await this.parts.commands.send(order, mission.now.getTime(), () => this.whyNot(order));
    const { outcome, reason = null, dockIsAway = false, notWanted = false } = answer;
    const method = commandFor(effect, mission.delivery);
    this.sends.inc({ method, outcome });
    span?.set({ 'aerie.outcome': outcome });
    if (effect === 'sendExecute' && outcome === 'written') this.noteStart(mission);
    if (outcome !== 'written')
      this.parts.logger.info({ missionId: mission.id, method, outcome, reason }, 'not written');
    const detail = { tid, outcome, reason };
    const entry: TimelineEntry = { missionId: mission.id, kind: 'message_out', what: method, detail };
    const told = { outcome: { tid, outcome, reason }, entry };
    const because = dockIsAway ? 'dock_offline' : 'send_refused';
    const unsent = outcome === 'refused' && !notWanted ? unsentEvent(order, because) : null;
    if (unsent === null) this.gather(isInItsCall(method, outcome) ? { ...told, entry: null } : told);
    else await this.tellUnsent(mission, unsent, told);
  }

  private noteStart(mission: LockedMission): void {
    if (mission.execute_at === null) return;
    const dueAtMs = mission.execute_at.getTime() - leadMs(missionOf(mission), timingOf(mission));
    this.startSkew.observe(Math.max(0, Date.now() - dueAtMs) / 1_000);
  }

  /**
   * Why a command is not to leave any more; null: it is. A prepare is for the plan that it was decided for, an undo for a
   * mission that was not given to its dock anew, a start for a mission that nobody has stopped since it was claimed.
   */
  private async whyNot(order: Command): Promise<string | null> {
    const { effect, mission, tid } = order;
    if (effect === 'sendExecute') return (await this.handing.run(tid)) ? null : 'the start was withdrawn';
    if (effect !== 'sendPrepare' && effect !== 'sendUndo') {
      // To a dock that starts, a command goes behind the start, or not at all.
      return mission.state === 'starting' ? this.afterItsStart(order) : null;
    }
    const now = await this.plans.find(mission.id);
    if (now === null) return PLAN_CHANGED;
    const holds =
      effect === 'sendPrepare'
        ? now.state === 'preparing' && now.edition === mission.edition
        : now.state !== 'preparing' && now.state !== 'prepared' && now.state !== 'waiting_ready';
    return holds ? null : PLAN_CHANGED;
  }

  /**
   * Waits until it is known what became of the start, or until there is only just time left to send the command. A database
   * that does not say keeps no stop from an aircraft that may fly.
   */
  private async afterItsStart({ mission, notAfterMs }: Command): Promise<string | null> {
    const latestMs = notAfterMs - STOP_MARGIN_MS;
    const isOnItsWay = async (): Promise<boolean> => (await this.starting.find(mission.id)) === mission.attempt;
    while (Date.now() < latestMs && (await inTime(isOnItsWay(), latestMs, true))) {
      await new Promise((resolve) => setTimeout(resolve, START_LOOK_MS));
    }
    const now = await inTime(this.plans.find(mission.id), latestMs + STOP_MARGIN_MS / 2, undefined);
    if (now === undefined) return null;
    const flies = now?.state === 'starting' || now?.state === 'executing' || now?.state === 'paused';
    return flies ? null : 'the mission does not start any more';
  }

  /**
   * Proven that no byte left, or that nobody was there to get it. After an execute the mission may be claimed anew; of a
   * prepare it is the cause with which the mission waits.
   */
  private async tellUnsent(
    mission: LockedMission,
    event: MissionEvent,
    { outcome, entry }: { readonly outcome: SendOutcome; readonly entry: TimelineEntry },
  ): Promise<void> {
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      // Mission before call, as everywhere: the reply to this very command may be handled at the same instant.
      const locked = await lockMission(tx, mission.id, null);
      await recordOutcomes(tx, [outcome]);
      await writeTimeline(tx, [entry]);
      if (locked === undefined) return null;
      return advance(tx, locked, event, { detail: entry.detail ?? {} });
    });
    if (advanced !== null) this.run(advanced);
  }

  /** Never given to anybody. A timer of the mission finds it again, unless it was a person's command. */
  private drop(order: Command, reason: string): void {
    const { effect, mission, tid } = order;
    const detail = { tid, outcome: 'refused', reason };
    const what = commandFor(effect, mission.delivery);
    const told = { outcome: detail, entry: { missionId: mission.id, kind: 'message_out', what, detail } } as const;
    const unsent = unsentEvent(order, 'send_refused');
    if (unsent === null) return this.gather(told);
    const work: Promise<void> = this.tellUnsent(mission, unsent, told)
      .catch((error: unknown) =>
        this.parts.logger.warn({ err: error, missionId: mission.id }, 'failed to write down that nothing was sent'),
      )
      .finally(() => this.inWork.delete(work));
    this.inWork.add(work);
  }

  /** What was written, or may have been, moves nothing: it is written down soon, with others. */
  private gather(told: Told): void {
    this.outcomes.push(told);
    if (this.outcomes.length >= OUTCOMES_AT_ONCE) void this.tell();
    else this.telling ??= setTimeout(() => void this.tell(), OUTCOMES_GATHER_MS);
  }

  private async tell(): Promise<void> {
    clearTimeout(this.telling);
    this.telling = undefined;
    const told = this.outcomes;
    this.outcomes = [];
    if (told.length === 0) return;
    // Two transactions: an entry locks its mission, and a call is never locked before its mission.
    const written = async (): Promise<void> => {
      await inTransaction(this.parts.dataSource, (tx) =>
        recordOutcomes(
          tx,
          told.map(({ outcome }) => outcome),
        ),
      );
      const entries = told.flatMap(({ entry }) => entry ?? []).sort((a, b) => (a.missionId < b.missionId ? -1 : 1));
      if (entries.length === 0) return;
      await inTransaction(this.parts.dataSource, (tx) => writeTimeline(tx, entries));
    };
    await written().catch((error: unknown) =>
      this.parts.logger.warn({ err: error, commands: told.length }, 'failed to write down what became of commands'),
    );
  }

  private async observe({ mission, notAfterMs }: Order): Promise<void> {
    // Too late: the mission's timer has asked for another look since.
    if (notAfterMs <= Date.now()) return;
    const lookedAtMs = Date.now();
    const observation = await this.parts.observeDock.observe(mission.dock_sn);
    const advanced = await inTransaction(this.parts.dataSource, (tx) =>
      settleLook(tx, mission.id, { observation, lookedAtMs }),
    );
    if (advanced !== null) this.run(advanced);
  }
}

/** A person's command in flight, which is worth nothing a few seconds later. */
const isWish = ({ effect }: Command): boolean =>
  effect !== 'sendPrepare' && effect !== 'sendExecute' && effect !== 'sendUndo';

/** What somebody says until then; `otherwise` when that fails or comes too late. */
async function inTime<Answer, Other>(
  asked: Promise<Answer>,
  untilMs: number,
  otherwise: Other,
): Promise<Answer | Other> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Other>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), untilMs - Date.now());
  });
  return Promise.race([asked.catch(() => otherwise), late]).finally(() => clearTimeout(timer));
}

/** What it means for a mission that a command did not leave. Null: nothing. */
function unsentEvent({ effect, mission }: Command, because: UnsentCause): MissionEvent | null {
  if (effect === 'sendExecute') return { type: 'sendRefused', attempt: mission.attempt, because };
  return effect === 'sendPrepare' ? { type: 'prepareUnsent', edition: mission.edition, because } : null;
}
