import { type DockFact, MISSION_DOCK_CONSUMER } from '@aerie/bus-contract';
import { encodeReply } from '@aerie/dji-protocol';
import { isUuid } from '@aerie/kernel';
import {
  ACK,
  type ConsumerHandle,
  type DeadLetters,
  type Delivery,
  type NatsConnection,
  Speakers,
  type Verdict,
  answerDock,
  consume,
  messageIdOf,
} from '@aerie/messaging';
import type { MissionEvent } from '@aerie/mission-core';
import type { Logger, Metrics } from '@aerie/observability';
import { enterInbox, inTransaction, isDataError } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { SCHEMA } from '../../database.js';
import { type Advanced, type Evidence, advance } from '../advance-mission.js';
import type { AutoResume } from '../breakpoints/auto-resume.js';
import type { AfterCommit } from '../effects/after-commit.js';
import { findCall, lockMission, recordReply } from '../store/flight-critical.js';
import { noteDock, noteForeignFlight } from '../store/dock-notes.js';
import { writeTimeline } from '../store/timeline.js';
import { UNKNOWN_MISSION, answerProgressGet } from './answer-progress-get.js';
import type { DockCommands } from './dock-commands.js';
import { NOTICES, keepNotice } from './keep-notice.js';
import { namesOther } from './named-flight.js';
import {
  eventOfReply,
  foreignFlightOf,
  readProgress,
  readReady,
  readResourceGet,
  resultOf,
} from './translate-uplink.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly dataSource: DataSource;
  readonly autoResume: AutoResume;
  readonly afterCommit: AfterCommit;
  readonly commands: DockCommands;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The file cannot be handed out now. [Cloud API, result codes: 314013] */
const NO_FILE = 314_013;
/** As many as the pool has connections: more would only wait for one. */
const CONCURRENCY = 12;

/**
 * What docks say about missions. One transaction holds the inbox row, the lock, the decision and its effects; the
 * answer to the dock goes out after the commit, and the message is acknowledged last.
 */
export class DockConsumer {
  private handle: ConsumerHandle | undefined;
  private readonly speakers: Speakers;
  private readonly received;
  private readonly orphans;

  constructor(private readonly parts: DockConsumerParts) {
    const { metrics, connection } = parts;
    this.speakers = new Speakers(connection);
    this.received = metrics.counter('mission_uplinks_total', 'Messages of docks handled.', ['method', 'repeat']);
    this.orphans = metrics.counter('mission_orphans_total', 'Messages that belong to no mission of their dock.', [
      'method',
    ]);
  }

  start(): void {
    this.handle = consume({
      connection: this.parts.connection,
      spec: MISSION_DOCK_CONSUMER,
      concurrency: CONCURRENCY,
      logger: this.parts.logger,
      handle: (delivery) => this.receive(delivery),
      isHopeless: isDataError,
      keepRejected: (delivery, reason) => this.parts.deadLetters.keepDelivery(delivery, reason),
    });
  }

  async stop(): Promise<void> {
    await this.handle?.stop(10_000);
  }

  private async receive(delivery: Delivery): Promise<Verdict> {
    // Our own ingress wrote it; that it is a fact was checked there, once.
    const fact = JSON.parse(Buffer.from(delivery.body).toString('utf8')) as DockFact;
    const answer = await this.effectOf(fact, await this.speakers.of(fact.sn));
    if (answer !== null) {
      await answerDock(this.parts.connection, fact, answer).catch((error: unknown) =>
        this.parts.logger.info({ err: error, sn: fact.sn, method: fact.method }, 'an answer did not leave'),
      );
    }
    return ACK;
  }

  /** Applies the message and returns the data of its answer; null where none is asked for. */
  private async effectOf(fact: DockFact, dockSn: string | null): Promise<unknown> {
    const received = fact.needReply ? { result: 0 } : null;
    if (fact.channel.endsWith('_reply')) {
      if (dockSn !== null) await this.reply(fact, dockSn);
      return null;
    }
    switch (fact.method) {
      case 'flighttask_progress': {
        const told = readProgress(fact);
        // Until the topology is known nobody speaks for this aircraft: answered, without any effect.
        if (told === null || dockSn === null) {
          this.orphans.inc({ method: fact.method });
          const reason = dockSn === null ? 'no dock speaks for this serial number' : 'it names no mission';
          await this.parts.deadLetters.keepFact(fact, reason);
          const foreign = dockSn === null ? null : foreignFlightOf(fact);
          if (dockSn !== null && foreign !== null) await this.noteForeignFlight(dockSn, foreign, fact);
        } else {
          const { progress, breakPoint } = told;
          const evidence = { progress, ...(breakPoint === null ? {} : { breakPoint }) };
          await this.applyOnce(fact, dockSn, told.missionId, told.event, evidence, told.goesOn);
        }
        return received;
      }
      case 'flighttask_ready':
        for (const missionId of dockSn === null ? [] : readReady(fact)) {
          await this.applyOnce(fact, dockSn, missionId, { type: 'flightReady' }, {}, null);
        }
        return received;
      case 'flighttask_resource_get':
        return this.resource(fact, dockSn);
      case 'flighttask_progress_get':
        return answerProgressGet(this.parts.dataSource, fact, dockSn);
      default:
        if (dockSn !== null && NOTICES.has(fact.method ?? '')) await keepNotice(this.parts.dataSource, fact, dockSn);
        return received;
    }
  }

