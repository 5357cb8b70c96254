import { CREDENTIAL_DOCK_CONSUMER, type DockFact } from '@aerie/bus-contract';
import { type StorageConfigGet, encodeReply } from '@aerie/dji-protocol';
import {
  ACK,
  type ConsumerHandle,
  type DeadLetters,
  type Delivery,
  type NatsConnection,
  type Verdict,
  answerDock,
  consume,
} from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import type { AnswerStorageConfig } from './answer-storage-config.js';
import { Docks } from './docks.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly answerStorageConfig: AnswerStorageConfig;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
}

/** Each waits for the provider at most once; docks of one organisation ask together after a power cut. */
const CONCURRENCY = 64;

/** What docks ask this service. Nothing is kept of a question, so a repeat is simply answered again. */
export class DockConsumer {
  private handle: ConsumerHandle | undefined;
  private readonly docks: Docks;

  constructor(private readonly parts: DockConsumerParts) {
    this.docks = new Docks(parts.connection);
  }

  start(): void {
    const { connection, logger, deadLetters } = this.parts;
    this.handle = consume({
      connection,
      spec: CREDENTIAL_DOCK_CONSUMER,
      concurrency: CONCURRENCY,
      logger,
      handle: (delivery) => this.receive(delivery),
      keepRejected: (delivery, reason) => deadLetters.keepDelivery(delivery, reason),
    });
  }

  async stop(): Promise<void> {
    await this.handle?.stop(10_000);
  }

  private async receive(delivery: Delivery): Promise<Verdict> {
    const { connection, answerStorageConfig, logger } = this.parts;
    // Our own ingress wrote it; that it is a fact was checked there, once.
    const fact = JSON.parse(Buffer.from(delivery.body).toString('utf8')) as DockFact;
    if (fact.channel !== 'requests' || fact.method !== 'storage_config_get') return ACK;
    // Only under its own serial number a dock asks, and nobody else gets keys.
    const dock = await this.docks.find(fact.sn);
    if (dock === null) {
      logger.warn({ sn: fact.sn }, 'a stranger asked for keys');
      return ACK;
    }
    const reply = await answerStorageConfig.execute(dock, (fact.data as StorageConfigGet).module);
    await answerDock(connection, fact, encodeReply('requests_reply', 'storage_config_get', reply)).catch(
      (error: unknown) => logger.info({ err: error, sn: fact.sn }, 'an answer did not leave'),
    );
    return ACK;
  }
}
