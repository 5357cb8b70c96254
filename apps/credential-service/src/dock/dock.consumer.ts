import {
  CREDENTIAL_EVENTS_CONSUMER,
  CREDENTIAL_REQUESTS_CONSUMER,
  type DockFact,
  type DockRecord,
  retiredConsumersOf,
} from '@aerie/bus-contract';
import { type FileUploadCallback, type StorageConfigGet, encodeReply } from '@aerie/dji-protocol';
import {
  ACK,
  Consumers,
  type DeadLetters,
  type NatsConnection,
  type Verdict,
  answerDock,
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
  private readonly consumers: Consumers<DockFact>;
  private readonly docks;
  /** By channel and method. */
  private readonly handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ['requests storage_config_get', (fact, dock) => this.giveStorage(fact, dock)],
    ['events file_upload_callback', (fact, dock) => this.takeClaim(fact, dock)],
  ]);

  constructor(private readonly parts: DockConsumerParts) {
    const { connection, deadLetters, logger } = parts;
    this.docks = docksBy(connection);
    this.consumers = new Consumers({
      ...{ connection, deadLetters, logger, read: readDockFact, isHopeless: isDataError, isOutage },
    });
  }

  start(): void {
    // Each message waits for others by itself: keys, or a ledger that writes many entries together.
    const work = { maxInWork: MAX_IN_WORK, handle: (fact: DockFact) => this.receive(fact) };
    for (const spec of [
      CREDENTIAL_REQUESTS_CONSUMER,
      CREDENTIAL_EVENTS_CONSUMER,
      ...retiredConsumersOf('credential'),
    ]) {
      this.consumers.startSingles(spec, work);
    }
  }

  stop(): Promise<void> {
    return this.consumers.stop();
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

  private answer(fact: DockFact, data: unknown): Promise<void> {
    const { connection, logger } = this.parts;
    return answerDock(connection, logger, fact, data);
  }
}
