import { randomUUID } from 'node:crypto';
import { type DockRecord, type Principal, callerName } from '@aerie/bus-contract';
import { TimeoutError, UnavailableError } from '@aerie/kernel';
import type { ListedModule, LogModule } from '@aerie/log-core';
import { type ApiDatabase, type OrganisationRows, inTransaction } from '@aerie/persistence';
import type { DockCommands } from '../uploads/dock/dock-commands.js';
import { dockErrorOf } from '../uploads/dock/dock-errors.js';
import { recordCall, recordOutcome } from '../uploads/store/upload-critical.js';
import { causeView } from '../uploads/store/upload.view.js';

/** Callers that wait for a dock at once in this process: each looks into the database four times a second. */
const MAX_WAITING = 100;
const LOOK_EVERY_MS = 250;
/** The command is for somebody who waits now. */
const SEND_WITHIN_MS = 10_000;

export interface AskForListParts {
  readonly database: ApiDatabase;
  readonly commands: DockCommands;
  readonly replyMs: number;
}

/** Asks a dock which logs it has, and waits for its answer, whichever replica gets it. */
export class AskForList {
  private waiting = 0;

  constructor(private readonly parts: AskForListParts) {}

  async execute(caller: Principal, dock: DockRecord, modules: readonly LogModule[]) {
    if (this.waiting >= MAX_WAITING) {
      throw new UnavailableError('too_many_wait', 'too many callers wait for lists of docks; try again in a minute');
    }
    this.waiting++;
    try {
      const rows = this.parts.database.of(caller);
      const tid = await this.send(rows, caller, dock, modules);
      const { result, listed } = await this.answerTo(rows, tid);
      if (result !== 0)
        throw silent(`the dock refused to list its logs: ${result} ${dockErrorOf(result)?.en ?? ''}`.trim(), result);
      return {
        dockSn: dock.sn,
        listedAt: new Date().toISOString(),
        modules: modules.map((module) =>
          moduleView(
            module,
            listed.find((entry) => entry.module === module),
          ),
        ),
      };
    } finally {
      this.waiting--;
    }
  }

  private async send(
    rows: OrganisationRows,
    caller: Principal,
    dock: DockRecord,
    modules: readonly LogModule[],
  ): Promise<string> {
    const { commands } = this.parts;
    const tid = randomUUID();
    const nowMs = await inTransaction(rows, async (tx) => {
      const [clock] = await tx.query<{ now: Date }>('SELECT clock_timestamp() AS now');
      const now = clock?.now.getTime() ?? Date.now();
      await recordCall(tx, {
        ...{ tid, organisationId: caller.organisationId, uploadId: null, dockSn: dock.sn, method: 'fileupload_list' },
        ...{ attempt: 0, notAfterMs: now + SEND_WITHIN_MS, requestedBy: callerName(caller) },
      });
      return now;
    });
    const target = { dock_sn: dock.sn, model: dock.model, protocol_generation: dock.protocolGeneration };
    const envelope = { tid, bid: tid, sentAtMs: nowMs, notAfterMs: nowMs + SEND_WITHIN_MS };
    const { outcome, reason = null } = await commands.list({ dock: target, modules }, envelope);
    await inTransaction(rows, (tx) => recordOutcome(tx, tid, outcome, reason));
    if (outcome === 'refused') throw silent(`the dock could not be asked: ${reason ?? 'it is away'}`, null);
    return tid;
  }

  private async answerTo(
    rows: OrganisationRows,
    tid: string,
  ): Promise<{ readonly result: number; readonly listed: readonly ListedModule[] }> {
    const startedMs = Date.now();
    while (Date.now() - startedMs < this.parts.replyMs) {
      const [call] = await rows.query<{ reply_result: number | null; reply: { modules: ListedModule[] } | null }>(
        'SELECT reply_result, reply FROM log.dock_call WHERE tid = $1',
        [tid],
      );
      if (call?.reply_result != null) return { result: call.reply_result, listed: call.reply?.modules ?? [] };
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw silent(`the dock did not answer within ${Math.round(this.parts.replyMs / 1_000)} s`, null);
  }
}

/** The dock did not answer, or said no: a fault behind this door, with the reason. */
const silent = (message: string, dockResult: number | null): TimeoutError =>
  new TimeoutError('dock_silent', message, { fields: [{ field: 'sn', message }], details: { dockResult } });

function moduleView(module: LogModule, listed: ListedModule | undefined) {
  return {
    module,
    problem: causeView(listed?.problem ?? (listed === undefined ? { code: 'nothing_found' } : null)),
    files: (listed?.boots ?? []).map(({ bootIndex, startMs, endMs, sizeBytes }) => ({
      bootIndex,
      startAt: startMs === null ? null : new Date(startMs).toISOString(),
      endAt: endMs === null ? null : new Date(endMs).toISOString(),
      sizeBytes,
    })),
  };
}
