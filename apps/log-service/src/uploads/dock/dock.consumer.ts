import {
  type DockFact,
  LOG_EVENTS_CONSUMER,
  LOG_REPLIES_CONSUMER,
  type LogAlarm,
  factSubject,
  retiredConsumersOf,
} from '@aerie/bus-contract';
import type { FileuploadListReply } from '@aerie/dji-protocol';
import { isUuid } from '@aerie/kernel';
import { isBelow } from '@aerie/log-core';
import {
  ACK,
  Consumers,
  type DeadLetters,
  type NatsConnection,
  Speakers,
  type Verdict,
  answerDock,
  messageIdOf,
  readDockFact,
} from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import {
  type DatabaseOf,
  type Tx,
  beginningOf,
  enterInbox,
  inTransaction,
  isDataError,
  isOutage,
  writeOutbox,
} from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import { type Advanced, advance } from '../advance-upload.js';
import type { AfterCommit } from '../effects/after-commit.js';
import { findAttempt, findCall, lockUpload, lockUploads, recordReply } from '../store/upload-critical.js';
import type { LockedUpload } from '../store/upload.row.js';
import { type TimelineEntry, writeMessage } from '../store/timeline.js';
import { codeOfDock, eventOfProgress, eventOfReply, keysNamed, listedOf } from './translate-uplink.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly dataSource: DatabaseOf<'engine'>;
  readonly afterCommit: AfterCommit;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const MAX_BATCH = 50;
const LANES = 2;

/** What became of one message. A word: it led to no decision. */
type Outcome = Advanced | 'orphan' | 'repeat' | 'foreign key' | 'listing' | 'ignored';

/**
 * What docks say about logs. All that one fetch brought is one transaction: inbox rows, locks, decisions and their
 * effects; the messages are acknowledged after the commit. Replies never wait behind progress.
 */
export class DockConsumer {
  private readonly consumers: Consumers<DockFact>;
  private readonly speakers: Speakers;
  private readonly received;
  private readonly alarms;

  constructor(private readonly parts: DockConsumerParts) {
    const { connection, deadLetters, logger, metrics } = parts;
    this.consumers = new Consumers({
      ...{ connection, deadLetters, logger, read: readDockFact, isHopeless: isDataError, isOutage },
    });
    this.speakers = new Speakers(connection);
    this.received = metrics.counter('log_uplinks_total', 'Messages of docks about logs.', ['method', 'outcome']);
    this.alarms = metrics.counter('log_foreign_keys_total', 'Claims of docks to have written where they may not.', []);
  }

  start(): void {
    for (const spec of [LOG_REPLIES_CONSUMER, LOG_EVENTS_CONSUMER, ...retiredConsumersOf('log')]) {
      this.consumers.startBatches(spec, {
        ...{ maxBatch: MAX_BATCH, lanes: LANES },
        handleBatch: (facts) => this.handle(facts),
      });
    }
  }

  stop(): Promise<void> {
    return this.consumers.stop();
  }

  private async handle(facts: readonly DockFact[]): Promise<Promise<Verdict>[]> {
    const dockSns = await Promise.all(facts.map((fact) => this.speakers.of(fact.sn)));
    const outcomes = await inTransaction(this.parts.dataSource, async (tx) => {
      const uploads = await Promise.all(facts.map((fact, index) => uploadIdOf(tx, fact, dockSns[index] ?? null)));
      await lockUploads(
        tx,
        uploads.filter((id) => id !== null),
      );
      const done: Outcome[] = [];
      // Each reads its upload anew: an earlier message of the batch may have changed it.
      for (const [index, fact] of facts.entries()) done.push(await this.apply(tx, fact, dockSns[index] ?? null));
      return done;
    });
    // The commit is known to have succeeded: only now may anything leave.
    for (const outcome of outcomes) if (typeof outcome !== 'string') this.parts.afterCommit.run(outcome);
    return facts.map((fact, index) => this.finish(fact, outcomes[index] ?? 'ignored'));
  }

  private apply(tx: Tx, fact: DockFact, dockSn: string | null): Promise<Outcome> {
    if (isReply(fact)) return this.reply(tx, fact, dockSn);
    return fact.method === 'fileupload_progress' ? this.progress(tx, fact, dockSn) : Promise.resolve('ignored');
  }

  private async finish(fact: DockFact, outcome: Outcome): Promise<Verdict> {
    const { deadLetters, connection, logger } = this.parts;
    const word = typeof outcome === 'string' ? outcome : outcome.decision.kind;
    if (isReply(fact)) {
      // Replies without a method are everybody's: most of them answer others.
      if (word !== 'orphan' && word !== 'ignored') this.received.inc({ method: 'reply', outcome: word });
      return ACK;
    }
    if (outcome !== 'ignored') this.received.inc({ method: 'fileupload_progress', outcome: word });
    if (outcome === 'foreign key') this.alarms.inc();
    if (outcome === 'orphan') {
      // An aircraft may have changed its dock a moment ago.
      this.speakers.forget(fact.sn);
      await deadLetters.keepFirst(fact, fact.bid ?? '', 'it belongs to no log upload of its dock');
    }
    // [Cloud API] Progress asks for no answer; firmware that does is answered all the same.
    if (fact.needReply) await answerDock(connection, logger, fact, { result: 0 });
    return ACK;
  }

  private async progress(tx: Tx, fact: DockFact, dockSn: string | null): Promise<Outcome> {
    const keys = keysNamed(fact);
    const found = await attemptOf(tx, fact, dockSn);
    if (dockSn === null || found === undefined) return 'orphan';
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
      claimedKey: beginningOf(claimedKey, 500),
      expectedPrefix: prefix ?? '',
    };
    const refusal = { kind: 'refusal', what: 'foreignKey', fromState: locked.state, detail: { ...payload } } as const;
    await writeMessage(tx, received, { uploadId: locked.id, ...refusal });
    await writeOutbox(tx, SCHEMA, [{ subject: factSubject('log', locked.organisation_id, 'alarm'), payload }]);
    this.parts.logger.warn({ ...payload }, 'a dock claims to have written outside of its prefix');
  }

  /** A reply is matched by its tid to the command, and with it to the upload. */
  private async reply(tx: Tx, fact: DockFact, dockSn: string | null): Promise<Outcome> {
    const { tid } = fact;
    if (dockSn === null || tid === null || !isUuid(tid)) return 'ignored';
    const data = fact.data as FileuploadListReply;
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
    await writeMessage(tx, received);
    return 'repeat';
  }
}

const isReply = ({ channel }: DockFact): boolean => channel.endsWith('_reply');

function attemptOf(tx: Tx, fact: DockFact, dockSn: string | null) {
  if (dockSn === null) return Promise.resolve(undefined);
  return findAttempt(tx, dockSn, fact.bid !== null && isUuid(fact.bid) ? fact.bid : null, keysNamed(fact));
}

/** The upload that a message is about; null when it is about none. */
async function uploadIdOf(tx: Tx, fact: DockFact, dockSn: string | null): Promise<string | null> {
  if (!isReply(fact)) {
    return fact.method === 'fileupload_progress' ? ((await attemptOf(tx, fact, dockSn))?.upload_id ?? null) : null;
  }
  if (dockSn === null || fact.tid === null || !isUuid(fact.tid)) return null;
  return (await findCall(tx, fact.tid, dockSn))?.upload_id ?? null;
}

const message = (locked: LockedUpload, what: string, detail: Readonly<Record<string, unknown>>): TimelineEntry => ({
  uploadId: locked.id,
  kind: 'message_in',
  what,
  detail,
});
