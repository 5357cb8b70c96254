import { type CauseCode, type MissionEvent, dueEvent } from '@aerie/mission-core';
import type { Logger, Metrics } from '@aerie/observability';
import { type Tx, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import type { AdvanceMission, Advanced } from '../advance-mission.js';
import type { ObserveDock } from '../dock/observe-dock.js';
import type { AfterCommit } from '../effects/after-commit.js';
import { type DueMission, findDue, lockDue, lockOtherFlight, postpone } from '../store/flight-critical.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';

export interface DueRunnerParts {
  readonly dataSource: DataSource;
  readonly advanceMission: AdvanceMission;
  readonly afterCommit: AfterCommit;
  readonly observeDock: ObserveDock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Missions found at once, and missions decided in one transaction. */
const FIND_LIMIT = 200;
const UNIT = 20;
/** Wakes that arrive within this time are looked at together. */
const GATHER_MS = 5;
/** A dock that was silent for longer gets no execute: it would come too late, or not at all. */
const SEEN_WITHIN_MS = 30_000;

/**
 * Does what time has made due, for wakes and sweepers alike: one path, taken by every replica, any number of times.
 * It takes ids only to save a scan; the lock looks at the database's clock again.
 */
export class DueRunner {
  private readonly gathered = new Set<string>();
  private gathering: NodeJS.Timeout | undefined;
  private readonly lateness;

  constructor(private readonly parts: DueRunnerParts) {
    this.lateness = parts.metrics.histogram('mission_due_lateness_seconds', 'How late a due mission was looked at.');
  }

  /** Somebody thinks that this mission is due. Never waits, never fails. */
  wake(id: string): void {
    this.gathered.add(id);
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      const ids = [...this.gathered];
      this.gathered.clear();
      this.runAll(ids).catch((error: unknown) =>
        this.parts.logger.warn({ err: error }, 'a wake failed; the sweeper will find it'),
      );
    }, GATHER_MS);
  }

  private async runAll(ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += FIND_LIMIT) await this.run(ids.slice(start, start + FIND_LIMIT));
  }

  /** What is due, or what of the given missions is, up to a limit. Returns how many were advanced. */
  async run(ids: readonly string[] | null): Promise<number> {
    const { dataSource } = this.parts;
    const query: Tx['query'] = (sql, parameters = []) => dataSource.query(sql, [...parameters]);
    const due = await findDue({ query }, ids, FIND_LIMIT);
    if (due.length === 0) return 0;
    const seenAgoMs = await this.lookAtDocks(due);
    let advanced = 0;
    for (let start = 0; start < due.length; start += UNIT) {
      advanced += await this.runUnit(due.slice(start, start + UNIT), seenAgoMs);
    }
    return advanced;
  }

  /** One transaction for several missions; if it fails, each gets its own, so that one bad row stops no other. */
  private async runUnit(due: readonly DueMission[], seenAgoMs: ReadonlyMap<string, number>): Promise<number> {
    try {
      return await this.advanceAll(due, seenAgoMs);
    } catch (error) {
      const [only, ...others] = due;
      if (only === undefined || others.length === 0) {
        this.parts.logger.warn({ err: error, missionId: only?.id }, 'failed to advance a due mission, trying again');
        // Out of the way of the others, which would wait behind it for ever.
        if (only !== undefined) await inTransaction(this.parts.dataSource, (tx) => postpone(tx, only.id));
        return 0;
      }
      let advanced = 0;
      for (const one of due) {
        advanced += await this.runUnit([one], seenAgoMs).catch((failure: unknown) => {
          this.parts.logger.warn({ err: failure, missionId: one.id }, 'failed to put a due mission off');
          return 0;
        });
      }
      return advanced;
    }
  }

  private async advanceAll(due: readonly DueMission[], seenAgoMs: ReadonlyMap<string, number>): Promise<number> {
    const { dataSource, advanceMission, afterCommit } = this.parts;
    const advanced = await inTransaction(dataSource, async (tx) => {
      const done: Advanced[] = [];
      for (const locked of await lockDue(
        tx,
        due.map(({ id }) => id),
      )) {
        const event = dueEvent(missionOf(locked), locked.now.getTime(), advanceMission.timing);
        if (event === null) {
          // Due by its row and not by its rules: settings have changed since. Look again soon.
          await postpone(tx, locked.id);
          continue;
        }
        this.lateness.observe(Math.max(0, locked.now.getTime() - (locked.next_action_at?.getTime() ?? 0)) / 1_000);
        const guarded = event.type === 'executeDue' ? await this.guardExecute(tx, locked, seenAgoMs) : event;
        done.push(await advanceMission.advance(tx, locked, guarded));
      }
      return done;
    });
    // The commit is known to have succeeded: only now may anything leave.
    for (const one of advanced) afterCommit.run(one);
    return advanced.length;
  }

  /** The conditions of a claim, looked at with the dock and the mission locked. In doubt, no take-off. */
  private async guardExecute(
    tx: Tx,
    locked: LockedMission,
    seenAgoMs: ReadonlyMap<string, number>,
  ): Promise<MissionEvent> {
    const held = (because: CauseCode): MissionEvent => ({ type: 'executeHeld', because });
    if (locked.prepared_fingerprint !== locked.md5) return held('file_unavailable');
    const heardAgoMs = locked.dock_heard_at === null ? Infinity : locked.now.getTime() - locked.dock_heard_at.getTime();
    const seen = Math.min(heardAgoMs, seenAgoMs.get(locked.dock_sn) ?? Infinity);
    if (seen > SEEN_WITHIN_MS) return held('dock_offline');
    if ((await lockOtherFlight(tx, locked.dock_sn, locked.id)) !== undefined) return held('dock_busy');
    // What a person starts by hand, a person has looked at.
    if (locked.kind !== 'immediate' && (await isBlocked(tx, locked))) return held('dock_unknown_state');
    if (!(await this.parts.advanceMission.reserve(tx, locked))) return held('dock_busy');
    return { type: 'executeDue' };
  }

  private async lookAtDocks(due: readonly DueMission[]): Promise<ReadonlyMap<string, number>> {
    const sns = due.filter(({ state }) => state === 'prepared').map(({ dock_sn }) => dock_sn);
    if (sns.length === 0) return new Map();
    try {
      return await this.parts.observeDock.seenAgoMs(sns);
    } catch (error) {
      this.parts.logger.info({ err: error }, 'fleet-service does not say which docks are there');
      return new Map();
    }
  }
}

/** A flight of this dock ended in a way that nobody knows: nothing takes off by itself until that is resolved. */
async function isBlocked(tx: Tx, locked: LockedMission): Promise<boolean> {
  const unresolved = await tx.one(
    `SELECT 1 FROM mission.mission
      WHERE dock_sn = $1 AND state = 'outcome_unknown' AND resolution IS NULL AND id <> $2 LIMIT 1`,
    [locked.dock_sn, locked.id],
  );
  return unresolved !== undefined;
}
