import { takeDockQuestion } from '@aerie/bus-contract';
import { OrderPool } from '@aerie/kernel';
import { type HoldReason, STOP_LEAD_MS, type UploadEvent, dueNow, neededMs } from '@aerie/log-core';
import { type Backlog, type NatsConnection, ask } from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import { type DatabaseOf, type Tx, inTransaction } from '@aerie/persistence';
import { type Advanced, advance } from '../advance-upload.js';
import type { LookAtDocks } from '../dock/look-at-docks.js';
import type { AfterCommit } from '../effects/after-commit.js';
import { beginTake, endTake, isDockWanted, noteRelease, wantDock } from '../store/dock-holds.js';
import { findDue, lockDue, lockUpload, postpone } from '../store/upload-critical.js';
import { type LockedUpload, timingOf, uploadOf } from '../store/upload.row.js';

export interface DueRunnerParts {
  readonly dataSource: DatabaseOf<'engine'>;
  readonly connection: NatsConnection;
  readonly lookAtDocks: LookAtDocks;
  /** What docks said and this service has not handled yet. */
  readonly backlog: Pick<Backlog, 'handledUntilNow'>;
  readonly afterCommit: AfterCommit;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Uploads found at once, and decided at once. */
const FIND_LIMIT = 200;
const CONCURRENCY = 6;
/** Questions to other services at once. What finds no place is asked again when its claim has run out. */
const QUESTIONS = 16;
/** While others are asked about an upload no replica looks at it: longer than the question may take. */
const ASKING_MS = 15_000;
const FAILED_AGAIN_MS = 5_000;
/** A dock that was given back a moment ago can be asked for after this. */
const RELEASE_AGAIN_MS = 1_000;
const GATHER_MS = 5;
/** So long it is waited at once until what docks said is read. */
const READ_WITHIN_MS = 5_000;
/** An end is named this long after its time at the latest, whatever has not been read. */
const NAMED_WITHIN_MS = 60_000;

/** What is said of a dock that did not answer, or fell silent: its word may lie unread after an outage of ours. */
const SAYS_SILENT: ReadonlySet<string> = new Set([
  'listOverdue',
  'listGivenUp',
  'exportSilent',
  'stopOverdue',
  'stopGivenUp',
]);

type Wanted =
  | { readonly kind: 'look'; readonly upload: LockedUpload }
  | { readonly kind: 'dock'; readonly upload: LockedUpload; readonly generation: number };

/**
 * Does what time has made due, for wakes and sweepers alike: one path, taken by every replica, any number of times. What
 * others must be asked for is claimed first, asked for without any lock, and decided under a lock again.
 */
export class DueRunner {
  private gathering = false;
  private again = false;
  private isReading = false;
  /** All that docks said before this instant has been handled; by the clock of this process. */
  private readUntilMs = 0;
  private readonly questions: OrderPool<Wanted>;
  private readonly lateness;

  constructor(private readonly parts: DueRunnerParts) {
    this.questions = new OrderPool<Wanted>({
      concurrency: QUESTIONS,
      maxWaiting: FIND_LIMIT,
      carryOut: (wanted) =>
        wanted.kind === 'look' ? this.list(wanted.upload) : this.askForDock(wanted.upload, wanted.generation),
      onError: (error, { upload }) => void this.putOff(upload.id, error),
    });
    this.lateness = parts.metrics.histogram('log_due_lateness_seconds', 'How late a due upload was looked at.');
  }

  /** Somebody thinks that something is due. Never waits, never fails. */
  wakeAll(): void {
    this.again = true;
    if (this.gathering) return;
    this.gathering = true;
    setTimeout(() => void this.runGathered(), GATHER_MS);
  }

  private async runGathered(): Promise<void> {
    while (this.again) {
      this.again = false;
      await this.run().catch((error: unknown) =>
        this.parts.logger.warn({ err: error }, 'a wake failed; the sweeper will find it'),
      );
    }
    this.gathering = false;
  }

