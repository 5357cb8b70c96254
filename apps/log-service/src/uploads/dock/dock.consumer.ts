import { type DockFact, LOG_DOCK_CONSUMER, type LogAlarm, factSubject } from '@aerie/bus-contract';
import type { FileuploadListReply } from '@aerie/dji-protocol';
import { isUuid } from '@aerie/kernel';
import { isBelow } from '@aerie/log-core';
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
import type { Logger, Metrics } from '@aerie/observability';
import { type Tx, enterInbox, inTransaction, isDataError, writeOutbox } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { SCHEMA } from '../../database.js';
import { type Advanced, advance } from '../advance-upload.js';
import type { AfterCommit } from '../effects/after-commit.js';
import { findAttempt, findCall, lockUpload, recordReply } from '../store/upload-critical.js';
import type { LockedUpload } from '../store/upload.row.js';
import { type TimelineEntry, writeTimeline } from '../store/timeline.js';
import { codeOfDock, eventOfProgress, eventOfReply, keysNamed, listedOf } from './translate-uplink.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly dataSource: DataSource;
  readonly afterCommit: AfterCommit;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** As many as the pool can serve beside the timers. */
const CONCURRENCY = 8;

/**
 * What docks say about logs. One transaction holds the inbox row, the lock, the decision and its effects; the message is
 * acknowledged after the commit.
 */
export class DockConsumer {
  private handle: ConsumerHandle | undefined;
  private readonly speakers: Speakers;
  private readonly received;
  private readonly alarms;

  constructor(private readonly parts: DockConsumerParts) {
    const { connection, metrics } = parts;
    this.speakers = new Speakers(connection);
    this.received = metrics.counter('log_uplinks_total', 'Messages of docks about logs.', ['method', 'outcome']);
    this.alarms = metrics.counter('log_foreign_keys_total', 'Claims of docks to have written where they may not.', []);
  }

  start(): void {
    this.handle = consume({
      connection: this.parts.connection,
      spec: LOG_DOCK_CONSUMER,
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
    const dockSn = await this.speakers.of(fact.sn);
    if (fact.channel.endsWith('_reply')) {
      if (dockSn !== null) await this.reply(fact, dockSn);
      return ACK;
    }
    if (fact.method === 'fileupload_progress') await this.progress(fact, dockSn);
    // [Cloud API] Progress asks for no answer; firmware that does is answered all the same.
    if (fact.needReply) {
      await answerDock(this.parts.connection, fact, { result: 0 }).catch((error: unknown) =>
        this.parts.logger.info({ err: error, sn: fact.sn, method: fact.method }, 'an answer did not leave'),
      );
    }
    return ACK;
  }

  private async progress(fact: DockFact, dockSn: string | null): Promise<void> {
    const keys = keysNamed(fact);
    const advanced = await inTransaction(this.parts.dataSource, async (tx): Promise<Advanced | string> => {
      if (dockSn === null) return 'orphan';
      const found = await findAttempt(tx, dockSn, fact.bid !== null && isUuid(fact.bid) ? fact.bid : null, keys);
      if (found === undefined) return 'orphan';
      const locked = await lockUpload(tx, found.upload_id, dockSn);
      if (locked === undefined) return 'orphan';
      const inboxKey = { sn: fact.sn, method: 'fileupload_progress', messageId: messageIdOf(fact) };
      if (!(await enterInbox(tx, SCHEMA, inboxKey))) return 'repeat';
      const received = message(locked, 'fileupload_progress', { tid: fact.tid, data: fact.data });
      const foreign = keys.find((key) => found.prefix === null || !isBelow(found.prefix, key));
      if (foreign !== undefined) {
        await this.raiseAlarm(tx, locked, foreign, found.prefix, received);
        return 'foreign key';
      }
      const event = eventOfProgress(fact, found.number, locked.files);
      return advance(tx, locked, event, { received, detail: { tid: fact.tid } });
    });
    const outcome = typeof advanced === 'string' ? advanced : advanced.decision.kind;
    this.received.inc({ method: 'fileupload_progress', outcome });
    if (typeof advanced !== 'string') this.parts.afterCommit.run(advanced);
    if (advanced === 'orphan') {
      // An aircraft may have changed its dock a moment ago.
      this.speakers.forget(fact.sn);
      await this.parts.deadLetters.keepFact(fact, 'it belongs to no log upload of its dock');
    }
  }

  /** The dock claims what its keys do not allow: nothing of its word is taken, and people are told. */
  private async raiseAlarm(
    tx: Tx,
    locked: LockedUpload,
    claimedKey: string,
    prefix: string | null,
    received: TimelineEntry,
  ): Promise<void> {
    const payload: LogAlarm = {
      uploadId: locked.id,
      dockSn: locked.dock_sn,
      claimedKey: claimedKey.slice(0, 500),
      expectedPrefix: prefix ?? '',
    };
    await writeTimeline(tx, [
      received,
      { uploadId: locked.id, kind: 'refusal', what: 'foreignKey', fromState: locked.state, detail: { ...payload } },
    ]);
    await writeOutbox(tx, SCHEMA, [{ subject: factSubject('log', locked.organisation_id, 'alarm'), payload }]);
    this.alarms.inc();
    this.parts.logger.warn({ ...payload }, 'a dock claims to have written outside of its prefix');
  }

  /** A reply is matched by its tid to the command, and with it to the upload. */
  private async reply(fact: DockFact, dockSn: string): Promise<void> {
    const { tid } = fact;
    if (tid === null || !isUuid(tid)) return;
    const data = fact.data as FileuploadListReply;
    const advanced = await inTransaction(this.parts.dataSource, async (tx): Promise<Advanced | string> => {
      const call = await findCall(tx, tid, dockSn);
      if (call === undefined) return 'orphan';
      const result = codeOfDock(data.result);
      if (call.upload_id === null) {
        await recordReply(tx, tid, result, { modules: listedOf(data) });
        return 'listing';
      }
      const locked = await lockUpload(tx, call.upload_id, dockSn);
      // Of several replies one counts; the others are evidence.
      const counts = await recordReply(tx, tid, result, null);
      if (locked === undefined) return 'orphan';
      const received = message(locked, `${call.method} reply`, { tid, result });
      const event = counts ? eventOfReply(call, { ...data, result }, locked.selection) : null;
      if (event !== null) return advance(tx, locked, event, { received, detail: { tid } });
      await writeTimeline(tx, [received]);
      return 'repeat';
    });
    const outcome = typeof advanced === 'string' ? advanced : advanced.decision.kind;
    // Replies without a method are everybody's: most of them answer others.
    if (outcome !== 'orphan') this.received.inc({ method: 'reply', outcome });
    if (typeof advanced !== 'string') this.parts.afterCommit.run(advanced);
  }
}

const message = (locked: LockedUpload, what: string, detail: Readonly<Record<string, unknown>>): TimelineEntry => ({
  uploadId: locked.id,
  kind: 'message_in',
  what,
  detail,
});
