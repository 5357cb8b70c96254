import { randomUUID } from 'node:crypto';
import { factSubject } from '@aerie/bus-contract';
import { assertNever } from '@aerie/kernel';
import {
  type Decision,
  type Effect,
  type Mission,
  type MissionEvent,
  type Timing,
  decide,
  isOutcome,
} from '@aerie/mission-core';
import { type Tx, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import { COMMAND_OF } from './dock/command-names.js';
import { lockOtherFlight, recordCall, releaseDock, reserveDock, saveMission } from './store/flight-critical.js';
import { type LockedMission, type MissionProgress, missionOf } from './store/mission.row.js';
import { writeTimeline } from './store/timeline.js';

/** A command that was recorded and now has to be sent, or a look that has to be taken: once, after the commit. */
export interface Order {
  readonly effect: Exclude<Effect, 'recordResolution'>;
  /** The mission as decided. */
  readonly mission: LockedMission;
  readonly tid: string;
  readonly notAfterMs: number;
}

export interface Advanced {
  readonly decision: Decision;
  /** The mission after the event; as it was when the event was refused. */
  readonly mission: LockedMission;
  readonly orders: readonly Order[];
}

export interface Evidence {
  /** What a dock told with it. */
  readonly progress?: MissionProgress;
  /** For the timeline. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** After the planned flight: power-on before it, landing and after-work behind it. */
const RESERVATION_MARGIN_MS = 10 * 60_000;

/**
 * Every event of an operator, a timer or a dock ends here: with the dock and the mission locked, decide by the pure
 * core, and write state, evidence and effects in the transaction of the caller.
 *
 * INVARIANTS: the caller holds the lock and sends the orders only after its commit is known to have succeeded.
 */
export class AdvanceMission {
  constructor(readonly timing: Timing) {}

  async advance(tx: Tx, locked: LockedMission, event: MissionEvent, evidence: Evidence = {}): Promise<Advanced> {
    const nowMs = locked.now.getTime();
    const decision = decide(missionOf(locked), event, nowMs, this.timing);
    const detail = { ...evidence.detail, event, nowMs };
    if (decision.kind === 'refused') {
      const { reason } = decision;
      await writeTimeline(tx, {
        missionId: locked.id,
        kind: 'refusal',
        what: event.type,
        fromState: locked.state,
        detail: { ...detail, reason },
      });
      return { decision, mission: locked, orders: [] };
    }

    if (isFlying(decision.mission) && !isFlying(missionOf(locked))) await this.endOtherFlight(tx, locked, event);
    if (isOutcome(locked.state)) await this.keepLateWord(tx, locked, decision.effects, evidence, detail);
    else await this.save(tx, locked, decision.mission, event, evidence);
    await writeTimeline(tx, {
      missionId: locked.id,
      kind: 'decision',
      what: event.type,
      fromState: locked.state,
      toState: decision.mission.state,
      revision: decision.mission.revision,
      detail,
    });
    const mission = merged(locked, decision.mission);
    const orders: Order[] = [];
    for (const effect of decision.effects) {
      if (effect !== 'recordResolution') orders.push(await this.order(tx, effect, mission, nowMs));
    }
    return { decision, mission, orders };
  }

  /** Claims the dock for a flight. False when something else holds it. */
  reserve(tx: Tx, locked: LockedMission): Promise<boolean> {
    return reserveDock(tx, locked, locked.planned_duration_ms * 2 + RESERVATION_MARGIN_MS);
  }

  private async save(
    tx: Tx,
    locked: LockedMission,
    next: Mission,
    event: MissionEvent,
    evidence: Evidence,
  ): Promise<void> {
    await saveMission(tx, locked, next, {
      ...(event.type === 'prepareAccepted' || event.type === 'flightReady' ? { preparedFingerprint: locked.md5 } : {}),
      progress: evidence.progress ? forward(locked.progress, evidence.progress) : null,
    });
    const wasFlying = isFlying(missionOf(locked));
    if (wasFlying && !isFlying(next)) await releaseDock(tx, locked.id);
    if (next.state === locked.state) return;
    await writeOutbox(tx, SCHEMA, [
      {
        subject: factSubject('mission', locked.organisation_id, 'stateChanged'),
        payload: {
          missionId: locked.id,
          dockSn: locked.dock_sn,
          from: locked.state,
          to: next.state,
          revision: next.revision,
          cause: next.cause,
          at: locked.now.toISOString(),
        },
      },
    ]);
  }

  /** The mission has ended; what its dock still says is kept beside it and changes nothing. */
  private async keepLateWord(
    tx: Tx,
    locked: LockedMission,
    effects: readonly Effect[],
    evidence: Evidence,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const resolves = effects.includes('recordResolution') && locked.resolution === null;
    if (!resolves) return;
    await tx.run('UPDATE mission.mission SET resolution = $2::jsonb, updated_at = clock_timestamp() WHERE id = $1', [
      locked.id,
      JSON.stringify({ by: 'dock', ...detail, progress: evidence.progress ?? null }),
    ]);
  }

  /**
   * A dock flies one mission at a time. When it says that it flies this one, another that we still believe to fly has
   * ended in a way that nobody told us.
   */
  private async endOtherFlight(tx: Tx, locked: LockedMission, cause: MissionEvent): Promise<void> {
    const other = await lockOtherFlight(tx, locked.dock_sn, locked.id);
    if (other === undefined) return;
    await this.advance(
      tx,
      other,
      { type: 'observationGivenUp' },
      { detail: { supersededBy: locked.id, cause: cause.type } },
    );
  }

  private async order(tx: Tx, effect: Order['effect'], mission: LockedMission, nowMs: number): Promise<Order> {
    const tid = randomUUID();
    const notAfterMs = this.notAfterMs(effect, mission, nowMs);
    if (effect !== 'observeFlight') {
      await recordCall(tx, {
        tid,
        missionId: mission.id,
        dockSn: mission.dock_sn,
        method: COMMAND_OF[effect],
        attempt: effect === 'sendExecute' ? mission.attempt : 0,
        notAfterMs,
        // While it is canceling, the mission's own timer repeats the undo.
        repeats: effect === 'sendUndo' && mission.state !== 'canceling',
      });
    }
    return { effect, mission, tid, notAfterMs };
  }

  private notAfterMs(effect: Order['effect'], mission: LockedMission, nowMs: number): number {
    switch (effect) {
      case 'sendExecute':
        return mission.deadline?.getTime() ?? nowMs;
      case 'sendPrepare': {
        const replyMs = mission.kind === 'immediate' ? this.timing.immediateReplyMs : this.timing.replyMs;
        return Math.min(nowMs + replyMs, mission.deadline?.getTime() ?? Number.POSITIVE_INFINITY);
      }
      case 'sendUndo':
      case 'observeFlight':
        return nowMs + this.timing.replyMs;
      default:
        return assertNever(effect);
    }
  }
}

const isFlying = ({ state }: Mission): boolean => state === 'starting' || state === 'executing' || state === 'paused';

function merged(row: LockedMission, next: Mission): LockedMission {
  const at = (value: number | null): Date | null => (value === null ? null : new Date(value));
  return {
    ...row,
    state: next.state,
    revision: next.revision,
    execute_at: at(next.executeAtMs),
    deadline: at(next.deadlineMs),
    prepare_count: next.prepareCount,
    attempt: next.attempt,
    undo_count: next.undoCount,
    started_at: at(next.startedAtMs),
    heard_at: at(next.heardAtMs),
    next_action_at: at(next.nextActionAtMs),
  };
}

/** Messages overtake each other: what counts up never goes back. */
function forward(before: MissionProgress | null, now: MissionProgress): MissionProgress {
  const most = (a: number | null | undefined, b: number | null): number | null =>
    a == null ? b : b === null ? a : Math.max(a, b);
  return {
    ...now,
    percent: most(before?.percent, now.percent),
    waypointIndex: most(before?.waypointIndex, now.waypointIndex),
    mediaCount: now.mediaCount ?? before?.mediaCount ?? null,
  };
}