  /** The effect of an event, once however often it comes. */
  private async applyOnce(
    fact: DockFact,
    dockSn: string | null,
    missionId: string,
    event: MissionEvent | null,
    evidence: Evidence,
    goesOn: boolean | null,
  ): Promise<void> {
    const method = fact.method ?? '';
    const advanced = await inTransaction(this.parts.dataSource, async (tx): Promise<Advanced | 'repeat' | 'orphan'> => {
      // The mission first: what belongs to nobody leaves no inbox row, so that its repeat is looked at anew.
      const locked = await lockMission(tx, missionId, dockSn);
      if (locked === undefined) return 'orphan';
      // A ready event may name several missions: each is a message of its own to the inbox.
      const key = { sn: fact.sn, method: `${method}:${missionId}`, messageId: messageIdOf(fact) };
      if (!(await enterInbox(tx, SCHEMA, key))) return 'repeat';
      await noteDock(tx, locked, fact.receivedAtMs, goesOn);
      const received = {
        missionId,
        kind: 'message_in',
        what: method,
        detail: { tid: fact.tid, data: fact.data },
      } as const;
      if (event === null) {
        // A status word that nobody documents is kept and moves nothing.
        await writeTimeline(tx, [received]);
        return 'repeat';
      }
      const advanced = await advance(tx, locked, event, { ...evidence, received, detail: { tid: fact.tid } });
      await this.parts.autoResume.after(tx, locked, advanced);
      return advanced;
    });
    this.received.inc({ method, repeat: String(advanced === 'repeat') });
    if (advanced === 'orphan') {
      this.orphans.inc({ method });
      // An aircraft may have changed its dock a moment ago.
      this.speakers.forget(fact.sn);
      if (dockSn !== null && goesOn !== null) await this.noteForeignFlight(dockSn, { id: missionId, goesOn }, fact);
      await this.parts.deadLetters.keepFact(fact, `mission ${missionId} is none of dock ${dockSn}`);
      this.parts.logger.warn({ sn: fact.sn, missionId, method }, 'a dock spoke of a mission that is not its own');
    } else if (advanced !== 'repeat') this.parts.afterCommit.run(advanced);
  }

  /** A flight that is none of ours: whoever started it, the dock is busy with it. */
  private noteForeignFlight(
    dockSn: string,
    { id, goesOn }: { readonly id: string; readonly goesOn: boolean },
    fact: DockFact,
  ): Promise<void> {
    return inTransaction(this.parts.dataSource, (tx) =>
      noteForeignFlight(tx, dockSn, { id, goesOn }, fact.receivedAtMs),
    );
  }

  /** A reply is matched by its tid to the command, and with it to the mission. */
  private async reply(fact: DockFact, dockSn: string): Promise<void> {
    const { tid } = fact;
    if (tid === null || !isUuid(tid)) return;
    const advanced = await inTransaction(this.parts.dataSource, async (tx): Promise<Advanced | null> => {
      const call = await findCall(tx, tid, dockSn);
      if (call === undefined) return null;
      const locked = await lockMission(tx, call.mission_id, dockSn);
      if (locked === undefined) return null;
      const result = resultOf(fact);
      await noteDock(tx, locked, fact.receivedAtMs, null);
      const what = `${call.method} reply`;
      const received = { missionId: locked.id, kind: 'message_in', what, detail: { tid, result } } as const;
      // The first reply counts. Another one, also a different one, is evidence.
      const counts = await recordReply(tx, tid, result);
      const event = counts
        ? eventOfReply(call, result, namesOther(locked, locked.started_at?.getTime() ?? null))
        : null;
      if (event !== null) return advance(tx, locked, event, { received, detail: { tid } });
      await writeTimeline(tx, [received]);
      return null;
    });
    this.received.inc({ method: 'reply', repeat: String(advanced === null) });
    if (advanced !== null) this.parts.afterCommit.run(advanced);
  }

  /** The dock wants the file of a flight that it was given. [Cloud API, flighttask_resource_get] */
  private async resource(fact: DockFact, dockSn: string | null): Promise<unknown> {
    const missionId = readResourceGet(fact);
    const refuse = (result: number): unknown => encodeReply('requests_reply', 'flighttask_resource_get', { result });
    if (missionId === null || dockSn === null) return refuse(UNKNOWN_MISSION);
    const mission = await inTransaction(this.parts.dataSource, async (tx) => {
      const locked = await lockMission(tx, missionId, dockSn);
      if (locked === undefined) return undefined;
      const detail = { tid: fact.tid };
      await writeTimeline(tx, [{ missionId, kind: 'message_in', what: 'flighttask_resource_get', detail }]);
      return locked;
    });
    if (mission === undefined) return refuse(UNKNOWN_MISSION);
    return this.parts.commands.resource(mission).catch((error: unknown) => {
      this.parts.logger.warn({ err: error, missionId }, 'failed to hand out the file of a mission');
      return refuse(NO_FILE);
    });
  }
}
