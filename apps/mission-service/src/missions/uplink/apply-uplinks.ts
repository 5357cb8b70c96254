import { type DockFact, factSubject } from '@aerie/bus-contract';
import { messageIdOf } from '@aerie/messaging';
import { type EventOf, goesOnAsBefore } from '@aerie/mission-core';
import { type MessageKey, type Tx, enterInboxMany } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { type Advanced, AdvanceMissions } from '../advance-mission.js';
import type { AutoResume } from '../breakpoints/auto-resume.js';
import { namesOther } from '../dji/named-flight.js';
import { eventOfReply } from '../dji/translate-uplink.js';
import { DockNotes } from '../store/dock-notes.js';
import { type CallRow, type Reply, findCalls, lockMissions, recordReplies } from '../store/flight-critical.js';
import { isReported } from '../store/flight-live.js';
import type { FlightLive } from '../store/mission.row.js';
import { type LockedMission, missionOf } from '../store/mission.row.js';
import type { TimelineEntry } from '../store/timeline.js';
import { type FlyingMission, findFlying, isAlarm } from './notices.js';
import type { FileUplink, FlightUplink, NoticeUplink, ReplyUplink, Uplink } from './uplink.js';

/** What became of an uplink. `orphan`: it belongs to no mission of its dock. */
export type Applied =
  | { readonly kind: 'advanced'; readonly advanced: Advanced }
  | { readonly kind: 'kept' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'orphan' }
  | { readonly kind: 'file'; readonly mission: LockedMission };

const KEPT: Applied = { kind: 'kept' };
const REPEAT: Applied = { kind: 'repeat' };
const ORPHAN: Applied = { kind: 'orphan' };

/**
 * Applies what docks said, in its order, in the transaction of the caller: a few statements however many uplinks and
 * missions there are. Returns what became of each.
 *
 * INVARIANTS: everything it decides on is read here, with the rows locked, so a repeat of the transaction begins anew.
 * What belongs to no mission leaves no inbox row, so that its repeat is looked at again.
 */
export async function applyUplinks(tx: Tx, uplinks: readonly Uplink[], autoResume: AutoResume): Promise<Applied[]> {
  const calls = await callsOf(tx, uplinks);
  const missionIds = uplinks.flatMap((uplink) => missionIdOf(uplink, calls) ?? []);
  const [rows, flying] = await Promise.all([
    lockMissions(tx, [...new Set(missionIds)]),
    findFlying(tx, notices(uplinks)),
  ]);
  const unit = new AdvanceMissions(tx, rows);
  const reports = reportsIn(uplinks, unit, calls);
  const [unseen, firstReplies] = await Promise.all([
    enterInboxMany(tx, SCHEMA, inboxKeys(uplinks, unit, flying, reports)),
    recordReplies(tx, repliesIn(uplinks, unit, calls)),
  ]);
  const batch: Batch = {
    tx,
    unit,
    calls,
    flying,
    reports,
    unseen,
    firstReplies: new Set(firstReplies),
    results: new Map(),
    notes: new DockNotes(),
  };

  const applied: Applied[] = [];
  const ends: { readonly before: LockedMission; readonly advanced: Advanced }[] = [];
  for (const uplink of uplinks) {
    const before = rowOf(uplink, batch);
    const one = await apply(uplink, batch);
    if (one.kind === 'advanced' && before !== undefined) ends.push({ before, advanced: one.advanced });
    applied.push(one);
  }
  await Promise.all([batch.notes.flush(tx), unit.flush()]);
  // It reads what was just written: the break points, and whether the dock is free.
  for (const { before, advanced } of ends) await autoResume.after(tx, before, advanced);
  return applied;
}

interface Batch {
  readonly tx: Tx;
  readonly unit: AdvanceMissions;
  readonly calls: ReadonlyMap<string, CallRow>;
  /** By dock. */
  readonly flying: ReadonlyMap<string, FlyingMission>;
  readonly reports: Reports;
  /** Keys of the inbox that nobody had entered before; each is taken out by its first message. */
  readonly unseen: Set<string>;
  /** Commands that had no reply before; each is taken out by its first reply. */
  readonly firstReplies: Set<string>;
  /** What these first replies said. */
  readonly results: Map<string, number>;
  readonly notes: DockNotes;
}

function apply(uplink: Uplink, batch: Batch): Promise<Applied> | Applied {
  switch (uplink.kind) {
    case 'flight':
      return applyFlight(uplink, batch);
    case 'reply':
      return applyReply(uplink, batch);
    case 'notice':
      return applyNotice(uplink, batch);
    case 'file':
      return applyFile(uplink, batch);
  }
}

