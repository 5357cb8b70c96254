import { type DockFlood, FLOOD_SUBJECTS, cutOffDockQuestion, dockFlood, endCutOffQuestion } from '@aerie/bus-contract';
import { type NatsConnection, ask } from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import { ConflictError } from '@aerie/kernel';
import type { BrokerUsers } from '../broker/broker-users.js';
import type { Topologies } from '../topologies.js';
import type { CutOffStore, LeasedCutOff } from './cut-off.store.js';

/** A flood that no ingress has spoken of for so long is over. It speaks of it each ten seconds. */
const OVER_AFTER_MS = 60_000;
/** What an ingress measured longer ago says nothing about now. */
const STALE_MS = 60_000;
/** mission-service has said no, or nothing: a flight takes minutes. */
const ASK_AGAIN_MS = 10_000;
/** The broker, or mission-service, was not to be reached. */
const RETRY_MS = 5_000;
/** Nobody waits longer for the answer of mission-service. */
const ANSWER_WITHIN_MS = 5_000;
/** Each time within a day it is four times as long, up to this: within a working day a person has seen the dock. */
const LONGER_EACH_TIME = 4;
export const LONGEST_MS = 6 * 3_600_000;

export interface CutOffDocksParts {
  readonly connection: NatsConnection;
  readonly store: CutOffStore;
  readonly brokerUsers: Pick<BrokerUsers, 'disable' | 'enable'>;
  readonly topologies: Topologies;
  /** How long a dock is cut off the first time. */
  readonly firstMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Cuts docks off at the broker that stay far over their budget, and lets them in again. Its table says how each is to be;
 * each replica looks for what is due, so a process that ends on the way is followed by another one.
 *
 * INVARIANTS: nothing is cut off before mission-service has said yes, and without an answer it has not. What was decided
 * otherwise while somebody acted is acted for once more, so that the last word reaches the broker last.
 */
export class CutOffDocks {
  private readonly acts;
  private running: Promise<void> | undefined;
  private again = false;

  constructor(private readonly parts: CutOffDocksParts) {
    this.acts = parts.metrics.counter(
      'fleet_cut_offs_total',
      'Docks that stay far over their budget. `cut_off` and `let_in`: done at the broker; `refused`: mission-service said no.',
      ['act'],
    );
  }

  /** Listens to the ingress, shared out among the replicas. Returns how to stop. */
  listen(): () => void {
    const { connection, logger } = this.parts;
    const subscription = connection.subscribe(FLOOD_SUBJECTS, {
      queue: 'fleet-service',
      callback: (error, message) => {
        if (error) return;
        const flood = dockFlood.safeParse(parsed(message.string()));
        if (!flood.success) return;
        this.report(flood.data).catch((failure: unknown) =>
          logger.warn(
            { err: failure, sn: flood.data.sn },
            'failed to note that a dock floods; the ingress says it again',
          ),
        );
      },
    });
    return () => subscription.unsubscribe();
  }

  async report(flood: DockFlood): Promise<void> {
    if (Date.now() - flood.atMs > STALE_MS) return;
    const dockSn = await this.parts.topologies.dockFor(flood.sn);
    if (dockSn === null) return;
    if (await this.parts.store.report(dockSn, reasonOf(flood), flood.sinceMs)) await this.run();
  }

  /** Does all that is due. What becomes due meanwhile is done before it ends. */
  async run(): Promise<void> {
    this.again = true;
    this.running ??= this.runAll().finally(() => (this.running = undefined));
    await this.running;
  }

  /** As `run`, for who does not wait. What fails is found by the next look. */
  runSoon(): void {
    this.run().catch((error: unknown) =>
      this.parts.logger.warn({ err: error }, 'failed to look for cut-offs that are due, looking again soon'),
    );
  }

  private async runAll(): Promise<void> {
    while (this.again) {
      this.again = false;
      const due = await this.parts.store.leaseDue();
      // Each acts for a dock of its own: one that waits keeps no other one waiting.
      await Promise.all(due.map((row) => this.act(row)));
    }
  }

  private async act(row: LeasedCutOff): Promise<void> {
    const { logger, store } = this.parts;
    try {
      if (row.ended_at !== null) await this.letIn(row);
      else if (row.since === null) await this.decide(row);
      else if (row.until !== null && row.until <= row.now) await this.decided(store.end(row, 'time'));
      else await this.cutOff(row);
    } catch (error) {
      logger.warn({ err: error, dockSn: row.dock_sn }, 'failed to act for a cut-off, trying again in 5 s');
      await store.retry(row, RETRY_MS).catch(() => undefined);
    }
  }

