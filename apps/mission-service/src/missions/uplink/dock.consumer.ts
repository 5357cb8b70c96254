import { type DockFact, MISSION_EVENTS_CONSUMER, MISSION_REPLIES_CONSUMER } from '@aerie/bus-contract';
import {
  ACK,
  Consumers,
  type DeadLetters,
  type NatsConnection,
  type NoteDocks,
  Speakers,
  type Verdict,
  answerDock,
  readDockFact,
  traceOfMessage,
} from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import { type DatabaseOf, inTransaction, isDataError, isOutage } from '@aerie/persistence';
import type { AutoResume } from '../breakpoints/auto-resume.js';
import { noFileAnswer } from '../dji/dock-answers.js';
import type { DockCommands } from '../downlink/dock-commands.js';
import type { AfterCommit } from '../downlink/after-commit.js';
import type { SaidBy } from '../downlink/decision-traces.js';
import type { StartsFirst } from '../downlink/starts-first.js';
import { type ForeignFlight, noteForeignFlights } from '../store/dock-notes.js';
import type { TransactionKind, TransactionShares } from '../store/transaction-shares.js';
import { answerProgressGet } from './answer-progress-get.js';
import { type Applied, applyUplinks } from './apply-uplinks.js';
import { type Reading, isPlainReport, readUplink } from './read-uplink.js';
import type { Uplink } from './uplink.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly dataSource: DatabaseOf<'engine'>;
  readonly shares: TransactionShares;
  readonly autoResume: AutoResume;
  readonly afterCommit: AfterCommit;
  readonly startsFirst: StartsFirst;
  readonly commands: DockCommands;
  readonly deadLetters: DeadLetters;
  readonly notes: NoteDocks;
  /** How long a plain report waits for others, milliseconds; 1,500 unless a test says otherwise. */
  readonly reportWaitMs?: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A batch of this size costs each message about a twentieth of what it costs alone, and ends in some 50 ms. */
const MAX_BATCH = 200;
/** Two transactions at once: while one waits for the disk the other decides. */
const LANES = 2;

/**
 * A report that a flight goes on moves nothing, and a dock sends one each two seconds: those of many docks share a
 * transaction. Screens see it a second and a half later; whatever else a dock says takes those before it along at once.
 */
const REPORT_WAIT_MS = 1_500;

const saidBy = (uplink: Uplink | undefined): SaidBy | undefined =>
  uplink && { trace: traceOfMessage(uplink.fact), tid: uplink.kind === 'reply' ? uplink.tid : undefined };

type Verdicts = Promise<Verdict>[];

/** One message of a batch, with all that it leads to. */
interface Handling {
  readonly fact: DockFact;
  readonly reading: Reading;
  /** In the order of `reading.uplinks`. */
  readonly applied: readonly Applied[];
}

/**
 * What docks say about missions. All that one fetch brought is one transaction: inbox rows, locks, decisions and their
 * effects; the answers to docks go out after the commit, and the messages are acknowledged last. Replies and requests
 * have a lane of their own and never wait behind progress.
 */
export class DockConsumer {
  private readonly consumers: Consumers<DockFact>;
  private readonly speakers: Speakers;
  private lastBatchMs = 0;
  private readonly received;
  private readonly orphans;

  constructor(private readonly parts: DockConsumerParts) {
    const { metrics, connection, deadLetters, logger } = parts;
    this.consumers = new Consumers({
      ...{ connection, deadLetters, logger, read: readDockFact, isHopeless: isDataError, isOutage },
    });
    this.speakers = new Speakers(connection);
    this.received = metrics.counter('mission_uplinks_total', 'Messages of docks handled.', ['method', 'repeat']);
    this.orphans = metrics.counter('mission_orphans_total', 'Messages that belong to no mission of their dock.', [
      'method',
    ]);
  }

  start(): void {
    const { reportWaitMs = REPORT_WAIT_MS } = this.parts;
    const batches = {
      ...{ maxBatch: MAX_BATCH, lanes: LANES },
      mayWaitMs: (fact: DockFact) => (isPlainReport(fact) ? reportWaitMs : 0),
    };
    this.consumers.startBatches(MISSION_REPLIES_CONSUMER, {
      ...batches,
      handleBatch: (facts) => this.handle(facts, 'replies'),
    });
    this.consumers.startBatches(MISSION_EVENTS_CONSUMER, {
      ...batches,
      handleBatch: (facts) => this.handleEvents(facts),
    });
  }

  stop(): Promise<void> {
    return this.consumers.stop();
  }

  private async handleEvents(facts: readonly DockFact[]): Promise<Verdicts> {
    await this.parts.startsFirst.makeWay(this.lastBatchMs);
    const startedMs = performance.now();
    const verdicts = await this.handle(facts, 'events');
    this.lastBatchMs = performance.now() - startedMs;
    return verdicts;
  }

  private async handle(facts: readonly DockFact[], kind: TransactionKind): Promise<Verdicts> {
    const readings = await Promise.all(facts.map(async (fact) => readUplink(fact, await this.speakers.of(fact.sn))));
    const uplinks = readings.flatMap((reading) => reading.uplinks);
    const applied = await this.apply(uplinks, kind);
    let next = 0;
    const handlings = facts.map((fact, index): Handling => {
      const reading = readings[index] ?? NOTHING;
      const first = next;
      next += reading.uplinks.length;
      return { fact, reading, applied: applied.slice(first, next) };
    });
    await this.noteForeignFlights(handlings);
    return handlings.map((handling) => this.finish(handling));
  }