  /**
   * What is due now, up to a limit. Resolves when all of it is decided, but for that which others have to be asked about:
   * a service that is slow to answer must not keep a dock from being told to stop.
   */
  async run(): Promise<void> {
    const { dataSource } = this.parts;
    const query: Tx['query'] = (sql, parameters = []) => dataSource.query(sql, [...parameters]);
    const left = await findDue({ query }, null, FIND_LIMIT);
    const worker = async (): Promise<void> => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) await this.runOne(id);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  }

  /** Until nobody is asked about anything any more. */
  settled(): Promise<void> {
    return this.questions.settle();
  }

  private async runOne(id: string): Promise<void> {
    const { dataSource, afterCommit } = this.parts;
    try {
      const result = await inTransaction(dataSource, (tx) => this.claim(tx, id));
      if (result === null) return;
      if ('decision' in result) afterCommit.run(result);
      else this.questions.add(result);
    } catch (error) {
      await this.putOff(id, error);
    }
  }

  /** Out of the way of the others, which would wait behind it for ever. */
  private async putOff(id: string, error: unknown): Promise<void> {
    this.parts.logger.warn({ err: error, uploadId: id }, 'failed to advance a due upload, trying again');
    await inTransaction(this.parts.dataSource, (tx) => postpone(tx, id, FAILED_AGAIN_MS)).catch(() => undefined);
  }

  /** Decides at once where nobody has to be asked; else takes the upload out of everybody's sight for a while. */
  private async claim(tx: Tx, id: string): Promise<Advanced | Wanted | null> {
    const locked = await lockDue(tx, id);
    if (locked === undefined) return null;
    const nowMs = locked.now.getTime();
    this.lateness.observe(Math.max(0, nowMs - (locked.next_action_at?.getTime() ?? nowMs)) / 1_000);
    const due = dueNow(uploadOf(locked), nowMs, timingOf(locked));
    const overdueMs = nowMs - (locked.next_action_at?.getTime() ?? nowMs);
    // It stays due, and is looked at again once everything is read.
    if (due !== null && SAYS_SILENT.has(due.type) && !this.hasRead(overdueMs)) return null;
    switch (due?.type) {
      case undefined:
        // Due by its row and not by its rules: a release knew other rules.
        await postpone(tx, id, FAILED_AGAIN_MS);
        return null;
      case 'listDue':
        await postpone(tx, id, ASKING_MS);
        return { kind: 'look', upload: locked };
      case 'dockWanted':
      case 'extensionWanted': {
        const { wanted, generation } = await wantDock(tx, locked);
        await postpone(tx, id, wanted ? ASKING_MS : RELEASE_AGAIN_MS);
        return wanted ? { kind: 'dock', upload: locked, generation } : null;
      }
      default:
        return advance(tx, locked, due as UploadEvent);
    }
  }

  /** Whether what docks had said when something became due is handled; begins to wait for it where it is not. */
  private hasRead(overdueMs: number): boolean {
    if (overdueMs >= NAMED_WITHIN_MS || this.readUntilMs >= Date.now() - overdueMs) return true;
    void this.read();
    return false;
  }

  private async read(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    const startedMs = Date.now();
    const isRead = await this.parts.backlog.handledUntilNow(READ_WITHIN_MS);
    this.isReading = false;
    if (!isRead) return;
    this.readUntilMs = startedMs;
    this.wakeAll();
  }

  private async list(upload: LockedUpload): Promise<void> {
    const obstacle = await this.obstacleOf(upload.dock_sn);
    await this.decide(upload.id, 'none', (now) => {
      if (now.state !== 'requested') return null;
      return obstacle === null ? { type: 'listDue' } : { type: 'dockHeld', because: obstacle, freeAtMs: null };
    });
  }

