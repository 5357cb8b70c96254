import { type MissionEvent, judgeObservation } from '@aerie/mission-core';
import type { Logger, Metrics } from '@aerie/observability';
import { type OutboxRelay, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { type Advanced, type Order, advance } from '../advance-mission.js';
import { type CommandEffect, commandFor } from '../dock/command-names.js';
import type { DockCommands } from '../dock/dock-commands.js';
import type { ObserveDock } from '../dock/observe-dock.js';
import { type SendOutcome, lockMission, recordOutcomes } from '../store/flight-critical.js';
import { type LockedMission, missionOf, timingOf } from '../store/mission.row.js';
import { type TimelineEntry, writeTimeline } from '../store/timeline.js';
import type { DueWakes } from '../wakes/due-wakes.js';

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
/** Of these, so many are for executes alone: a start must not wait behind prepares that wait for an address. */
const KEPT_FOR_EXECUTE = 64;
/** What became of commands is written together: that many at most, and this long after the first of them. */
const OUTCOMES_AT_ONCE = 100;
const OUTCOMES_GATHER_MS = 20;
/** Orders that wait. What is dropped beyond it, a timer of its mission finds again. */
const MAX_WAITING = 20_000;

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
  private readonly executes: Order[] = [];
  private readonly waiting: Order[] = [];
  private outcomes: Told[] = [];
  private telling: NodeJS.Timeout | undefined;
  private readonly sends;

  constructor(private readonly parts: AfterCommitParts) {
    this.sends = parts.metrics.counter('mission_commands_total', 'Commands by outcome.', ['method', 'outcome']);
  }

  /** Call it only after the commit is known to have succeeded. */
  run({ decision, mission, orders }: Advanced): void {
    if (decision.kind === 'refused') return;
    this.parts.outbox.kick();
    this.parts.wakes.for(mission);
    this.enqueue(orders);
  }

  /** Carries orders out, some time soon. Never waits. */
  enqueue(orders: readonly Order[]): void {
    for (const order of orders) {
      if (order.effect === 'sendExecute') this.executes.push(order);
      else if (this.waiting.length < MAX_WAITING) this.waiting.push(order);
    }
    this.pump();
  }

  async settle(): Promise<void> {
    while (this.inWork.size > 0) await Promise.all(this.inWork);
    await this.tell();
  }

  private pump(): void {
    while (this.inWork.size < CONCURRENCY) {
      const mayTakeOthers = this.inWork.size < CONCURRENCY - KEPT_FOR_EXECUTE;
      const order = this.executes.shift() ?? (mayTakeOthers ? this.waiting.shift() : undefined);
      if (order === undefined) return;
      // An execute is sent all the same: only the ingress's word that it was too late opens the mission again.
      if (order.effect !== 'sendExecute' && order.notAfterMs <= Date.now()) continue;
      const work: Promise<void> = this.carryOut(order)
        .catch((error: unknown) =>
          this.parts.logger.warn({ err: error, missionId: order.mission.id, effect: order.effect }, 'an order failed'),
        )
        .finally(() => {
          this.inWork.delete(work);
          this.pump();
        });
      this.inWork.add(work);
    }
  }

  private carryOut(order: Order): Promise<void> {
    const { effect } = order;
    return effect === 'observeFlight' ? this.observe(order.mission) : this.send({ ...order, effect });
  }

  private async send(order: Order & { effect: CommandEffect }): Promise<void> {
    const { mission, tid, effect } = order;
    // The instant of the claim, by the database's clock, moved on by our own since then.
    const { outcome, reason = null } = await this.parts.commands.send(order, mission.now.getTime());
    const method = commandFor(effect, mission.delivery);
    this.sends.inc({ method, outcome });
    if (outcome !== 'written')
      this.parts.logger.info({ missionId: mission.id, method, outcome, reason }, 'not written');
    const detail = { tid, outcome, reason };
    const told: Told = {
      outcome: { tid, outcome, reason },
      entry: { missionId: mission.id, kind: 'message_out', what: method, detail },
    };
    if (effect === 'sendExecute' && outcome === 'refused') await this.openAgain(mission, told);
    else this.gather(told);
  }

  /** Proven that no byte of this execute left: the mission may be claimed anew. */
  private async openAgain(mission: LockedMission, { outcome, entry }: Told): Promise<void> {
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      // Mission before call, as everywhere: the reply to this very command may be handled at the same instant.
      const locked = await lockMission(tx, mission.id, null);
      await recordOutcomes(tx, [outcome]);
      await writeTimeline(tx, [entry]);
      if (locked === undefined) return null;
      const event: MissionEvent = { type: 'sendRefused', attempt: mission.attempt };
      return advance(tx, locked, event, { detail: entry.detail ?? {} });
    });
    if (advanced !== null) this.run(advanced);
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
    await inTransaction(this.parts.dataSource, async (tx) => {
      await recordOutcomes(
        tx,
        told.map(({ outcome }) => outcome),
      );
      await writeTimeline(
        tx,
        told.map(({ entry }) => entry),
      );
    }).catch((error: unknown) =>
      this.parts.logger.warn({ err: error, commands: told.length }, 'failed to write down what became of commands'),
    );
  }

  private async observe(mission: LockedMission): Promise<void> {
    const startedAgoMs = mission.started_at === null ? 0 : mission.now.getTime() - mission.started_at.getTime();
    const observation = await this.parts.observeDock.observe(mission.dock_sn, startedAgoMs);
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      const locked = await lockMission(tx, mission.id, null);
      if (locked === undefined) return null;
      const event = judgeObservation(missionOf(locked), observation, locked.now.getTime(), timingOf(locked));
      if (event !== null) return advance(tx, locked, event, { detail: { observation } });
      await writeTimeline(tx, [{ missionId: mission.id, kind: 'note', what: 'observed', detail: { observation } }]);
      return null;
    });
    if (advanced !== null) this.run(advanced);
  }
}
