import { type DockRecord, type LogCampaignStateChanged, docksQuestion, factSubject } from '@aerie/bus-contract';
import type { InstantWakes } from '@aerie/job-queue';
import { type CampaignState, type Timing, nextStep } from '@aerie/log-core';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, type Tx, inTransaction, writeOutbox, wholeOf } from '@aerie/persistence';
import { SCHEMA } from '../database.js';
import type { PolicyStore } from '../policy/policy.store.js';
import type { CancelUpload } from '../uploads/cancel-upload.js';
import type { LookAtDocks } from '../uploads/dock/look-at-docks.js';
import { insertUpload } from '../uploads/request-upload.js';
import {
  type DueCampaign,
  type LockedCampaign,
  beginDock,
  campaignOf,
  findDueCampaigns,
  isAnyRunning,
  lockDueCampaign,
  nextTurns,
  putOff,
  putOffCampaign,
  saveCampaign,
  skipDocks,
  stillWaiting,
  tallyOf,
  uploadsToCallOff,
  wakeCampaign,
} from './campaign.store.js';

export interface RunCampaignsParts {
  readonly dataSource: DatabaseOf<'engine'>;
  readonly connection: NatsConnection;
  readonly policies: PolicyStore;
  readonly lookAtDocks: LookAtDocks;
  readonly cancelUpload: CancelUpload;
  readonly wakes: InstantWakes;
  readonly timing: Timing;
  /** Uploads were begun. */
  readonly wakeUploads: () => void;
  readonly logger: Logger;
}

/** Campaigns looked at in a row; the next sweep goes on. */
const MAX_AT_ONCE = 50;
const AGAIN_MS = 5_000;
/** One that is paused: whoever resumes it wakes it, so that hundreds of them keep no other waiting. */
const PAUSED_AGAIN_MS = 60 * 60_000;
/** Before a dock that was away gets its turn again. */
const AWAY_AGAIN_MS = 60_000;
/** A dock that goes away in the middle keeps a place of the campaign no longer than this. */
const UPLOAD_LIFETIME_MS = 2 * 60 * 60_000;
/** Docks of one step: their uploads are inserted in one transaction. */
const STEP_LIMIT = 100;

/** `unknown`: there is no such dock any more. `away`: it is not to be reached now. */
type Turn = DockRecord | 'unknown' | 'away';
type Turns = ReadonlyMap<string, Turn>;
const NOBODY: Turns = new Map();

type Step =
  | { readonly kind: 'done'; readonly began: number; readonly inMs: number | null }
  | { readonly kind: 'cancel'; readonly campaign: LockedCampaign; readonly uploadIds: readonly string[] };

/** Gives each dock of each campaign its turn, as fast as the campaign may go. Run by every replica, any number of times. */
export class RunCampaigns {
  private running: Promise<void> | undefined;
  private again = false;

  constructor(private readonly parts: RunCampaignsParts) {}

  /** Something is due, or a dock of a campaign has ended. Never waits, never fails. */
  wake(): void {
    this.again = true;
    this.running ??= this.runAgain().finally(() => (this.running = undefined));
  }

  /** An upload of this campaign has ended: the next dock may begin. */
  wakeOne(id: string): void {
    inTransaction(this.parts.dataSource, (tx) => wakeCampaign(tx, id))
      .then(() => this.wake())
      .catch((error: unknown) =>
        this.parts.logger.info({ err: error, campaignId: id }, 'a campaign is looked at later'),
      );
  }

  private async runAgain(): Promise<void> {
    while (this.again) {
      this.again = false;
      await this.run().catch((error: unknown) =>
        this.parts.logger.warn({ err: error }, 'a campaign failed, trying again'),
      );
    }
  }

  /** Each that is due, once. */
  async run(): Promise<void> {
    const { dataSource } = this.parts;
    const query: Tx['query'] = (sql, parameters = []) => dataSource.query(sql, [...parameters]);
    for (const due of await findDueCampaigns({ query }, MAX_AT_ONCE)) {
      await this.runOne(due, { query }).catch(async (error: unknown) => {
        // Out of the way of the others, which would wait behind it for ever.
        this.parts.logger.warn({ err: error, campaignId: due.id }, 'a campaign failed, trying again');
        await inTransaction(dataSource, (tx) => putOffCampaign(tx, due.id, AGAIN_MS)).catch(() => undefined);
      });
    }
  }

  private async runOne({ id, state }: DueCampaign, through: { query: Tx['query'] }): Promise<void> {
    const turns = state === 'running' ? await this.turnsOf(await nextTurns(through, id, STEP_LIMIT)) : NOBODY;
    const step = await inTransaction(this.parts.dataSource, (tx) => this.step(tx, id, turns));
    if (step === null) return;
    if (step.kind === 'cancel') return this.cancel(step.campaign, step.uploadIds);
    if (step.began > 0) this.parts.wakeUploads();
    if (step.inMs !== null) this.parts.wakes.after(step.inMs);
  }

  /** What fleet-service knows of docks. Asked before any row is locked. */
  private async turnsOf(sns: string[]): Promise<Turns> {
    if (sns.length === 0) return NOBODY;
    try {
      return await this.lookUp(sns);
    } catch (error) {
      this.parts.logger.info({ err: error }, 'fleet-service does not say which docks are there');
      return NOBODY;
    }
  }

