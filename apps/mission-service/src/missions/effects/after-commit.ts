import type { MissionEvent, MissionState, UnsentCause } from '@aerie/mission-core';
import type { Logger, Metrics } from '@aerie/observability';
import { type OutboxRelay, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { type Advanced, type Order, advance } from '../advance-mission.js';
import { type CommandEffect, commandFor } from '../dock/command-names.js';
import { type DockCommands, PLAN_CHANGED } from '../dock/dock-commands.js';
import type { ObserveDock } from '../dock/observe-dock.js';
import { type SendOutcome, lockMission, recordOutcomes } from '../store/flight-critical.js';
import type { LockedMission } from '../store/mission.row.js';
import { type TimelineEntry, writeTimeline } from '../store/timeline.js';
import type { DueWakes } from '../wakes/due-wakes.js';
import { settleLook } from './settle-look.js';

export interface AfterCommitParts {
  readonly dataSource: DataSource;
  readonly commands: DockCommands;
  readonly observeDock: ObserveDock;
  readonly wakes: DueWakes;
  readonly outbox: OutboxRelay;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Orders in work at once. Beyond it they wait in memory; a crash then loses nothing that a timer does not find. */
const CONCURRENCY = 256;
/** Looks at once, beside the commands: a look may wait for seconds, and a person's command must not wait behind it. */
const LOOKS = 64;
/** Of these, so many are for executes alone: a start must not wait behind prepares that wait for an address. */
const KEPT_FOR_EXECUTE = 64;
/** What became of commands is written together: that many at most, and this long after the first of them. */
const OUTCOMES_AT_ONCE = 100;
const OUTCOMES_GATHER_MS = 20;
/** Orders that wait. What is dropped beyond it, a timer of its mission finds again. */
const MAX_WAITING = 20_000;

/** An order that is written to a dock. */
type Command = Order & { readonly effect: CommandEffect };

interface Told {
  readonly outcome: SendOutcome;
  readonly entry: TimelineEntry;
}

/**
 * What a committed decision asks for: send a command, look at a dock, set a wake. Nothing here is a promise that must
 * survive a crash: the mission's `next_action_at` finds everything again, and execute is never sent a second time.
 */
export class AfterCommit {
  private readonly inWork = new Set<Promise<void>>();
  private readonly executes: Command[] = [];
  private readonly waiting: Command[] = [];
  private readonly looks: Order[] = [];
  private looking = 0;
  private sending = 0;
  private outcomes: Told[] = [];
  private telling: NodeJS.Timeout | undefined;
  private readonly sends;

  constructor(private readonly parts: AfterCommitParts) {
    this.sends = parts.metrics.counter('mission_commands_total', 'Commands by outcome.', ['method', 'outcome']);
  }

  /** Call it only after the commit is known to have succeeded. */
  run({ decision, mission, orders, hasFacts }: Advanced): void {
    if (decision.kind === 'refused') return;
    if (hasFacts) this.parts.outbox.kick();
    this.parts.wakes.for(mission);
    this.enqueue(orders);
  }

  /** Carries orders out, some time soon. Never waits. */
  enqueue(orders: readonly Order[]): void {
    for (const order of orders) {
      if (order.effect === 'observeFlight') {
        // Beyond the limit it is left to the mission's timer, which asks for a look again.
        if (this.looks.length < MAX_WAITING) this.looks.push(order);
        continue;
      }
      const command: Command = { ...order, effect: order.effect };
      if (order.effect === 'sendExecute') this.executes.push(command);
      else if (this.waiting.length < MAX_WAITING) this.waiting.push(command);
      else this.drop(command, 'too many commands wait');
    }
    this.pump();
    this.pumpLooks();
  }

  private pumpLooks(): void {
    while (this.looking < LOOKS) {
      const order = this.looks.shift();
      if (order === undefined) return;
      // Too late: the mission's timer has asked for another look since.
      if (order.notAfterMs <= Date.now()) continue;
      const work: Promise<void> = this.observe(order)
        .catch((error: unknown) =>
          this.parts.logger.warn({ err: error, missionId: order.mission.id }, 'failed to look at a dock'),
        )
        .finally(() => {
          this.inWork.delete(work);
          this.looking--;
          this.pumpLooks();
        });
      this.looking++;
      this.inWork.add(work);
    }
  }

  async settle(): Promise<void> {
    while (this.inWork.size > 0) await Promise.all(this.inWork);
    await this.tell();
  }

  private pump(): void {
    while (this.sending < CONCURRENCY) {
      const mayTakeOthers = this.sending < CONCURRENCY - KEPT_FOR_EXECUTE;
      const order = this.executes.shift() ?? (mayTakeOthers ? this.waiting.shift() : undefined);
      if (order === undefined) return;
      // An execute is sent all the same: only the ingress's word that it was too late opens the mission again.
      if (order.effect !== 'sendExecute' && order.notAfterMs <= Date.now()) {
        this.drop(order, 'too late');
        continue;
      }
      const work: Promise<void> = this.send(order)
        .catch((error: unknown) =>
          this.parts.logger.warn({ err: error, missionId: order.mission.id, effect: order.effect }, 'an order failed'),
        )
        .finally(() => {
          this.inWork.delete(work);
          this.sending--;
          this.pump();
        });
      this.sending++;
      this.inWork.add(work);
    }
  }

  private async send(order: Command): Promise<void> {
    const { mission, tid, effect } = order;
    // The instant of the claim, by the database's clock, moved on by our own since then.
    const answer = await this.parts.commands.send(order, mission.now.getTime(), () => this.isStillWanted(order));
    const { outcome, reason = null, dockIsAway = false } = answer;
    const method = commandFor(effect, mission.delivery);
    this.sends.inc({ method, outcome });
    if (outcome !== 'written')
      this.parts.logger.info({ missionId: mission.id, method, outcome, reason }, 'not written');
    const detail = { tid, outcome, reason };
    const told: Told = {
      outcome: { tid, outcome, reason },
      entry: { missionId: mission.id, kind: 'message_out', what: method, detail },
    };
    const because = dockIsAway ? 'dock_offline' : 'send_refused';
    const unsent = outcome === 'refused' && reason !== PLAN_CHANGED ? unsentEvent(order, because) : null;
    if (unsent === null) this.gather(told);
    else await this.tellUnsent(mission, unsent, told);
  }

  /**
   * A prepare is for the plan that it was decided for, and an undo for a mission that was not given to its dock anew. An
   * execute needs no look: a mission that was claimed is never moved or called off.
   */
  private async isStillWanted({ effect, mission }: Order): Promise<boolean> {
    if (effect !== 'sendPrepare' && effect !== 'sendUndo') return true;
    const [now] = await this.parts.dataSource.query<{ state: MissionState; edition: number }[]>(
      'SELECT state, edition FROM mission.mission WHERE id = $1',
      [mission.id],
    );
    if (now === undefined) return false;
    if (effect === 'sendPrepare') return now.state === 'preparing' && now.edition === mission.edition;
    return now.state !== 'preparing' && now.state !== 'prepared' && now.state !== 'waiting_ready';
  }

  /**
   * Proven that no byte left, or that nobody was there to get it. After an execute the mission may be claimed anew; of a
   * prepare it is the cause with which the mission waits.
   */
  private async tellUnsent(mission: LockedMission, event: MissionEvent, { outcome, entry }: Told): Promise<void> {
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
    const told: Told = { outcome: detail, entry: { missionId: mission.id, kind: 'message_out', what, detail } };
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
      const entries = told.map(({ entry }) => entry).sort((a, b) => (a.missionId < b.missionId ? -1 : 1));
      await inTransaction(this.parts.dataSource, (tx) => writeTimeline(tx, entries));
    };
    await written().catch((error: unknown) =>
      this.parts.logger.warn({ err: error, commands: told.length }, 'failed to write down what became of commands'),
    );
  }

  private async observe({ mission }: Order): Promise<void> {
    const lookedAtMs = Date.now();
    const observation = await this.parts.observeDock.observe(mission.dock_sn);
    const advanced = await inTransaction(this.parts.dataSource, (tx) =>
      settleLook(tx, mission.id, { observation, lookedAtMs }),
    );
    if (advanced !== null) this.run(advanced);
  }
}

/** What it means for a mission that a command did not leave. Null: nothing. */
function unsentEvent({ effect, mission }: Command, because: UnsentCause): MissionEvent | null {
  if (effect === 'sendExecute') return { type: 'sendRefused', attempt: mission.attempt, because };
  return effect === 'sendPrepare' ? { type: 'prepareUnsent', edition: mission.edition, because } : null;
}
