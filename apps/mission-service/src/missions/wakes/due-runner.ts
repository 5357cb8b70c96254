import type { DockRecord, DockStateView } from '@aerie/bus-contract';
import { DEFAULT_POLICY, STATES, type MissionEvent, type MissionState, dueEvent } from '@aerie/mission-core';
import { type Logger, type Metrics, traced } from '@aerie/observability';
import { type DatabaseOf, type Tx, inTransaction } from '@aerie/persistence';
import { type Advanced, type Step, advance, advanceAll } from '../advance-mission.js';
import { asReported } from '../dji/dock-profiles.js';
import type { ObserveDock } from '../downlink/observe-dock.js';
import type { AfterCommit } from '../downlink/after-commit.js';
import { spanOfMissions } from '../downlink/decision-traces.js';
import type { StartsFirst } from '../downlink/starts-first.js';
import type { RouteShapes } from '../../waylines/route-shapes.js';
import type { Policy, PolicyStore } from '../store/policy.store.js';
import { type WayToRoute, positionOf, wayToRoute } from '../preflight/way-to-route.js';
import {
  type ClaimGuard,
  type DueMission,
  findDue,
  type KeptDock,
  keepDocks,
  lockDue,
  lockMission,
  postpone,
  readClaimGuards,
} from '../store/flight-critical.js';
import { type HeldAgain, holdAgain } from '../store/hold-again.js';
import type { TransactionShares } from '../store/transaction-shares.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import { timingOf } from '../store/timing-column.js';
import {
  guardExecute,
  heldAgain,
  isHeldAsBefore,
  isHeldByExportAlone,
  lookAhead,
  withRetirement,
} from './claim-guard.js';
import { callForDock, reserveLate } from './reserve-late.js';
import { SweepWindow } from './sweep-window.js';

export interface DueRunnerParts {
  readonly dataSource: DatabaseOf<'engine'>;
  readonly shares: TransactionShares;
  readonly afterCommit: AfterCommit;
  readonly observeDock: ObserveDock;
  readonly policies: PolicyStore;
  readonly routes: RouteShapes;
  readonly startsFirst: StartsFirst;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Missions found at once, and missions decided in one transaction: few enough that none of them waits long for it. */
const FIND_LIMIT = 600;
const UNIT = 50;
/** Claims have two of the places of `TransactionShares`, while no reply waits for one. */
const UNITS_AT_ONCE = 2;
/** Longer than it takes to work off what docks said during an outage of an hour. */
const LONGEST_BACKLOG_MS = 60 * 60_000;
/** The store is in order, only time is short: so many rounds in a row, then the next sweep goes on. */
const MAX_ROUNDS = 50;
/** Wakes that arrive within this time are looked at together. */
const GATHER_MS = 5;

/**
 * A sweep leaves to its wake what has only just become due. So the share of what no wake had found shows whether wakes
 * are lost; without Redis all of it is late by this.
 */
const LEFT_TO_WAKES_MS = 500;

/** After which a mission is looked at again whose dock was held by somebody else. */
const LOOK_AGAIN_MS = 100;

/** Who found that a mission is due: a wake at its instant, or a sweep. */
type Finder = 'wake' | 'sweep';

/** An end is named this long after its time at the latest, whatever has not been read. */
const NAMED_WITHIN_MS = 60_000;

/**
 * States in which an answer of the dock may lie unread when time has run out, and where it lies. Naming such an end, or
 * telling the dock again, waits until that lane is read up to now. Nothing starts by it: a claim looks at its deadline.
 */
const LANE_OF = { preparing: 'replies', waiting_ready: 'all', canceling: 'all' } as const;
type WaitingState = keyof typeof LANE_OF;
type Lanes = (typeof LANE_OF)[WaitingState];

const isWaiting = (state: MissionState): state is WaitingState => state in LANE_OF;
const WAITING_ON: Readonly<Record<Lanes, readonly MissionState[]>> = {
  replies: STATES.filter((state) => isWaiting(state) && LANE_OF[state] === 'replies'),
  all: STATES.filter((state) => isWaiting(state) && LANE_OF[state] === 'all'),
};
const LANES = ['replies', 'all'] as const satisfies readonly Lanes[];
const WAITING_FOR_NOBODY = STATES.filter((state) => !isWaiting(state));

type Views = ReadonlyMap<string, DockStateView>;
/** Null: the dock is no longer in service. */
type Records = ReadonlyMap<string, DockRecord | null>;

/** What was found out before any row is locked. */
interface Known {
  readonly views: Views;
  readonly records: Records;
  readonly policies: ReadonlyMap<string, Policy>;
  /** By mission; none where the position of the dock is unknown. */
  readonly ways: ReadonlyMap<string, WayToRoute>;
}

/**
 * Does what time has made due, for wakes and sweepers alike: one path, taken by every replica, any number of times.
 * It takes ids only to save a scan; the lock looks at the database's clock again.
 */
export class DueRunner {
  private readonly gathered = new Set<string>();
  private readonly givingUp = new Set<string>();
  /** Lanes whose reading is waited for now. */
  private readonly reading = new Set<Lanes>();
  private readonly inWork = new Set<string>();
  /** Of sweeps, by the states that they look for. */
  private readonly windows = new Map<readonly MissionState[], SweepWindow>();
  private anything = false;
  private gathering = false;
  private readonly lateness;
  private readonly found;
  private readonly reads: { readonly query: Tx['query'] };