  private async decide(row: LeasedCutOff): Promise<void> {
    const { connection, store, logger, firstMs } = this.parts;
    if (row.reported_ago_ms > OVER_AFTER_MS) return this.decided(store.end(row, 'calm'));
    const nowMs = row.now.getTime();
    const until = new Date(nowMs + Math.min(firstMs * LONGER_EACH_TIME ** row.earlier, LONGEST_MS));
    if (!(await store.noteAsked(row, until))) return;
    const answer = await ask(connection, cutOffDockQuestion, {
      ...{ organisationId: row.organisation_id, dockSn: row.dock_sn, model: row.model },
      ...{ protocolGeneration: row.protocol_generation, cutOffId: Number(row.id) },
      ...{ untilMs: until.getTime(), notAfterMs: nowMs + ANSWER_WITHIN_MS },
    }).catch((error: unknown) => {
      logger.info({ err: error, dockSn: row.dock_sn }, 'mission-service does not say whether a dock has a flight');
      return null;
    });
    if (answer?.granted !== true) return this.refused(row, answer?.because);
    await this.decided(store.begin(row, until));
  }

  private async refused(row: LeasedCutOff, because: string | null | undefined): Promise<void> {
    const { store, logger } = this.parts;
    this.acts.inc({ act: 'refused' });
    logger.info({ dockSn: row.dock_sn, because }, 'a dock that floods is not cut off now, asking again in 10 s');
    await store.retry(row, ASK_AGAIN_MS);
  }

  private async cutOff(row: LeasedCutOff): Promise<void> {
    const { brokerUsers, store, logger, connection } = this.parts;
    // A person keeps the dock out: missions of it are held back for longer than was asked for. Before the cut, since a
    // flight may have begun if the time was over meanwhile.
    if (row.until === null) {
      const answer = await ask(connection, cutOffDockQuestion, {
        ...{ organisationId: row.organisation_id, dockSn: row.dock_sn, model: row.model },
        ...{ protocolGeneration: row.protocol_generation, cutOffId: Number(row.id) },
        ...{ untilMs: null, notAfterMs: row.now.getTime() + ANSWER_WITHIN_MS },
      });
      if (!answer.granted) return this.refused(row, answer.because);
    }
    await brokerUsers.disable(row.dock_sn);
    this.acts.inc({ act: 'cut_off' });
    logger.warn({ dockSn: row.dock_sn, until: row.until, reason: row.reason }, 'cut a dock off at the broker');
    await this.settled(row, store.settle(row));
  }

  private async letIn(row: LeasedCutOff): Promise<void> {
    const { brokerUsers, connection, store, logger } = this.parts;
    // Also where it was never begun: a command of an older decision may have been late.
    await brokerUsers.enable(row.dock_sn);
    if (row.since !== null) {
      this.acts.inc({ act: 'let_in' });
      logger.info({ dockSn: row.dock_sn }, 'let a dock in again that was cut off');
    }
    if (row.asked_at !== null) {
      await ask(connection, endCutOffQuestion, { dockSn: row.dock_sn, cutOffId: Number(row.id) });
    }
    await this.settled(row, store.close(row));
  }

  /** What was decided is to be done at once. */
  private async decided(write: Promise<boolean>): Promise<void> {
    await write;
    this.again = true;
  }

  /** Decided otherwise while this was done: the newer decision is done once more, after it. */
  private async settled(row: LeasedCutOff, write: Promise<boolean>): Promise<void> {
    if (await write) return;
    await this.parts.store.actAgain(row);
    this.again = true;
  }
}

const reasonOf = ({ messagesPerSecond, bytesPerSecond }: DockFlood): string =>
  `sends ${Math.round(messagesPerSecond)} messages and ${Math.round(bytesPerSecond / 1_024)} KiB a second`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const notCutOff = (sn: string): ConflictError =>
  new ConflictError('not_cut_off', `${sn} is not cut off`, {
    fields: [{ field: 'sn', message: `${sn} is not cut off; GET /api/v1/docks/${sn} shows cutOff where it is` }],
  });
