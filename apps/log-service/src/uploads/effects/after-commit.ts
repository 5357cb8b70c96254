import type { SendAnswer } from '@aerie/bus-contract';
import type { InstantWakes } from '@aerie/job-queue';
import { OrderPool } from '@aerie/kernel';
import type { UploadState } from '@aerie/log-core';
import type { Logger, Metrics } from '@aerie/observability';
import { type DatabaseOf, inTransaction } from '@aerie/persistence';
import { type Advanced, type Order, advance } from '../advance-upload.js';
import type { CheckObjects } from '../checking/check-objects.js';
import { type CommandEffect, commandFor } from '../dock/command-names.js';
import type { DockCommands, UploadKeys } from '../dock/dock-commands.js';
import { keepPrefix, lockUpload, recordOutcome } from '../store/upload-critical.js';
import { writeTimeline } from '../store/timeline.js';
import type { ReleaseDocks } from './release-docks.js';

export interface AfterCommitParts {
  readonly dataSource: DatabaseOf<'engine'>;
  readonly commands: DockCommands;
  readonly checkObjects: CheckObjects;
  readonly releaseDocks: ReleaseDocks;
  readonly wakes: InstantWakes;
  /** An upload of a campaign has ended: the next dock may begin. */
  readonly onCampaignDockEnded: (campaignId: string) => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Commands in work at once. Beyond it they wait in memory; a crash then loses nothing that a timer does not find. */
const COMMANDS = 32;
/** Looks into storages at once, beside the commands: one may read for minutes, and a stop must not wait behind it. */
const CHECKS = 8;
/** Orders that wait. What is dropped beyond it, a timer of its upload finds again. */
const MAX_WAITING = 5_000;

type Command = Order & { readonly effect: CommandEffect };

/**
 * What a committed decision asks for: send a command, look into the storage, give a dock back. Nothing here is a promise
 * that must survive a crash: the upload's `next_action_at` finds everything again, and no start is sent a second time.
 */
export class AfterCommit {
  private readonly commands: OrderPool<Command>;
  private readonly checks: OrderPool<Order>;
  private readonly sends;

  constructor(private readonly parts: AfterCommitParts) {
    const onError = (error: unknown, { upload, effect }: Order): void =>
      parts.logger.warn({ err: error, uploadId: upload.id, effect }, 'an order failed');
    const maxWaiting = MAX_WAITING;
    const carryOut = (command: Command): Promise<void> => this.send(command);
    this.commands = new OrderPool({ concurrency: COMMANDS, maxWaiting, carryOut, onError });
    this.checks = new OrderPool({ concurrency: CHECKS, maxWaiting, carryOut: (order) => this.check(order), onError });
    this.sends = parts.metrics.counter('log_commands_total', 'Commands by outcome.', ['method', 'outcome']);
  }

  /** Call it only after the commit is known to have succeeded. */
  run({ decision, upload, orders, releases }: Advanced): void {
    if (decision.kind === 'refused') return;
    const { wakes, releaseDocks, onCampaignDockEnded } = this.parts;
    if (upload.next_action_at !== null) wakes.after(upload.next_action_at.getTime() - upload.now.getTime());
    if (releases) releaseDocks.kick();
    if (upload.next_action_at === null && upload.campaign_id !== null) onCampaignDockEnded(upload.campaign_id);
    for (const order of orders) {
      const { effect } = order;
      if (effect === 'checkObjects') this.checks.add(order);
      else this.commands.add({ ...order, effect });
    }
  }

  /** A dock is to be given back, whatever became of the decision. */
  releaseSoon(): void {
    this.parts.releaseDocks.kick();
  }

  /** Commands that are on their way. A look into a storage is left: the next replica takes it up. */
  settle(): Promise<void> {
    return this.commands.settle();
  }

  private async check({ upload }: Order): Promise<void> {
    const advanced = await this.parts.checkObjects.check(upload);
    if (advanced !== null) this.run(advanced);
  }

  private async send(order: Command): Promise<void> {
    const { upload, tid, effect } = order;
    const { outcome, reason = null } = await this.outcomeOf(order);
    const method = commandFor(effect);
    this.sends.inc({ method, outcome });
    const detail = { tid, outcome, reason, attempt: upload.attempt };
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      // Upload before call, as everywhere: the reply to this very command may be handled at the same instant.
      const locked = await lockUpload(tx, upload.id);
      await recordOutcome(tx, tid, outcome, reason);
      await writeTimeline(tx, [{ uploadId: upload.id, kind: 'message_out', what: method, detail }]);
      if (outcome !== 'refused' || locked === undefined) return null;
      if (effect === 'sendStart')
        return advance(tx, locked, { type: 'sendRefused', attempt: upload.attempt }, { detail });
      // A stop is repeated by its timer.
      return effect === 'sendList' ? advance(tx, locked, { type: 'listUnsent' }, { detail }) : null;
    });
    if (advanced !== null) this.run(advanced);
  }

  private async outcomeOf(order: Command): Promise<SendAnswer> {
    const { upload, effect, notAfterMs } = order;
    let keys: UploadKeys | null = null;
    try {
      if (effect === 'sendStart') {
        keys = await this.parts.commands.issueKeys(upload);
        const { prefix, expiresAtMs } = keys;
        const isCurrent = await inTransaction(this.parts.dataSource, (tx) =>
          keepPrefix(tx, upload, prefix, expiresAtMs),
        );
        if (!isCurrent) return { outcome: 'refused', reason: 'the attempt is over' };
      } else if (!(await this.isStillWanted(order))) return { outcome: 'refused', reason: 'nobody waits for it' };
    } catch (error) {
      // Nothing was given to anybody yet.
      return { outcome: 'refused', reason: error instanceof Error ? error.message : 'it cannot be written' };
    }
    if (notAfterMs <= Date.now()) return { outcome: 'refused', reason: 'too late' };
    return this.parts.commands.send(order, keys);
  }

  /** A cancel that is late must not end the next attempt. */
  private async isStillWanted({ effect, upload }: Order): Promise<boolean> {
    const [now] = await this.parts.dataSource.query<{ state: UploadState; attempt: number }[]>(
      'SELECT state, attempt FROM log.upload WHERE id = $1',
      [upload.id],
    );
    if (now === undefined) return false;
    return effect === 'sendList' ? now.state === 'listing' : now.attempt === upload.attempt && now.state === 'stopping';
  }
}
