import { assertNever } from '@aerie/kernel';
import type { Wake, WakeQueue } from '@aerie/job-queue';
import { type MissionEvent, type Timing, judgeObservation } from '@aerie/mission-core';
import type { Logger, Metrics } from '@aerie/observability';
import { type OutboxRelay, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { AdvanceMission, Advanced, Order } from '../advance-mission.js';
import { COMMAND_OF } from '../dock/command-names.js';
import type { DockCommands } from '../dock/dock-commands.js';
import type { ObserveDock } from '../dock/observe-dock.js';
import { lockMission, recordOutcome } from '../store/flight-critical.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import { writeTimeline } from '../store/timeline.js';

export interface AfterCommitParts {
  readonly dataSource: DataSource;
  readonly advanceMission: AdvanceMission;
  readonly commands: DockCommands;
  readonly observeDock: ObserveDock;
  readonly wakes: WakeQueue;
  readonly outbox: OutboxRelay;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Orders in work at once. Beyond it they wait in memory; a crash then loses nothing that a timer does not find. */
const CONCURRENCY = 256;
/** Of these, so many are for executes alone: a start must not wait behind prepares that wait for an address. */
const KEPT_FOR_EXECUTE = 64;
/** Orders that wait. What is dropped beyond it, a timer of its mission finds again. */
const MAX_WAITING = 20_000;

/**
 * What a committed decision asks for: send a command, look at a dock, set a wake. Nothing here is a promise that must
 * survive a crash: the mission's `next_action_at` finds everything again, and execute is never sent a second time.
 */
export class AfterCommit {
  private readonly inWork = new Set<Promise<void>>();
  private readonly executes: Order[] = [];
  private readonly waiting: Order[] = [];
  private readonly sends;

  constructor(private readonly parts: AfterCommitParts) {
    this.sends = parts.metrics.counter('mission_commands_total', 'Commands by outcome.', ['method', 'outcome']);
  }

  /** Call it only after the commit is known to have succeeded. */
  run({ decision, mission, orders }: Advanced): void {
    if (decision.kind === 'refused') return;
    this.parts.outbox.kick();
    this.setWake(mission);
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
    switch (order.effect) {
      case 'sendPrepare':
      case 'sendUndo':
      case 'sendExecute':
        return this.send({ ...order, effect: order.effect });
      case 'observeFlight':
        return this.observe(order.mission);
      default:
        return assertNever(order.effect);
    }
  }

  private async send(order: Order & { effect: keyof typeof COMMAND_OF }): Promise<void> {
    const { mission, tid, effect } = order;
    // The instant of the claim, by the database's clock, moved on by our own since then.
    const { outcome, reason } = await this.parts.commands.send(order, mission.now.getTime());
    const method = COMMAND_OF[effect];
    this.sends.inc({ method, outcome });
    if (outcome !== 'written')
      this.parts.logger.info({ missionId: mission.id, method, outcome, reason }, 'not written');
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      // Mission before call, as everywhere: the reply to this very command may be handled at the same instant.
      const locked = await lockMission(tx, mission.id, null);
      await recordOutcome(tx, tid, outcome, reason ?? null);
      const detail = { tid, outcome, reason: reason ?? null };
      await writeTimeline(tx, { missionId: mission.id, kind: 'message_out', what: method, detail });
      if (effect !== 'sendExecute' || outcome !== 'refused' || locked === undefined) return null;
      const event: MissionEvent = { type: 'sendRefused', attempt: mission.attempt };
      return this.parts.advanceMission.advance(tx, locked, event, { detail });
    });
    if (advanced !== null) this.run(advanced);
  }

  private async observe(mission: LockedMission): Promise<void> {
    const startedAgoMs = mission.started_at === null ? 0 : mission.now.getTime() - mission.started_at.getTime();
    const observation = await this.parts.observeDock.observe(mission.dock_sn, startedAgoMs);
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      const locked = await lockMission(tx, mission.id, null);
      if (locked === undefined) return null;
      const event = judgeObservation(missionOf(locked), observation, locked.now.getTime(), this.parts.timing);
      if (event !== null) return this.parts.advanceMission.advance(tx, locked, event, { detail: { observation } });
      await writeTimeline(tx, { missionId: mission.id, kind: 'note', what: 'observed', detail: { observation } });
      return null;
    });
    if (advanced !== null) this.run(advanced);
  }

  private setWake(mission: LockedMission): void {
    const wake = wakeOf(mission);
    if (wake !== null) this.parts.wakes.set([wake]);
  }
}

/** A hint for the row's next instant; none where the sweeper alone is quick enough: a flight that goes on talking. */
export function wakeOf(mission: LockedMission): Wake | null {
  if (mission.next_action_at === null || mission.state === 'executing' || mission.state === 'paused') return null;
  const delayMs = mission.next_action_at.getTime() - mission.now.getTime();
  return { id: mission.id, revision: mission.revision, delayMs };
}
