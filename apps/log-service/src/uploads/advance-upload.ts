import { randomUUID } from 'node:crypto';
import { type LogFileStored, type LogUploadStateChanged, factSubject } from '@aerie/bus-contract';
import {
  type Cause,
  type Decision,
  type Effect,
  type LogUpload,
  START_LIFETIME_MS,
  type UploadEvent,
  decide,
  isOutcome,
  tellsMore,
} from '@aerie/log-core';
import { type OutboxFact, type Tx, writeOutbox } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import { endCampaignDock } from '../campaigns/campaign-dock.js';
import { commandFor } from './dock/command-names.js';
import { type SeenFile, keepFiles } from './store/files.js';
import { giveDockBack } from './store/dock-holds.js';
import { beginAttempt, endAttempt, recordCall, saveUpload } from './store/upload-critical.js';
import { type LockedUpload, columnsOf, timingOf, uploadOf } from './store/upload.row.js';
import { type TimelineEntry, writeMessage, writeTimeline } from './store/timeline.js';

/** What is to be done once the commit is known to have succeeded. */
export interface Order {
  readonly effect: Exclude<Effect, 'releaseDock'>;
  /** The upload as decided. */
  readonly upload: LockedUpload;
  readonly tid: string;
  readonly notAfterMs: number;
}

export interface Advanced {
  readonly decision: Decision;
  /** The upload after the event; as it was when the event was refused. */
  readonly upload: LockedUpload;
  readonly orders: readonly Order[];
  readonly releases: boolean;
}

