import { type DockFact, FLEET_DOCK_CONSUMER } from '@aerie/bus-contract';
import {
  type AirportBindStatus,
  type AirportOrganizationBind,
  type AirportOrganizationGet,
  type UpdateTopo,
  encodeReply,
} from '@aerie/dji-protocol';
import {
  ACK,
  type ConsumerHandle,
  type DeadLetters,
  type Delivery,
  type NatsConnection,
  type Verdict,
  answerDock,
  consume,
  messageIdOf,
} from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import { isDataError } from '@aerie/persistence';
import type { DockStates } from '../../dock-state/dock-states.js';
import type { Topologies } from '../topologies.js';
import type { AnswerRequests } from './answer-requests.js';
import type { KeepMessages } from './keep-messages.js';
import type { UpdateTopology } from './update-topology.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly topologies: Topologies;
  readonly states: DockStates;
  readonly updateTopology: UpdateTopology;
  readonly answerRequests: AnswerRequests;
  readonly keepMessages: KeepMessages;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Everything that docks tell this service. Each message is answered after its effect is committed. */
export class DockConsumer {
  private handle: ConsumerHandle | undefined;
  private readonly unregistered;

  constructor(private readonly parts: DockConsumerParts) {
    this.unregistered = parts.metrics.counter(
      'fleet_unregistered_total',
      'Messages of devices that are not registered.',
    );
  }

  start(): void {
    const { connection, logger } = this.parts;
    this.handle = consume({
      connection,
      spec: FLEET_DOCK_CONSUMER,
      concurrency: 32,
      logger,
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
    const dockSn = await this.parts.topologies.dockFor(fact.sn);
    if (dockSn !== null) this.parts.states.seen(dockSn, fact.receivedAtMs);
    const data = await this.effectOf(fact, dockSn);
    if (data !== null) {
      await answerDock(this.parts.connection, fact, data).catch((error: unknown) =>
        this.parts.logger.info({ err: error, sn: fact.sn, method: fact.method }, 'an answer did not leave'),
      );
    }
    return ACK;
  }

  /** Does what the message asks for and returns the data of its answer; null where it gets none from us. */
  private async effectOf(fact: DockFact, dockSn: string | null): Promise<unknown> {
    const { updateTopology, answerRequests, keepMessages } = this.parts;
    if (dockSn === null) {
      // The broker lets no stranger in; where another broker does, what it says is kept, and nothing is told to it.
      this.unregistered.inc();
      await keepMessages.keep(fact, messageIdOf(fact));
      return null;
    }
    switch (`${fact.channel} ${fact.method ?? ''}`) {
      case 'status update_topo':
        await updateTopology.execute(dockSn, fact, fact.data as UpdateTopo, messageIdOf(fact));
        return encodeReply('status_reply', 'update_topo', { result: 0 });
      case 'requests config':
        return encodeReply('requests_reply', 'config', answerRequests.config());
      case 'requests airport_bind_status':
        return encodeReply(
          'requests_reply',
          'airport_bind_status',
          await answerRequests.bindStatus(dockSn, fact.data as AirportBindStatus),
        );
      case 'requests airport_organization_get':
        return encodeReply(
          'requests_reply',
          'airport_organization_get',
          await answerRequests.organizationGet(dockSn, fact.data as AirportOrganizationGet),
        );
      case 'requests airport_organization_bind':
        return encodeReply(
          'requests_reply',
          'airport_organization_bind',
          await answerRequests.organizationBind(dockSn, fact.data as AirportOrganizationBind),
        );
      case 'state ':
        await keepMessages.keepState(fact);
        this.parts.states.merge(fact.sn, fact.data as Record<string, unknown>, fact.receivedAtMs);
        return null;
      default:
        // The ingress has answered it, if it asked.
        await keepMessages.keep(fact, messageIdOf(fact));
        return null;
    }
  }
}