  constructor(private readonly parts: DueRunnerParts) {
    this.reads = { query: (sql, parameters = []) => parts.dataSource.query(sql, [...parameters]) };
    this.lateness = parts.metrics.histogram('mission_due_lateness_seconds', 'How late a due mission was looked at.');
    this.found = parts.metrics.counter('mission_due_total', 'Due missions by who found them; flights have no wakes.', [
      'found_by',
    ]);
  }

  /** Somebody thinks that this mission is due. Never waits, never fails. */
  wake(id: string): void {
    this.gathered.add(id);
    this.lookSoon();
  }

  /** Somebody thinks that something is due. */
  wakeAll(): void {
    this.anything = true;
    this.lookSoon();
  }

  private lookSoon(): void {
    if (this.gathering) return;
    this.gathering = true;
    setTimeout(() => void this.runGathered(), GATHER_MS);
  }

  /** One run after the other: what wakes meanwhile is looked at together in the next. */
  private async runGathered(): Promise<void> {
    while (this.anything || this.gathered.size > 0) {
      const ids = this.anything ? null : [...this.gathered].slice(0, FIND_LIMIT);
      if (ids === null) this.gathered.clear();
      else for (const id of ids) this.gathered.delete(id);
      this.anything = false;
      for (const lanes of LANES) this.nameSoon(lanes, 'wake');
      const found = await this.runStates(ids, WAITING_FOR_NOBODY, 'wake').catch((error: unknown) => {
        this.parts.logger.warn({ err: error }, 'a wake failed; the sweeper will find it');
        return 0;
      });
      // There may be more than one look takes.
      if (ids === null && found >= FIND_LIMIT) this.anything = true;
    }
    this.gathering = false;
  }

  /** All that is due; beyond a bound the next look goes on. */
  async runAll(stopping: AbortSignal): Promise<void> {
    for (const lanes of LANES) this.nameSoon(lanes, 'sweep');
    for (let round = 0; round < MAX_ROUNDS && !stopping.aborted; round++) {
      if ((await this.runStates(null, WAITING_FOR_NOBODY, 'sweep')) === 0) return;
    }
  }

  /** What is due, or what of the given missions is, up to a limit. Returns how many were advanced. */
  async run(ids: readonly string[] | null): Promise<number> {
    let advanced = await this.runStates(ids, WAITING_FOR_NOBODY, 'wake');
    for (const lanes of LANES) advanced += await this.name(ids, lanes, 'wake');
    return advanced;
  }

  /** Beside the run: starts must not wait until replies are read. */
  private nameSoon(lanes: Lanes, finder: Finder): void {
    if (this.reading.has(lanes)) return;
    this.reading.add(lanes);
    this.name(null, lanes, finder)
      .catch((error: unknown) => this.parts.logger.warn({ err: error }, 'failed to name what time has ended'))
      .finally(() => this.reading.delete(lanes));
  }