export interface Evidence {
  /** Objects that were seen in the storage; kept for those files that the decision takes for stored. */
  readonly seen?: readonly SeenFile[];
  /** Who asked for it. */
  readonly by?: string;
  /** The message that brought it. */
  readonly received?: TimelineEntry;
  /** For the timeline. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** A list or a stop that is older helps nobody: what waits for it looks again by itself. */
const COMMAND_LIFETIME_MS = 30_000;

/**
 * Every event of an operator, a timer, a dock, a mission or a storage ends here: with the upload locked, decide by the
 * pure core, and write state, evidence and effects in the transaction of the caller.
 *
 * INVARIANTS: the caller holds the lock and carries the orders out only after its commit is known to have succeeded.
 */
export async function advance(
  tx: Tx,
  locked: LockedUpload,
  event: UploadEvent,
  evidence: Evidence = {},
): Promise<Advanced> {
  const before = uploadOf(locked);
  const decision = decide(before, event, locked.now.getTime(), timingOf(locked));
  const { received } = evidence;
  const detail = { ...evidence.detail, ...(evidence.by === undefined ? {} : { by: evidence.by }), event };
  const entry = { uploadId: locked.id, what: event.type, fromState: locked.state };
  if (decision.kind === 'refused') {
    const refusal = { ...entry, kind: 'refusal', detail: { ...detail, reason: decision.reason } } as const;
    await (received === undefined ? writeTimeline(tx, [refusal]) : writeMessage(tx, received, refusal));
    return { decision, upload: locked, orders: [], releases: false };
  }
  const { upload: after, effects } = decision;
  const decided = { ...entry, kind: 'decision', toState: after.state, revision: after.revision } as const;
  const told = { ...decided, detail: { ...detail, effects, cause: after.cause } };
  const writeTold = async (): Promise<void> => {
    if (received === undefined) return writeTimeline(tx, [told]);
    if (decision.kind === 'moved') return writeTimeline(tx, [received, told]);
    const goesOnAsBefore = event.type === 'exportTold' && !isOutcome(before.state) && !tellsMore(before, after);
    if (!goesOnAsBefore) await writeMessage(tx, received, told);
  };
  // It has ended; what still comes is evidence beside it.
  if (isOutcome(before.state)) {
    await writeTold();
    return { decision, upload: locked, orders: [], releases: false };
  }

  const startedId = effects.includes('sendStart') ? randomUUID() : null;
  const upload = merged(locked, after, startedId ?? locked.attempt_id);
  // Also at an end without an export: the answer to a take may have been lost.
  const releases = effects.includes('releaseDock') || isOutcome(after.state);
  const files = newlyStored(before, after, evidence.seen ?? []);
  const orders = effects.filter((effect) => effect !== 'releaseDock').map((effect) => orderOf(effect, upload));
  // Sent together, and worked off in this order.
  await Promise.all([
    writeTold(),
    saveUpload(tx, locked, after),
    startedId === null ? undefined : beginAttempt(tx, startedId, locked.id, after.attempt),
    releases ? giveDockBack(tx, locked.id) : undefined,
    isAttemptOver(before, after) ? endAttempt(tx, locked.id, before.attempt, whyItEnded(after)) : undefined,
    keepFiles(tx, upload, files),
    writeOutbox(tx, SCHEMA, factsOf(locked, after, files)),
    isOutcome(after.state) ? endCampaignDock(tx, upload) : undefined,
    ...orders.map((order) => recordOrder(tx, order, evidence)),
  ]);
  return { decision, upload, orders, releases };
}

function orderOf(effect: Order['effect'], upload: LockedUpload): Order {
  const notAfterMs = upload.now.getTime() + (effect === 'sendStart' ? START_LIFETIME_MS : COMMAND_LIFETIME_MS);
  return { effect, upload, tid: randomUUID(), notAfterMs };
}

async function recordOrder(tx: Tx, { effect, upload, tid, notAfterMs }: Order, { by }: Evidence): Promise<void> {
  if (effect === 'checkObjects') return;
  await recordCall(tx, {
    tid,
    organisationId: upload.organisation_id,
    uploadId: upload.id,
    dockSn: upload.dock_sn,
    method: commandFor(effect),
    attempt: upload.attempt,
    notAfterMs,
    requestedBy: by ?? null,
  });
}

/** An attempt is over when nothing of it is waited for any more. */
const isAttemptOver = (before: LogUpload, after: LogUpload): boolean =>
  before.attempt > 0 && before.state !== 'listed' && (after.state === 'listed' || isOutcome(after.state));

const whyItEnded = ({ state, cause }: LogUpload): Cause | null => (state === 'stored' ? null : cause);

const newlyStored = (before: LogUpload, after: LogUpload, seen: readonly SeenFile[]): SeenFile[] =>
  seen.filter(({ module }) => {
    const stateIn = ({ files }: LogUpload) => files.find((file) => file.module === module)?.state;
    return stateIn(before) === 'wanted' && stateIn(after) === 'stored';
  });

function factsOf(locked: LockedUpload, after: LogUpload, files: readonly SeenFile[]): OutboxFact[] {
  const { id, dock_sn, organisation_id, attached_to: missionId, campaign_id, state, now } = locked;
  const facts: OutboxFact[] = files.map((file) => {
    const payload: LogFileStored = {
      ...{ uploadId: id, dockSn: dock_sn, fileId: file.id, missionId, module: file.module },
      ...{ objectKey: file.objectKey, sizeBytes: file.sizeBytes },
    };
    return { subject: factSubject('log', organisation_id, 'fileStored'), payload };
  });
  if (after.state === state) return facts;
  const payload: LogUploadStateChanged = {
    ...{ uploadId: id, dockSn: dock_sn, missionId, campaignId: campaign_id, from: state, to: after.state },
    ...{ revision: after.revision, cause: after.cause, at: now.toISOString() },
  };
  return [...facts, { subject: factSubject('log', organisation_id, 'uploadStateChanged'), payload }];
}

function merged(row: LockedUpload, after: LogUpload, attemptId: string | null): LockedUpload {
  const isNewAttempt = after.attempt !== row.attempt;
  return {
    ...row,
    ...columnsOf(after),
    updated_at: row.now,
    attempt_id: attemptId,
    prefix: isNewAttempt ? null : row.prefix,
    keys_end_at: isNewAttempt ? null : row.keys_end_at,
  };
}