  private async lookUp(sns: string[]): Promise<Turns> {
    const { connection, lookAtDocks } = this.parts;
    const [{ docks }, obstacles] = await Promise.all([
      ask(connection, docksQuestion, { sns }),
      lookAtDocks.obstacles(sns),
    ]);
    const known = new Map(docks.map((dock) => [dock.sn, dock]));
    const entryOf = (sn: string): Turn => {
      const dock = known.get(sn);
      if (dock === undefined) return 'unknown';
      return obstacles.get(sn) === 'dock_offline' ? 'away' : dock;
    };
    return new Map(sns.map((sn) => [sn, entryOf(sn)]));
  }

  private async step(tx: Tx, id: string, turns: Turns): Promise<Step | null> {
    const campaign = await lockDueCampaign(tx, id);
    if (campaign === undefined) return null;
    const nowMs = campaign.now.getTime();
    const nextStartMs = campaign.next_start_at.getTime();
    const save = (state: CampaignState, cause: string | null, nextActionAtMs: number | null, startMs = nextStartMs) =>
      saveCampaign(tx, campaign, { state, cause, nextActionAtMs, nextStartMs: startMs });
    if (campaign.state !== 'running') return this.attend(tx, campaign, save);

    const tally = await tallyOf(tx, campaign.id);
    const step = nextStep(campaignOf(campaign), tally, nowMs);
    switch (step.kind) {
      case 'wait':
        await save('running', null, step.nextActionAtMs);
        return { kind: 'done', began: 0, inMs: step.nextActionAtMs - nowMs };
      case 'end':
        if (step.cause === 'time_over') await skipDocks(tx, campaign.id, 'time_over');
        // Those that run are let end; they still count.
        await save(step.state, step.cause, tally.running > 0 ? nowMs + AGAIN_MS : null);
        await tellChange(tx, campaign, step.state, step.cause);
        return { kind: 'done', began: 0, inMs: null };
      case 'start': {
        const began = await this.begin(tx, campaign, step.docks, turns);
        // Whoever was away takes nobody's turn.
        const nextStartMs = began > 0 ? step.nextStartMs : campaign.next_start_at.getTime();
        const nextActionAtMs = began > 0 ? step.nextActionAtMs : nowMs + AGAIN_MS;
        await save('running', null, nextActionAtMs, nextStartMs);
        return { kind: 'done', began, inMs: nextActionAtMs - nowMs };
      }
    }
  }

  /** One that is paused waits; of one that is over the last uploads are waited for, or called off. */
  private async attend(
    tx: Tx,
    campaign: LockedCampaign,
    save: (state: CampaignState, cause: string | null, nextActionAtMs: number | null) => Promise<void>,
  ): Promise<Step> {
    const isQuiet = campaign.state !== 'paused' && !(await isAnyRunning(tx, campaign.id));
    const uploadIds = campaign.state === 'canceled' ? await uploadsToCallOff(tx, campaign.id, STEP_LIMIT) : [];
    // Where there are more than are called off now, the others are next.
    const soonMs = uploadIds.length < STEP_LIMIT ? AGAIN_MS : 0;
    const againMs = campaign.state === 'paused' ? PAUSED_AGAIN_MS : soonMs;
    await save(campaign.state, campaign.cause, isQuiet ? null : campaign.now.getTime() + againMs);
    if (uploadIds.length > 0) return { kind: 'cancel', campaign, uploadIds };
    return { kind: 'done', began: 0, inMs: null };
  }

  /** Begins with up to so many docks. One that is away would keep others waiting: its turn comes again. */
  private async begin(tx: Tx, campaign: LockedCampaign, limit: number, turns: Turns): Promise<number> {
    const { policies, timing } = this.parts;
    const { organisation_id: organisationId, id: campaignId, selection } = campaign;
    const { missionsFirst: yields } = await policies.within(tx, organisationId);
    const lifetimeMs = Math.min(timing.lifetimeMs, UPLOAD_LIFETIME_MS);
    const away: string[] = [];
    let began = 0;
    for (const sn of await stillWaiting(tx, campaignId, [...turns.keys()])) {
      const dock = turns.get(sn);
      if (began >= limit) break;
      if (dock === 'away') away.push(sn);
      else if (dock === undefined || dock === 'unknown' || dock.organisationId !== organisationId) {
        await skipDocks(tx, campaignId, 'unknown_dock', [sn]);
      } else {
        const row = await insertUpload(tx, {
          ...{ dock, selection, missionId: null, campaignId, origin: 'campaign', by: `campaign:${campaignId}` },
          ...{ yields, timing: { ...timing, lifetimeMs } },
        });
        await beginDock(tx, campaignId, sn, row.id);
        began++;
      }
    }
    await putOff(tx, campaignId, away, AWAY_AGAIN_MS);
    return began;
  }

  private async cancel({ id, organisation_id }: LockedCampaign, uploadIds: readonly string[]): Promise<void> {
    for (const uploadId of uploadIds) {
      await this.parts.cancelUpload
        .execute(wholeOf(organisation_id), uploadId, `campaign:${id}`)
        .catch((error: unknown) =>
          // It has ended meanwhile, or the next look tries again.
          this.parts.logger.info({ err: error, campaignId: id, uploadId }, 'an upload was not called off'),
        );
    }
  }
}

export async function tellChange(
  tx: Tx,
  campaign: LockedCampaign,
  to: CampaignState,
  cause: string | null,
): Promise<void> {
  const payload: LogCampaignStateChanged = {
    ...{ campaignId: campaign.id, from: campaign.state, to, cause, at: campaign.now.toISOString() },
  };
  const subject = factSubject('log', campaign.organisation_id, 'campaignStateChanged');
  await writeOutbox(tx, SCHEMA, [{ subject, payload }]);
}