  private async apply(uplinks: readonly Uplink[], kind: TransactionKind): Promise<readonly Applied[]> {
    if (uplinks.length === 0) return [];
    const { dataSource, shares, autoResume, afterCommit } = this.parts;
    const applied = await shares.run(kind, () =>
      inTransaction(dataSource, (tx) => applyUplinks(tx, uplinks, autoResume)),
    );
    // The commit is known to have succeeded: only now may anything leave.
    for (const [index, one] of applied.entries()) {
      if (one.kind === 'advanced') afterCommit.run(one.advanced, saidBy(uplinks[index]));
    }
    return applied;
  }

  /** A flight that is none of ours: whoever started it, the dock is busy with it. */
  private async noteForeignFlights(handlings: readonly Handling[]): Promise<void> {
    const flights = handlings.flatMap(({ fact, reading, applied }): ForeignFlight[] => {
      const { receivedAtMs } = fact;
      const unknown = reading.uplinks.flatMap((uplink, index): ForeignFlight[] => {
        if (uplink.kind !== 'flight' || uplink.goesOn === null || applied[index]?.kind !== 'orphan') return [];
        return [{ dockSn: uplink.dockSn, id: uplink.missionId, goesOn: uplink.goesOn, receivedAtMs }];
      });
      return reading.foreignFlight === null ? unknown : [...unknown, { ...reading.foreignFlight, receivedAtMs }];
    });
    if (flights.length > 0) await inTransaction(this.parts.dataSource, (tx) => noteForeignFlights(tx, flights));
  }

  /** What follows the commit of one message: metrics, what belongs to nobody, and the answer to the dock. */
  private async finish(handling: Handling): Promise<Verdict> {
    const { fact, reading } = handling;
    await this.keepOrphans(handling);
    const answer = await this.answerOf(handling);
    if (answer !== null) await answerDock(this.parts.connection, this.parts.logger, fact, answer);
    const isRepeat = reading.uplinks.length > 0 && handling.applied.every(({ kind }) => kind === 'repeat');
    this.received.inc({ method: reading.method, repeat: String(isRepeat) });
    return ACK;
  }

  /** Progress of a flight of others comes each two seconds: it is counted and noted on the dock, and kept once. */
  private async keepOrphans({ fact, reading, applied }: Handling): Promise<void> {
    const { deadLetters, logger, notes } = this.parts;
    const { method, sn } = { method: reading.method, sn: fact.sn };
    if (reading.foreignFlight?.goesOn === true) this.noteForeign(fact, reading.foreignFlight.id);
    if (reading.orphanReason !== null) {
      this.orphans.inc({ method });
      await deadLetters.keepFirst(fact, reading.foreignFlight?.id ?? reading.orphanReason, reading.orphanReason);
    }
    for (const [index, uplink] of reading.uplinks.entries()) {
      if (uplink.kind !== 'flight') continue;
      if (applied[index]?.kind !== 'orphan') {
        const status = uplink.event === null ? uplink.evidence.progress?.status : undefined;
        if (status !== undefined) notes.note(sn, 'unknown_flight_status', fact.receivedAtMs, status);
        continue;
      }
      this.orphans.inc({ method });
      if (uplink.goesOn === true) this.noteForeign(fact, uplink.missionId);
      // An aircraft may have changed its dock a moment ago.
      this.speakers.forget(sn);
      const reason = `mission ${uplink.missionId} is none of dock ${uplink.dockSn}`;
      if (!(await deadLetters.keepFirst(fact, uplink.missionId, reason))) continue;
      logger.warn({ sn, missionId: uplink.missionId, method }, 'a dock spoke of a mission that is not its own');
    }
  }

  private noteForeign({ sn, receivedAtMs }: DockFact, flightId: string): void {
    this.parts.notes.note(sn, 'foreign_flight', receivedAtMs, flightId);
  }

  /** The data of the answer; null where none is asked for. */
  private async answerOf({ fact, reading, applied }: Handling): Promise<unknown> {
    switch (reading.answer) {
      case 'file':
        return this.fileAnswer(applied[0]);
      case 'progress':
        return answerProgressGet(this.parts.dataSource, fact, reading.dockSn);
      case 'received':
        return { result: 0 };
      case 'none':
        return null;
    }
  }

  /** The dock wants the file of a flight that it was given. [Cloud API, flighttask_resource_get] */
  private async fileAnswer(applied: Applied | undefined): Promise<unknown> {
    if (applied?.kind !== 'file') return noFileAnswer('unknown_mission');
    return this.parts.commands.resource(applied.mission).catch((error: unknown) => {
      this.parts.logger.warn({ err: error, missionId: applied.mission.id }, 'failed to hand out the file of a mission');
      return noFileAnswer('cannot_be_read');
    });
  }
}

const NOTHING: Reading = {
  method: '',
  dockSn: null,
  uplinks: [],
  foreignFlight: null,
  orphanReason: null,
  answer: 'none',
};