  /** What has run out of time while an answer may lie in these lanes: once they are read, or after a minute. */
  private async name(ids: readonly string[] | null, lanes: Lanes, finder: Finder): Promise<number> {
    const due = await this.findDue(ids, WAITING_ON[lanes], finder);
    if (due.length === 0) return 0;
    const isRead = await this.parts.observeDock.hasRead(lanes);
    return this.advanceAllDue(isRead ? due : due.filter(({ overdue_ms }) => overdue_ms >= NAMED_WITHIN_MS), finder);
  }

  private async runStates(
    ids: readonly string[] | null,
    states: readonly MissionState[],
    finder: Finder,
  ): Promise<number> {
    return this.advanceAllDue(await this.findDue(ids, states, finder), finder);
  }

  private async findDue(
    ids: readonly string[] | null,
    states: readonly MissionState[],
    finder: Finder,
  ): Promise<DueMission[]> {
    if (finder === 'wake') return findDue(this.reads, ids, states, FIND_LIMIT, 0);
    const window = this.windows.get(states) ?? new SweepWindow();
    this.windows.set(states, window);
    const nowMs = performance.now();
    const backMs = window.backMs(nowMs);
    const due = await findDue(this.reads, ids, states, FIND_LIMIT, LEFT_TO_WAKES_MS, backMs);
    if (due.length === 0) window.foundNothing(nowMs, backMs);
    return due;
  }

  private async advanceAllDue(found: readonly DueMission[], finder: Finder): Promise<number> {
    // What this process works on already needs no second look.
    const due = found.filter(({ id }) => !this.inWork.has(id));
    for (const { id } of due) this.inWork.add(id);
    try {
      const starts = due.some(({ state }) => state === 'prepared');
      const work = (): Promise<number> => this.runUnits(due, finder);
      return await (starts ? this.parts.startsFirst.during(work) : work());
    } finally {
      for (const { id } of due) this.inWork.delete(id);
    }
  }

  /** Two at a time: while one is written the other one is decided. */
  private async runUnits(due: readonly DueMission[], finder: Finder): Promise<number> {
    const units = Array.from({ length: Math.ceil(due.length / UNIT) }, (_, index) =>
      due.slice(index * UNIT, (index + 1) * UNIT),
    );
    let advanced = 0;
    const work = async (): Promise<void> => {
      for (let unit = units.shift(); unit !== undefined; unit = units.shift()) {
        const claim = async (): Promise<number> => this.runUnit(unit, await this.lookAt(unit), finder);
        // Not `+= await`: that would add to what it was before the other one was done.
        const count = await traced(spanOfMissions('claim due missions', unit.map(idOf)), claim);
        advanced += count;
        // Its missions may be due again, for what comes next.
        for (const { id } of unit) this.inWork.delete(id);
      }
    };
    await Promise.all(Array.from({ length: UNITS_AT_ONCE }, work));
    return advanced;
  }

  /** Before any row is locked: nothing is waited for while docks are held. */
  private async lookAt(due: readonly DueMission[]): Promise<Known> {
    const looked = await this.lookAtDocks(due);
    const [policies, ways] = await Promise.all([this.policiesOf(due, this.reads), this.measureWays(due, looked.views)]);
    return { ...looked, policies, ways };
  }

  /** One transaction for several missions; if it fails, each gets its own, so that one bad row stops no other. */
  private async runUnit(due: readonly DueMission[], known: Known, finder: Finder): Promise<number> {
    try {
      return await this.advanceDue(due, known, finder);
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
        advanced += await this.runUnit([one], known, finder).catch((failure: unknown) => {
          this.parts.logger.warn({ err: failure, missionId: one.id }, 'failed to put a due mission off');
          return 0;
        });
        // What comes next for it must not wait until the others have failed or not.
        this.inWork.delete(one.id);
      }
      return advanced;
    }
  }

