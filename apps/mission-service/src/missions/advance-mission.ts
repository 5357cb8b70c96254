import { randomUUID } from 'node:crypto';
import { factSubject } from '@aerie/bus-contract';
import {
  type Decision,
  type Effect,
  type LateEffect,
  type Mission,
  type MissionEvent,
  type OrderEffect,
  type PreflightResult,
  type Stage,
  decide,
  isOrder,
  isOutcome,
} from '@aerie/mission-core';
import type { TraceContext } from '@aerie/observability';
import { type OutboxFact, type Tx, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import { commandFor, lifetimeMs } from './dji/command-names.js';
import { enderOf } from './dji/dock-errors.js';
import { changedApproval } from './store/approval-column.js';
import { keepBreakPoints } from './store/breakpoints.js';
import {
  type MissionChange,
  type NewCall,
  contradictEnds,
  lockOtherFlight,
  recordCalls,
  saveMissions,
  stopRepeats,
} from './store/flight-critical.js';
import { isFull, keptWith, saveLive, takeGathered, withLine, withLive } from './store/flight-live.js';
import type { FlightLive } from './store/mission.row.js';
import { type TrackPiece, writeTrack } from './store/flight-track.js';
import { type FlightReport, type KeptReport, lineOf, reportOf } from './store/report-lines.js';
import { releaseDocks } from './store/dock-reservations.js';
import { keepResolution } from './store/keep-resolution.js';
import { type LockedMission, type MissionProgress, dateOf, missionOf } from './store/mission.row.js';
import { timingOf } from './store/timing-column.js';
import type { StoredBreakPoint } from './dji/dock-profiles.js';
import { forward } from './dji/reported-progress.js';
import { type JudgedStage, keepPreflights, verdictsOf } from './store/preflights.js';
import { type TimelineEntry, writeTimeline } from './store/timeline.js';

/** A command that was recorded and now has to be sent, or a look that has to be taken: once, after the commit. */
export interface Order {
  readonly effect: OrderEffect;
  /** The mission as decided. */
  readonly mission: LockedMission;
  readonly tid: string;
  readonly notAfterMs: number;
  /** What a person's command says beside its name. */
  readonly parameters: CommandParameters;
  /** The span of the decision that asks for it. */
  readonly trace?: TraceContext;
}

export interface CommandParameters {
  readonly homeDockSn?: string;
}

export interface Advanced {
  /** What was decided on. */
  readonly event: MissionEvent['type'];
  readonly decision: Decision;
  /** The mission after the event; as it was when the event was refused. */
  readonly mission: LockedMission;
  readonly orders: readonly Order[];
}

export interface Evidence {
  /** What a dock told with it. */
  readonly progress?: MissionProgress;
  readonly breakPoint?: StoredBreakPoint;
  readonly preflight?: { readonly stage: Stage; readonly result: PreflightResult };
  /** Who asked for it, and why. */
  readonly wish?: {
    readonly by: string;
    readonly reason: string | null;
    readonly parameters?: CommandParameters;
    /** How long the request had waited when the mission was locked: its command has that much less time to leave. */
    readonly waitedMs?: number;
  };
  /** The message that brought it, written before the decision. */
  readonly received?: TimelineEntry;
  /** For the timeline. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface Step {
  readonly locked: LockedMission;
  readonly event: MissionEvent;
  readonly evidence?: Evidence;
}

/** All rows that some decisions lead to, written in a few statements however many they are. */
class Writes {
  /** By mission: several changes of one mission are one, from the row as it is to the last state. */
  readonly changes = new Map<string, MissionChange>();
  readonly judged = new Map<string, JudgedStage>();
  readonly contradicted: string[] = [];
  readonly resolutions: { readonly id: string; readonly resolution: unknown }[] = [];
  readonly breakPoints: { readonly missionId: string; readonly point: StoredBreakPoint }[] = [];
  calls: NewCall[] = [];
  readonly released: string[] = [];
  readonly givenAnew: string[] = [];
  readonly facts: OutboxFact[] = [];
  readonly timeline: TimelineEntry[] = [];
  /** By mission: of several reports the last. */
  readonly lives = new Map<string, FlightLive>();
  /** By mission and attempt. */
  private readonly track = new Map<string, TrackPiece>();

  change(change: MissionChange): void {
    const { id } = change.before;
    const first = this.changes.get(id);
    this.changes.set(id, first === undefined ? change : folded(first, change));
  }

  /** The dock is given the mission anew: no command that was recorded before may take it away again. */
  giveAnew(missionId: string): void {
    this.givenAnew.push(missionId);
    this.calls = this.calls.map((call) => (call.missionId === missionId ? { ...call, repeats: false } : call));
  }

  keepTrack(missionId: string, attempt: number, lines: readonly string[]): void {
    const key = `${missionId} ${attempt}`;
    this.track.set(key, { missionId, attempt, lines: [...(this.track.get(key)?.lines ?? []), ...lines] });
  }

  /** Whether something about a mission waits to be written. */
  concerns({ id }: LockedMission): boolean {
    return this.changes.has(id) || this.lives.has(id);
  }

  async flush(tx: Tx): Promise<void> {
    // Sent together, and worked off in this order: missions are locked before calls.
    await Promise.all([
      saveMissions(tx, [...this.changes.values()]),
      keepPreflights(tx, [...this.judged.values()]),
      ...this.resolutions.map(({ id, resolution }) => keepResolution(tx, id, resolution)),
      contradictEnds(tx, this.contradicted),
      keepBreakPoints(tx, this.breakPoints),
      stopRepeats(tx, this.givenAnew),
      recordCalls(tx, this.calls),
      releaseDocks(tx, this.released),
      writeOutbox(tx, SCHEMA, this.facts),
      writeTimeline(tx, this.timeline),
      saveLive(tx, [...this.lives.values()]),
      writeTrack(tx, [...this.track.values()]),
    ]);
  }
}

function folded(first: MissionChange, next: MissionChange): MissionChange {
  return {
    before: { ...next.before, revision: first.before.revision },
    after: next.after,
    preparedFingerprint: next.preparedFingerprint ?? first.preparedFingerprint,
    progress: next.progress ?? first.progress,
    approval: next.approval ?? first.approval,
    verdicts: next.verdicts === null ? first.verdicts : { ...first.verdicts, ...next.verdicts },
  };
}

/**
 * Every event of an operator, a timer or a dock ends here: with the dock and the mission locked, decide by the pure
 * core, and write state, evidence and effects in the transaction of the caller. Events of many missions, and several
 * of one, are decided in the order in which they are given, and written together by `flush`.
 *
 * INVARIANTS: the caller holds the locks, calls `flush` before its commit, and sends the orders only after its commit is
 * known to have succeeded. A repeat of the transaction begins with a new one, from the rows of the database.
 */
export class AdvanceMissions {
  private writes = new Writes();
  private readonly rows = new Map<string, LockedMission>();

  constructor(
    private readonly tx: Tx,
    rows: Iterable<LockedMission>,
  ) {
    for (const row of rows) this.rows.set(row.id, row);
  }

  /** A mission as it is after all that was decided until now; undefined when it is not locked. */
  row(id: string): LockedMission | undefined {
    return this.rows.get(id);
  }

  /** Whether a mission of this dock is locked here. */
  locks(dockSn: string): boolean {
    return [...this.rows.values()].some((row) => row.dock_sn === dockSn);
  }

  /** The mission that flies on a dock now, as far as the missions that are locked here can tell. */
  flyingOn(dockSn: string): LockedMission | undefined {
    return [...this.rows.values()].find((row) => row.dock_sn === dockSn && isFlying(row));
  }

  async advance(id: string, event: MissionEvent, evidence: Evidence = {}): Promise<Advanced> {
    const before = this.rows.get(id);
    if (before === undefined) throw new Error('a mission is advanced that is not locked');
    const decision = decide(missionOf(before), event, before.now.getTime(), timingOf(before));
    const isLast = decision.kind !== 'refused' && isOutcome(decision.mission.state);
    if (!isReportOfFlight(before, event, decision)) this.keepGathered(id, isLast);
    const locked = this.rows.get(id) ?? before;
    if (decision.kind !== 'refused' && isFlying(decision.mission) && !isFlying(locked)) {
      await this.endOtherFlight(locked, event);
    }
    const advanced = collect(this.writes, { locked, event, evidence }, decision);
    this.rows.set(id, advanced.mission);
    return advanced;
  }

  /**
   * What a dock reports of a flight that goes on as before: it moves no state, so it is kept beside the mission and no
   * decision is made. Of reports that overtook each other the latest counts.
   */
  hear(id: string, report: FlightReport): void {
    const locked = this.rows.get(id);
    if (locked === undefined) throw new Error('a mission is heard that is not locked');
    const { live, attempt, now } = locked;
    const { receivedAtMs, progress } = report;
    const heardAtMs = Math.max(locked.heard_at?.getTime() ?? 0, Math.min(receivedAtMs, now.getTime()));
    const isOlder = live !== null && receivedAtMs < live.received_at.getTime();
    const next = isOlder && locked.progress ? forward(progress, locked.progress) : forward(locked.progress, progress);
    // What has gathered belongs to one attempt.
    if (live !== null && live.attempt !== attempt) this.keepGathered(id);
    const line = lineOf(report, saysSomething(locked.progress, next));
    const before = this.rows.get(id)?.live ?? null;
    const said = {
      progress: next,
      heard_at: new Date(heardAtMs),
      received_at: isOlder ? live.received_at : new Date(receivedAtMs),
      reports: (live?.reports ?? 0) + 1,
    };
    this.keepLive(id, {
      ...{ mission_id: id, attempt, recent: live?.recent ?? '', ...said },
      ...{ kept: keptWith(before, line, said), ...withLine(before, line) },
    });
    // What gathers is read as heard when it was received, which must not be in the future.
    if (receivedAtMs > now.getTime()) this.keepGathered(id);
  }

  /** A report that was told to the core goes into the track. */
  report(id: string, report: FlightReport): void {
    const locked = this.rows.get(id);
    if (locked === undefined) throw new Error('a mission reports that is not locked');
    this.keepGathered(id);
    this.writes.keepTrack(id, locked.attempt, [lineOf(report, false)]);
  }

  /** The same where the flight goes on: it gathers with the others, and its repeat is known. False: nothing was kept. */
  remember(id: string, report: FlightReport): boolean {
    const locked = this.rows.get(id);
    if (locked?.state !== 'executing' || locked.progress === null || locked.heard_at === null) return false;
    const { attempt, heard_at, progress, now } = locked;
    // What has gathered belongs to one attempt.
    if (locked.live !== null && locked.live.attempt !== attempt) this.keepGathered(id);
    const live = this.rows.get(id)?.live ?? null;
    this.keepLive(id, {
      ...{ mission_id: id, attempt, heard_at, progress, reports: (live?.reports ?? 0) + 1, recent: live?.recent ?? '' },
      received_at: new Date(Math.max(live?.received_at.getTime() ?? 0, report.receivedAtMs)),
      ...withLine(live, lineOf(report, false)),
    });
    if (report.receivedAtMs > now.getTime()) this.keepGathered(id);
    return true;
  }

  private keepLive(id: string, next: FlightLive): void {
    const locked = this.rows.get(id);
    if (locked === undefined) return;
    this.writes.lives.set(id, next);
    this.rows.set(id, withLive(locked, next));
    if (isFull(next)) this.keepGathered(id);
  }

  /** What has gathered goes into the track, and those that say something into the timeline, before what is decided next. */
  private keepGathered(id: string, isLast = false): void {
    const live = this.rows.get(id)?.live;
    if (!live || live.gathered === 0) return;
    const { lines, rest } = takeGathered(live, isLast);
    this.writes.keepTrack(id, live.attempt, lines);
    const steps = lines.map(reportOf).filter(({ isStep }) => isStep);
    if (steps.length > 0) this.writes.timeline.push(stepsEntry(id, steps));
    this.keepLive(id, { ...live, ...rest, kept: undefined });
  }

  /** Something that moves nothing. */
  note(entry: TimelineEntry): void {
    this.writes.timeline.push(entry);
  }

  tell(fact: OutboxFact): void {
    this.writes.facts.push(fact);
  }

  async flush(): Promise<void> {
    const { writes } = this;
    this.writes = new Writes();
    await writes.flush(this.tx);
  }

  /**
   * A dock flies one mission at a time. When it says that it flies this one, another that we still believe to fly has
   * ended in a way that nobody told us.
   */
  private async endOtherFlight(locked: LockedMission, { type }: MissionEvent): Promise<void> {
    // One statement that ends one flight and begins another could meet the index that allows a dock one flight. And the
    // other one is read anew: with what it reported in this batch.
    const others = [...this.rows.values()].filter(({ dock_sn, id }) => dock_sn === locked.dock_sn && id !== locked.id);
    if (others.some((other) => this.writes.concerns(other))) await this.flush();
    // A claim and a look made sure that there is no other flight; only the dock's own word can say that one has ended.
    if (type === 'executeDue' || type === 'observedFlying') return;
    const other = await lockOtherFlight(this.tx, locked.dock_sn, locked.id);
    if (other === undefined) return;
    const ending = new AdvanceMissions(this.tx, [other]);
    const evidence = { detail: { supersededBy: locked.id, cause: type } };
    const { mission } = await ending.advance(other.id, { type: 'observationGivenUp' }, evidence);
    await ending.flush();
    if (this.rows.has(mission.id)) this.rows.set(mission.id, mission);
  }
}

/**
 * A report that is told to the core, e.g. of the take-off, and changes nothing but the watch: the steps before it need not be
 * in the timeline first, since each says when it was.
 */
const isReportOfFlight = (locked: LockedMission, { type }: MissionEvent, decision: Decision): boolean =>
  type === 'flightInProgress' && decision.kind !== 'refused' && decision.mission.state === locked.state;

/** One event of each of several missions. */
export async function advanceAll(tx: Tx, steps: readonly Step[]): Promise<Advanced[]> {
  const unit = new AdvanceMissions(
    tx,
    steps.map(({ locked }) => locked),
  );
  const advanced: Advanced[] = [];
  for (const { locked, event, evidence } of steps) advanced.push(await unit.advance(locked.id, event, evidence));
  await unit.flush();
  return advanced;
}

export async function advance(
  tx: Tx,
  locked: LockedMission,
  event: MissionEvent,
  evidence: Evidence = {},
): Promise<Advanced> {
  const [advanced] = await advanceAll(tx, [{ locked, event, evidence }]);
  if (advanced === undefined) throw new Error('one step has one result');
  return advanced;
}

function collect(writes: Writes, { locked, event, evidence = {} }: Step, decision: Decision): Advanced {
  const nowMs = locked.now.getTime();
  // What was kept beside the mission is written into the decision that rests on it: a replay needs nothing else.
  const heard = locked.live === null ? {} : { heardAtMs: missionOf(locked).heardAtMs };
  const detail = { ...evidence.detail, ...wishDetail(evidence), event, nowMs, ...heard };
  if (evidence.received) writes.timeline.push(evidence.received);
  if (decision.kind === 'refused') {
    writes.timeline.push({
      missionId: locked.id,
      kind: 'refusal',
      what: event.type,
      fromState: locked.state,
      detail: { ...detail, reason: decision.reason },
    });
    return { event: event.type, decision, mission: locked, orders: [] };
  }
  const { mission: next, effects } = decision;
  noteHolds(writes, locked, next, event);
  const mission = isOutcome(locked.state)
    ? keepLateWord(writes, locked, effects.find(isLate), evidence, detail)
    : collectChange(writes, locked, next, event, evidence);
  if (evidence.breakPoint) writes.breakPoints.push({ missionId: locked.id, point: evidence.breakPoint });
  writes.timeline.push({
    missionId: locked.id,
    kind: 'decision',
    what: event.type,
    fromState: locked.state,
    toState: next.state,
    revision: next.revision,
    detail: { ...detail, effects, nextActionAtMs: next.nextActionAtMs },
  });
  const orders = effects.filter(isOrder).map((effect) => collectOrder(writes, effect, mission, nowMs, evidence));
  return { event: event.type, decision, mission, orders };
}

/** How often the mission was held back for the reason that ends now: the single holds are no events of its timeline. */
function noteHolds(writes: Writes, locked: LockedMission, next: Mission, event: MissionEvent): void {
  const { execute } = locked.verdicts;
  // Without a cause it was not held since its plan was changed.
  if (locked.state !== 'prepared' || locked.cause_code === null || execute?.times === undefined) return;
  if (next.state === 'prepared' && event.type !== 'executeHeld') return;
  writes.timeline.push({
    missionId: locked.id,
    kind: 'note',
    what: 'heldBack',
    detail: {
      because: locked.cause_code,
      failed: execute.failed,
      times: execute.times,
      firstAt: execute.at,
      lastAt: execute.lastAt,
    },
  });
}

const isLate = (effect: Effect): effect is LateEffect => !isOrder(effect);

const wishDetail = ({ wish }: Evidence) => (wish ? { by: wish.by, reason: wish.reason, ...wish.parameters } : {});

/** Returns the row as it will be. */
function collectChange(
  writes: Writes,
  locked: LockedMission,
  next: Mission,
  event: MissionEvent,
  evidence: Evidence,
): LockedMission {
  const { preflight, progress } = evidence;
  const at = locked.now.toISOString();
  const change: MissionChange = {
    before: locked,
    after: next,
    preparedFingerprint: isPreparedBy(locked, next, event) ? locked.md5 : null,
    progress: progress ? forward(locked.progress, progress) : locked.live === null ? null : locked.progress,
    approval: changedApproval(locked.approval, next, event, evidence.wish, locked.now.getTime()),
    verdicts: preflight ? verdictsOf({ ...preflight, at: locked.now }) : null,
  };
  writes.change(change);
  if (preflight) {
    writes.judged.set(`${locked.id} ${preflight.stage}`, { missionId: locked.id, ...preflight, at: locked.now });
  }
  if (isOutcome(next.state)) writes.released.push(locked.id);
  const mission = merged(change);
  if (next.state === locked.state) return mission;
  writes.facts.push({
    subject: factSubject('mission', locked.organisation_id, 'stateChanged'),
    payload: {
      missionId: locked.id,
      dockSn: locked.dock_sn,
      from: locked.state,
      to: next.state,
      revision: next.revision,
      cause: next.cause,
      at,
      startedAt: dateOf(next.startedAtMs)?.toISOString() ?? null,
      endedBy: isOutcome(next.state) && next.cause !== null ? enderOf(next.cause) : null,
    },
  });
  return mission;
}

/** The dock has the file: it said so, or it is a dock that is given the file with the start itself. */
function isPreparedBy({ delivery }: LockedMission, next: Mission, event: MissionEvent): boolean {
  if (event.type === 'prepareAccepted' || event.type === 'flightReady') return true;
  return event.type === 'prepareDue' && delivery === 'create' && next.state === 'prepared';
}

/** The mission has ended; what its dock still says is kept beside it and changes no state. Returns the row as it will be. */
function keepLateWord(
  writes: Writes,
  locked: LockedMission,
  effect: LateEffect | undefined,
  evidence: Evidence,
  detail: Readonly<Record<string, unknown>>,
): LockedMission {
  if (effect === undefined || locked.resolution !== null) return locked;
  if (effect === 'contradictEnd') {
    writes.contradicted.push(locked.id);
    return { ...locked, contradicted_at: locked.contradicted_at ?? locked.now };
  }
  const resolution = { by: 'dock', ...detail, progress: evidence.progress ?? null };
  writes.resolutions.push({ id: locked.id, resolution });
  writes.facts.push({
    subject: factSubject('mission', locked.organisation_id, 'resolved'),
    payload: { missionId: locked.id, dockSn: locked.dock_sn, resolution },
  });
  return { ...locked, resolution };
}

function collectOrder(
  writes: Writes,
  effect: Order['effect'],
  mission: LockedMission,
  nowMs: number,
  { wish }: Evidence,
): Order {
  const tid = randomUUID();
  const parameters = wish?.parameters ?? {};
  const notAfterMs = latestSendMs(effect, mission, nowMs - (wish?.waitedMs ?? 0));
  const order: Order = { effect, mission, tid, notAfterMs, parameters };
  if (effect === 'observeFlight') return order;
  if (effect === 'sendPrepare') writes.giveAnew(mission.id);
  writes.calls.push({
    tid,
    missionId: mission.id,
    dockSn: mission.dock_sn,
    method: commandFor(effect, mission.delivery),
    attempt: effect === 'sendExecute' ? mission.attempt : 0,
    edition: mission.edition,
    notAfterMs,
    requestedBy: wish?.by ?? null,
    reason: wish?.reason ?? null,
    // While it is canceling, the mission's own timer repeats the undo.
    repeats: effect === 'sendUndo' && mission.state !== 'canceling',
    starts: effect === 'sendExecute',
  });
  return order;
}

function latestSendMs(effect: Order['effect'], mission: LockedMission, nowMs: number): number {
  if (effect === 'sendExecute') return mission.deadline?.getTime() ?? nowMs;
  const untilMs = nowMs + lifetimeMs(effect, mission.kind, timingOf(mission));
  return effect === 'sendPrepare' ? Math.min(untilMs, mission.deadline?.getTime() ?? untilMs) : untilMs;
}

const isFlying = ({ state }: Pick<Mission, 'state'>): boolean =>
  state === 'starting' || state === 'executing' || state === 'paused';

function merged({
  before: row,
  after: next,
  progress,
  verdicts,
  approval,
  preparedFingerprint,
}: MissionChange): LockedMission {
  return {
    ...row,
    progress: progress ?? row.progress,
    approval: approval ?? row.approval,
    verdicts: { ...row.verdicts, ...verdicts },
    prepared_fingerprint: preparedFingerprint ?? row.prepared_fingerprint,
    updated_at: row.now,
    state: next.state,
    revision: next.revision,
    edition: next.edition,
    execute_at: dateOf(next.executeAtMs),
    prepare_at: new Date(next.prepareAtMs),
    deadline: dateOf(next.deadlineMs),
    prepare_count: next.prepareCount,
    attempt: next.attempt,
    undo_count: next.undoCount,
    since: new Date(next.sinceMs),
    started_at: dateOf(next.startedAtMs),
    paused_ms: String(next.pausedMs),
    heard_at: dateOf(next.heardAtMs),
    flown_at: dateOf(next.flownAtMs),
    resting_since: dateOf(next.restingSinceMs),
    next_action_at: dateOf(next.nextActionAtMs),
    cause_code: next.cause?.code ?? null,
    cause_dock_result: next.cause?.dockResult ?? null,
  };
}

/** In one entry, which may come a minute after the first of them; each says when it came in. */
const stepsEntry = (missionId: string, steps: readonly KeptReport[]): TimelineEntry => ({
  missionId,
  kind: 'message_in',
  what: 'flighttask_progress',
  detail: {
    reports: steps.map(({ receivedAtMs, percent, currentStep, waypointIndex, mediaCount }) => ({
      ...{ at: new Date(receivedAtMs).toISOString(), percent, currentStep, waypointIndex, mediaCount },
    })),
  },
});

/** The timeline has each step and each tenth of a flight; every report is in its track. */
const saysSomething = (before: MissionProgress | null, now: MissionProgress): boolean =>
  before?.status !== now.status || before.currentStep !== now.currentStep || tenthOf(before) !== tenthOf(now);

const tenthOf = ({ percent }: MissionProgress): number | null => (percent === null ? null : Math.floor(percent / 10));