  /** Asks mission-service for the dock, or for more of its time. */
  private async askForDock(upload: LockedUpload, generation: number): Promise<void> {
    const { connection } = this.parts;
    const isExtension = upload.state !== 'listed';
    const obstacle = isExtension ? null : await this.obstacleOf(upload.dock_sn);
    if (obstacle !== null) {
      return this.decide(upload.id, 'unasked', heldWhile(upload, { because: obstacle, freeAtMs: null }));
    }
    const notAfterMs = await inTransaction(this.parts.dataSource, (tx) => beginTake(tx, upload.id));
    if (notAfterMs === null) return;
    // No answer: the claim runs out and it is asked again. Should it have been granted, the hold remembers.
    const { untilMs, refusal } = await ask(connection, takeDockQuestion, {
      organisationId: upload.organisation_id,
      dockSn: upload.dock_sn,
      model: upload.model,
      protocolGeneration: upload.protocol_generation,
      holderId: upload.id,
      generation,
      notAfterMs,
      forMs: Math.ceil(neededMs(uploadOf(upload), upload.now.getTime(), timingOf(upload))),
      yields: upload.yields,
    });
    if (untilMs === null) {
      const held = { because: HELD_BY[refusal?.because ?? 'log_upload'], freeAtMs: refusal?.freeAtMs ?? null };
      await this.decide(upload.id, 'answered', heldWhile(upload, held));
      return;
    }
    await this.decide(upload.id, 'answered', (now, isWanted) => {
      if (now.attempt !== upload.attempt) return null;
      if (isExtension) return now.dock_may_export && isWanted ? { type: 'dockGranted', untilMs } : null;
      if (now.state !== 'listed') return null;
      // A mission took it back, or another replica gave it back, before we heard that it was ours.
      if (now.yield_at !== null) return { type: 'dockHeld', because: 'mission_due', freeAtMs: null };
      return isWanted ? { type: 'dockGranted', untilMs } : { type: 'dockHeld', because: 'dock_taken', freeAtMs: null };
    });
  }

  /**
   * Decides on the upload as it is now. A dock that may have been asked for and is not used is given back.
   *
   * @param take `unasked`: the dock was claimed, and nobody asked for it now. `answered`: what came of asking is known.
   */
  private async decide(
    id: string,
    take: 'none' | 'unasked' | 'answered',
    eventFor: (now: LockedUpload, isWanted: boolean) => UploadEvent | null,
  ): Promise<void> {
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      const locked = await lockUpload(tx, id);
      if (locked === undefined) return null;
      const event = eventFor(locked, take !== 'none' && (await isDockWanted(tx, id)));
      if (take === 'answered') await endTake(tx, id);
      const advanced = event === null ? null : await advance(tx, locked, event);
      const upload = advanced?.upload ?? locked;
      if (take !== 'none' && !upload.dock_may_export) await noteRelease(tx, upload);
      return advanced;
    });
    if (take !== 'none') this.parts.afterCommit.releaseSoon();
    if (advanced !== null) this.parts.afterCommit.run(advanced);
  }

  private async obstacleOf(sn: string): Promise<HoldReason | null> {
    try {
      return (await this.parts.lookAtDocks.obstacles([sn])).get(sn) ?? null;
    } catch (error) {
      // The dock itself says no where it has to; not knowing is no reason to wait for ever.
      this.parts.logger.info({ err: error, sn }, 'fleet-service does not say what a dock does');
      return null;
    }
  }
}

const HELD_BY: Readonly<Record<'mission' | 'log_upload' | 'flight' | 'withdrawn', HoldReason>> = {
  mission: 'mission_due',
  log_upload: 'dock_taken',
  flight: 'dock_flying',
  withdrawn: 'mission_due',
};

/** The dock is not to be had: wait, or stop when its time is over. */
function heldWhile(
  upload: LockedUpload,
  held: { readonly because: HoldReason; readonly freeAtMs: number | null },
): (now: LockedUpload) => UploadEvent | null {
  return (now) => {
    if (now.attempt !== upload.attempt) return null;
    if (upload.state === 'listed') return now.state === 'listed' ? { type: 'dockHeld', ...held } : null;
    if (!now.dock_may_export) return null;
    // In time for the dock to have stopped when its reservation ends.
    return { type: 'dockNeeded', atMs: (now.dock_until ?? now.now).getTime() - STOP_LEAD_MS };
  };
}