async function applyFlight(uplink: FlightUplink, batch: Batch): Promise<Applied> {
  const { fact, event, evidence, goesOn } = uplink;
  const locked = rowOf(uplink, batch);
  if (locked === undefined) return ORPHAN;
  const goesOnQuietly = isReport(uplink) && goesOnAsBefore(missionOf(locked), uplink.event);
  if (!(await isUnseen(uplink, goesOnQuietly, batch))) return REPEAT;
  if (isReport(uplink) && isTaken(fact, locked.live, goesOnQuietly)) return REPEAT;
  const received = messageIn(locked.id, fact.method ?? '', { tid: fact.tid, data: fact.data });
  const { receivedAtMs } = fact;
  const { progress } = evidence;
  const report = progress ? { messageId: messageIdOf(fact), receivedAtMs, progress } : null;
  batch.notes.note(locked, receivedAtMs, goesOn, goesOnQuietly && report !== null);
  if (goesOnQuietly && report) {
    batch.unit.hear(locked.id, report);
    return KEPT;
  }
  if (event === null) {
    if (report) batch.unit.report(locked.id, report);
    batch.unit.note(received);
    return KEPT;
  }
  const advanced = await batch.unit.advance(locked.id, event, { ...evidence, received, detail: { tid: fact.tid } });
  const isKept = isReport(uplink) && report !== null && batch.unit.remember(locked.id, report);
  if (report && !isKept) batch.unit.report(locked.id, report);
  return { kind: 'advanced', advanced };
}

/** Whether the inbox lets an uplink through. The mission is locked, so nobody else can enter the same key meanwhile. */
async function isUnseen(uplink: FlightUplink, goesOnQuietly: boolean, batch: Batch): Promise<boolean> {
  const { quiet, later } = batch.reports;
  if (quiet.has(uplink)) return true;
  if (!later.has(uplink)) return batch.unseen.delete(textOf(keyOfFlight(uplink)));
  return goesOnQuietly || (await enterInboxMany(batch.tx, SCHEMA, [keyOfFlight(uplink)])).size > 0;
}

/** For what is rare: a statement of its own. The mission is locked. */
const enterInbox = async ({ tx }: Batch, { sn }: DockFact, method: string, messageId: string): Promise<boolean> =>
  (await enterInboxMany(tx, SCHEMA, [{ sn, method, messageId }])).size > 0;

async function applyReply(uplink: ReplyUplink, batch: Batch): Promise<Applied> {
  const { fact, tid, result } = uplink;
  const call = batch.calls.get(tid);
  const locked = rowOf(uplink, batch);
  if (call === undefined || locked === undefined) return ORPHAN;
  batch.notes.note(locked, fact.receivedAtMs, null);
  const received = messageIn(locked.id, `${call.method} reply`, { tid, result });
  // The first reply counts. One with another result is evidence, once; the same again says nothing.
  const counts = batch.firstReplies.delete(tid);
  if (counts) batch.results.set(tid, result);
  else if (result === (batch.results.get(tid) ?? call.reply_result)) return REPEAT;
  else if (!(await enterInbox(batch, fact, `${call.method} reply ${result}`, tid))) return REPEAT;
  const named = { ...locked, ...batch.notes.of(locked) };
  const event = counts ? eventOfReply(call, result, namesOther(named, locked.started_at?.getTime() ?? null)) : null;
  if (event === null) {
    batch.unit.note(received);
    return counts ? KEPT : REPEAT;
  }
  return { kind: 'advanced', advanced: await batch.unit.advance(locked.id, event, { received, detail: { tid } }) };
}

function applyNotice({ fact, dockSn, method }: NoticeUplink, batch: Batch): Applied {
  const mission = batch.unit.flyingOn(dockSn) ?? batch.flying.get(dockSn);
  if (mission === undefined) return ORPHAN;
  if (!batch.unseen.delete(textOf({ sn: fact.sn, method, messageId: messageIdOf(fact) }))) return REPEAT;
  batch.unit.note(messageIn(mission.id, method, { tid: fact.tid, data: fact.data }));
  if (isAlarm(method)) {
    const payload = { missionId: mission.id, dockSn, method, data: fact.data };
    batch.unit.tell({ subject: factSubject('mission', mission.organisation_id, 'alarm'), payload });
  }
  return KEPT;
}

/** A question that comes again is answered again: its answer may be lost. It is noted once. */
async function applyFile(uplink: FileUplink, batch: Batch): Promise<Applied> {
  const mission = rowOf(uplink, batch);
  if (mission === undefined) return ORPHAN;
  const { fact } = uplink;
  const method = 'flighttask_resource_get';
  if (await enterInbox(batch, fact, `${method}:${mission.id}`, messageIdOf(fact))) {
    batch.unit.note(messageIn(mission.id, method, { tid: fact.tid }));
  }
  return { kind: 'file', mission };
}

const messageIn = (missionId: string, what: string, detail: Readonly<Record<string, unknown>>): TimelineEntry => ({
  missionId,
  kind: 'message_in',
  what,
  detail,
});

async function callsOf(tx: Tx, uplinks: readonly Uplink[]): Promise<ReadonlyMap<string, CallRow>> {
  const tids = uplinks.flatMap((uplink) => (uplink.kind === 'reply' ? [uplink.tid] : []));
  return new Map((await findCalls(tx, [...new Set(tids)])).map((call) => [call.tid, call]));
}