  private async advanceDue(due: readonly DueMission[], known: Known, finder: Finder): Promise<number> {
    let held: readonly string[] = [];
    const claim = async (tx: Tx): Promise<Advanced[]> => {
      const locked = await lockDue(
        tx,
        due.map(({ id }) => id),
      );
      const mine = new Set(locked.map(({ id }) => id));
      held = due.filter(({ id }) => !mine.has(id)).map(({ id }) => id);
      const rows = await this.adoptModels(tx, locked, known.records);
      const steps = await this.stepsFor(tx, rows, known);
      return advanceAll(tx, steps);
    };
    const advanced = await this.parts.shares.run('claims', () => inTransaction(this.parts.dataSource, claim));
    // The commit is known to have succeeded: only now may anything leave.
    for (const one of advanced) this.parts.afterCommit.run(one);
    this.lookAgainAt(held);
    const states = new Map(due.map(({ id, state }) => [id, state]));
    for (const { mission } of advanced) if (!isFlight(states.get(mission.id))) this.found.inc({ found_by: finder });
    return advanced.length;
  }

  /** Somebody else held their docks, for another replica's decision or a new plan: a wake is not repeated, so look once more. */
  private lookAgainAt(ids: readonly string[]): void {
    if (ids.length === 0) return;
    setTimeout(() => {
      for (const id of ids) this.wake(id);
    }, LOOK_AGAIN_MS).unref();
  }

  /** A dock may have reported its model, or been corrected, since the mission was planned. */
  private async adoptModels(tx: Tx, rows: readonly LockedMission[], records: Records): Promise<LockedMission[]> {
    const adopted: LockedMission[] = [];
    const changed: KeptDock[] = [];
    for (const row of rows) {
      const record = records.get(row.dock_sn);
      const dock = record == null ? undefined : asReported(record);
      if (dock !== undefined && dock.model !== row.model)
        changed.push({ ...dock, organisationId: row.organisation_id });
      // A row has some sixty columns: a copy of each would cost a herd of starts a tenth of its time.
      adopted.push(dock === undefined || dock.model === row.model ? row : { ...row, model: dock.model });
    }
    await keepDocks(tx, changed);
    return adopted;
  }

  private async stepsFor(tx: Tx, rows: readonly LockedMission[], known: Known): Promise<Step[]> {
    const dueNow: { readonly locked: LockedMission; readonly event: MissionEvent }[] = [];
    for (const locked of rows) {
      const event = dueEvent(missionOf(locked), locked.now.getTime(), timingOf(locked));
      // Due by its row and not by its rules: a release knew other rules. Look again soon.
      if (event?.type === 'observationGivenUp') {
        await postpone(tx, locked.id);
        this.giveUp(locked.id);
      } else if (event === null) await postpone(tx, locked.id);
      else dueNow.push({ locked, event });
      this.lateness.observe(Math.max(0, locked.now.getTime() - (locked.next_action_at?.getTime() ?? 0)) / 1_000);
    }
    const looked = dueNow.filter(({ event }) => LOOKS.has(event.type));
    const guards = await readClaimGuards(
      tx,
      looked.map(({ locked }) => locked.id),
    );
    const steps: Step[] = [];
    const held: HeldAgain[] = [];
    const claimed = new Set<string>();
    for (const { locked, event } of dueNow) {
      const step: Required<Step> = LOOKS.has(event.type)
        ? await this.look(tx, locked, event, { ...known, guards, claimed })
        : { locked, event: endedBy(event, known.records.get(locked.dock_sn)), evidence: {} };
      const again = isHeldAsBefore(locked, step) ? heldAgain(locked, step) : null;
      if (again === null) steps.push(step);
      else held.push(again);
    }
    await holdAgain(tx, held);
    return steps;
  }

  private async look(
    tx: Tx,
    locked: LockedMission,
    event: MissionEvent,
    known: Known & { readonly guards: ReadonlyMap<string, ClaimGuard>; readonly claimed: Set<string> },
  ): Promise<Required<Step>> {
    const policy = known.policies.get(locked.organisation_id)?.preflight ?? DEFAULT_POLICY;
    const input = {
      guard: known.guards.get(locked.id),
      view: known.views.get(locked.dock_sn),
      record: known.records.get(locked.dock_sn),
      policy,
      way: known.ways.get(locked.id) ?? null,
    };
    if (event.type === 'prepareDue' || event.type === 'prepareOverdue') {
      return { locked, ...lookAhead(locked, event, input) };
    }
    const guarded = guardExecute(locked, input);
    if (guarded.event.type === 'executeDue') {
      // The guards were read before any claim of this unit.
      const free = !known.claimed.has(locked.dock_sn) && (await reserveLate(tx, locked));
      if (!free) return { locked, event: { type: 'executeHeld', because: 'dock_busy' }, evidence: guarded.evidence };
      known.claimed.add(locked.dock_sn);
    } else if (isHeldByExportAlone(locked, input)) {
      await callForDock(tx, locked);
    }
    return { locked, ...guarded };
  }

