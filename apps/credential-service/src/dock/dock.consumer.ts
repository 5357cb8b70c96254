import {
  CREDENTIAL_EVENTS_CONSUMER,
  CREDENTIAL_REQUESTS_CONSUMER,
  type ConsumerSpec,
  type DockFact,
  type DockRecord,
  retiredConsumersOf,
} from '@aerie/bus-contract';
import { type FileUploadCallback, type StorageConfigGet, encodeReply } from '@aerie/dji-protocol';
import {
  ACK,
  type ConsumerHandle,
  type DeadLetters,
  type NatsConnection,
  type Verdict,
  answerDock,
  consume,
  readDockFact,
} from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import { isDataError, isOutage } from '@aerie/persistence';
import type { ClaimUpload } from '../claims/claim-upload.js';
import { keyProblemOf } from '../claims/claim-verdict.js';
import type { AnswerStorageConfig } from './answer-storage-config.js';
import { docksBy } from './docks.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly answerStorageConfig: AnswerStorageConfig;
  readonly claimUpload: ClaimUpload;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
}

/** Each waits for the provider at most once; docks of one organisation ask together after a power cut. */
const MAX_IN_WORK = 64;
/** The published code for a bad parameter. [Cloud API, result codes: 325001] */
const BAD_CLAIM = 325_001;

type Handler = (fact: DockFact, dock: DockRecord) => Promise<Verdict>;

/** What docks ask this service, and what they tell it. A repeat is answered again. */
export class DockConsumer {
  private readonly handles: ConsumerHandle[] = [];
  private readonly docks;
  /** By channel and method. */
  private readonly handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ['requests storage_config_get', (fact, dock) => this.giveStorage(fact, dock)],
    ['events file_upload_callback', (fact, dock) => this.takeClaim(fact, dock)],
  ]);

  constructor(private readonly parts: DockConsumerParts) {
    this.docks = docksBy(parts.connection);
  }

  start(): void {
    const consumers = [CREDENTIAL_REQUESTS_CONSUMER, CREDENTIAL_EVENTS_CONSUMER, ...retiredConsumersOf('credential')];
    this.handles.push(...consumers.map((spec) => this.consume(spec)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle.stop(10_000)));
  }

  /** Each message waits for others by itself: keys, or a ledger that writes many entries together. */
  private consume(spec: ConsumerSpec): ConsumerHandle {
    const { connection, logger, deadLetters } = this.parts;
    return consume({
      connection,
      spec,
      maxInWork: MAX_IN_WORK,
      maxBatch: MAX_IN_WORK,
      lanes: 1,
      logger,
      read: readDockFact,
      handleBatch: async (facts) => facts.map((fact) => this.receive(fact)),
      isHopeless: isDataError,
      isOutage,
      keepRejected: (delivery, reason) => deadLetters.keepDelivery(delivery, reason),
    });
  }

  private async receive(fact: DockFact): Promise<Verdict> {
    const handler = this.handlers.get(`${fact.channel} ${fact.method}`);
    if (handler === undefined) return ACK;
    // Only under its own serial number a dock speaks here: nobody else gets keys, or has a folder.
    const dock = await this.docks.find(fact.sn);
    if (dock !== null) return handler(fact, dock);
    this.parts.logger.warn({ sn: fact.sn, method: fact.method }, 'storage request from an unregistered serial number');
    return ACK;
  }

  private async giveStorage(fact: DockFact, dock: DockRecord): Promise<Verdict> {
    const reply = await this.parts.answerStorageConfig.execute(dock, (fact.data as StorageConfigGet).module);
    await this.answer(fact, encodeReply('requests_reply', 'storage_config_get', reply));
    return ACK;
  }

  private async takeClaim(fact: DockFact, { organisationId, sn }: DockRecord): Promise<Verdict> {
    const { object_key: objectKey, ext } = (fact.data as FileUploadCallback).file;
    const problem = keyProblemOf(objectKey);
    if (problem !== null) {
      // It is kept as a dead letter, and nothing will come of it however often the dock says it.
      await this.answerClaim(fact, BAD_CLAIM);
      return { kind: 'reject', reason: problem };
    }
    const claimant = { organisationId, dockSn: sn };
    const verdict = await this.parts.claimUpload.execute(claimant, {
      ...{ objectKey, flightId: ext?.flight_id },
      reported: fact.data,
    });
    await this.answerClaim(fact, verdict === 'inside' ? 0 : BAD_CLAIM);
    return ACK;
  }

  private async answerClaim(fact: DockFact, result: number): Promise<void> {
    if (fact.needReply) await this.answer(fact, encodeReply('events_reply', 'file_upload_callback', { result }));
  }

  /** Best effort: a dock that heard nothing says it again. */
  private async answer(fact: DockFact, data: unknown): Promise<void> {
    await answerDock(this.parts.connection, fact, data).catch((error: unknown) =>
      this.parts.logger.info({ err: error, sn: fact.sn }, 'failed to answer a dock'),
    );
  }
}