/** The mission that an uplink is about; undefined when it names none. */
function missionIdOf(uplink: Uplink, calls: ReadonlyMap<string, CallRow>): string | undefined {
  if (uplink.kind === 'notice') return undefined;
  if (uplink.kind !== 'reply') return uplink.missionId;
  const call = calls.get(uplink.tid);
  // Another dock's reply to a command is no reply.
  return call?.dock_sn === uplink.dockSn ? call.mission_id : undefined;
}

/** The locked mission of an uplink, as it is now. No dock speaks for the mission of another. */
function rowOf(uplink: Uplink, { unit, calls }: Pick<Batch, 'unit' | 'calls'>): LockedMission | undefined {
  const id = missionIdOf(uplink, calls);
  const row = id === undefined ? undefined : unit.row(id);
  return row?.dock_sn === uplink.dockSn ? row : undefined;
}

/** A ready event may name several missions: each is a message of its own to the inbox. */
const keyOfFlight = ({ fact, missionId }: FlightUplink): MessageKey => ({
  sn: fact.sn,
  method: `${fact.method ?? ''}:${missionId}`,
  messageId: messageIdOf(fact),
});

const textOf = ({ sn, method, messageId }: MessageKey): string => JSON.stringify([sn, method, messageId]);

const notices = (uplinks: readonly Uplink[]): string[] =>
  uplinks.flatMap((uplink) => (uplink.kind === 'notice' ? [uplink.dockSn] : []));

/** A report that a flight goes on, and nothing beside it. */
type ReportUplink = FlightUplink & { readonly event: EventOf<'flightInProgress'> };

const isReport = (uplink: Uplink): uplink is ReportUplink =>
  uplink.kind === 'flight' &&
  uplink.event?.type === 'flightInProgress' &&
  uplink.evidence.progress !== undefined &&
  uplink.evidence.breakPoint === undefined;

/** Reports that a flight goes on. */
interface Reports {
  /**
   * As it did, before anything else is said of it in this batch. They leave no inbox row: a repeat is known by the row
   * that holds the last ones.
   */
  readonly quiet: ReadonlySet<Uplink>;
  /**
   * After something else, e.g. those that a dock sent between its first report and the commit of that. They may find the
   * flight in another state, which shows when they have their turn: only then do they leave an inbox row.
   */
  readonly later: ReadonlySet<Uplink>;
}

function reportsIn(uplinks: readonly Uplink[], unit: AdvanceMissions, calls: ReadonlyMap<string, CallRow>): Reports {
  const quiet = new Set<Uplink>();
  const later = new Set<Uplink>();
  const moved = new Set<string>();
  for (const uplink of uplinks) {
    const row = rowOf(uplink, { unit, calls });
    if (row === undefined) continue;
    if (isReport(uplink) && moved.has(row.id)) later.add(uplink);
    else if (isReport(uplink) && goesOnAsBefore(missionOf(row), uplink.event)) quiet.add(uplink);
    else moved.add(row.id);
  }
  return { quiet, later };
}

/**
 * Whether a report was taken before, without an inbox row. Where the flight goes on as it did, one that was overtaken
 * still tells what the dock saw; otherwise whatever is as old as the last one is no news.
 */
const isTaken = (fact: DockFact, live: FlightLive | null, goesOnQuietly: boolean): boolean =>
  isReported(live, messageIdOf(fact)) ||
  (!goesOnQuietly && live !== null && fact.receivedAtMs <= live.received_at.getTime());

function inboxKeys(
  uplinks: readonly Uplink[],
  unit: AdvanceMissions,
  flying: ReadonlyMap<string, FlyingMission>,
  { quiet, later }: Reports,
): MessageKey[] {
  return uplinks.flatMap((uplink) => {
    if (uplink.kind === 'flight') {
      const isOurs = unit.row(uplink.missionId)?.dock_sn === uplink.dockSn;
      return isOurs && !quiet.has(uplink) && !later.has(uplink) ? [keyOfFlight(uplink)] : [];
    }
    if (uplink.kind !== 'notice' || !(flying.has(uplink.dockSn) || unit.locks(uplink.dockSn))) return [];
    return [{ sn: uplink.fact.sn, method: uplink.method, messageId: messageIdOf(uplink.fact) }];
  });
}

/** The first reply to each command, of those whose mission is locked. */
function repliesIn(uplinks: readonly Uplink[], unit: AdvanceMissions, calls: ReadonlyMap<string, CallRow>) {
  const replies = new Map<string, Reply>();
  for (const uplink of uplinks) {
    if (uplink.kind !== 'reply' || rowOf(uplink, { unit, calls }) === undefined || replies.has(uplink.tid)) continue;
    const { tid, result, fact } = uplink;
    replies.set(tid, { tid, result, receivedAtMs: fact.receivedAtMs });
  }
  return [...replies.values()];
}