  /**
   * Calls an outcome unknown, once everything that the dock had said is read: after an outage of ours its report may
   * still lie in the stream. Beside the run, because reading takes a while and starts must not wait for it.
   */
  private giveUp(id: string): void {
    if (this.givingUp.has(id)) return;
    this.givingUp.add(id);
    const { dataSource, observeDock, afterCommit, logger } = this.parts;
    const confirm = async (): Promise<void> => {
      const heardAll = await observeDock.hasHeardAll();
      const advanced = await inTransaction(dataSource, async (tx) => {
        const locked = await lockMission(tx, id, null);
        if (locked === undefined) return null;
        const nowMs = locked.now.getTime();
        const event = dueEvent({ ...missionOf(locked), nextActionAtMs: nowMs }, nowMs, timingOf(locked));
        const silentMs = nowMs - (locked.heard_at ?? locked.since).getTime();
        // One message that nobody can handle must not keep docks for ever; a late word still resolves the mission.
        if (!heardAll && silentMs < timingOf(locked).unobservedMs + LONGEST_BACKLOG_MS) return null;
        return event?.type === 'observationGivenUp' ? advance(tx, locked, event) : null;
      });
      if (advanced !== null) afterCommit.run(advanced);
    };
    confirm()
      .catch((error: unknown) => logger.warn({ err: error, missionId: id }, 'failed to give a silent flight up'))
      .finally(() => this.givingUp.delete(id));
  }

  private policiesOf(due: readonly DueMission[], through: { readonly query: Tx['query'] }): Promise<Known['policies']> {
    return this.parts.policies.ofAll(
      due.map(({ organisation_id }) => organisation_id),
      through,
    );
  }

  private async measureWays(due: readonly DueMission[], views: Views): Promise<Known['ways']> {
    const looked = due.filter(isLookedAt);
    const ways = new Map<string, WayToRoute>();
    if (looked.length === 0) return ways;
    try {
      const shapes = await this.parts.routes.of(looked.map(({ wayline_id }) => wayline_id));
      for (const { id, dock_sn, wayline_id } of looked) {
        const way = wayToRoute(shapes.get(wayline_id), positionOf(views.get(dock_sn)));
        if (way !== null) ways.set(id, way);
      }
    } catch (error) {
      this.parts.logger.warn({ err: error }, 'failed to read the routes of due missions, judging without distances');
    }
    return ways;
  }

  private async lookAtDocks(due: readonly DueMission[]): Promise<Pick<Known, 'views' | 'records'>> {
    const sns = due.filter(isLookedAt).map(({ dock_sn }) => dock_sn);
    if (sns.length === 0) return { views: new Map(), records: new Map() };
    try {
      const { observeDock } = this.parts;
      const [views, records] = await Promise.all([observeDock.look(sns), observeDock.records(sns)]);
      return { views, records };
    } catch (error) {
      this.parts.logger.info({ err: error }, 'fleet-service does not say which docks are there');
      return { views: new Map(), records: new Map() };
    }
  }
}

const idOf = ({ id }: DueMission): string => id;

/** Their silence is watched by sweeps alone. */
const isFlight = (state: MissionState | undefined): boolean => state === 'executing' || state === 'paused';

const isLookedAt = ({ state }: DueMission): boolean =>
  state === 'prepared' || state === 'scheduled' || state === 'preparing' || state === 'waiting_ready';

/** What is done only after a look at the dock. */
const LOOKS: ReadonlySet<MissionEvent['type']> = new Set(['prepareDue', 'prepareOverdue', 'executeDue']);

function endedBy(event: MissionEvent, record: DockRecord | null | undefined): MissionEvent {
  return event.type === 'windowClosed' || event.type === 'prepareGivenUp' ? withRetirement(event, { record }) : event;
}
