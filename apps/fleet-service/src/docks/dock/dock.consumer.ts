import {
  type DockFact,
  FLEET_EVENTS_CONSUMER,
  FLEET_REQUESTS_CONSUMER,
  FLEET_STATE_CONSUMER,
  retiredConsumersOf,
} from '@aerie/bus-contract';
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
  type NatsConnection,
  type Verdict,
  answerDock,
  consume,
  messageIdOf,
  readDockFact,
} from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import { isDataError, isOutage } from '@aerie/persistence';
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

/** Most messages are kept and lead to nothing else: a batch of them is two or three statements. */
const MAX_BATCH = 200;
const LANES = 2;
/** Each waits for the broker or the database at most once, and the pool has ten connections. */
const REQUESTS_IN_WORK = 32;

/**
 * Everything that docks tell this service. Each message is answered after its effect is committed. What a dock needs an
 * answer to before it is online has a lane of its own.
 */
export class DockConsumer {
  private readonly handles: ConsumerHandle[] = [];
  private readonly unregistered;

  constructor(private readonly parts: DockConsumerParts) {
    this.unregistered = parts.metrics.counter(
      'fleet_unregistered_total',
      'Messages of devices that are not registered.',
    );
  }

  start(): void {
    const { connection, logger, deadLetters } = this.parts;
    const common = {
      connection,
      logger,
      read: readDockFact,
      isHopeless: isDataError,
      isOutage,
      keepRejected: deadLetters.keepDelivery.bind(deadLetters),
    };
    this.handles.push(
      consume({
        ...common,
        spec: FLEET_REQUESTS_CONSUMER,
        maxInWork: REQUESTS_IN_WORK,
        maxBatch: REQUESTS_IN_WORK,
        lanes: 1,
        handleBatch: async (facts) => facts.map((fact) => this.answer(fact)),
      }),
      ...[FLEET_STATE_CONSUMER, FLEET_EVENTS_CONSUMER, ...retiredConsumersOf('fleet')].map((spec) =>
        consume({
          ...common,
          spec,
          maxInWork: 2 * LANES * MAX_BATCH,
          maxBatch: MAX_BATCH,
          lanes: LANES,
          handleBatch: (facts) => this.keep(facts),
        }),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle.stop(10_000)));
  }

  /** What asks for nothing: it is kept, and the freshest properties go into the state of the dock. */
  private async keep(facts: readonly DockFact[]): Promise<Verdict[]> {
    const speakers = await Promise.all(facts.map((fact) => this.speakerOf(fact)));
    const isState = (fact: DockFact, index: number): boolean => speakers[index] != null && isStateMessage(fact);
    await this.parts.keepMessages.keep(
      facts.filter((fact, index) => !isState(fact, index)),
      facts.filter(isState),
    );
    facts.filter(isState).forEach(({ sn, data, receivedAtMs }) => {
      this.parts.states.mergeChange(sn, data as Record<string, unknown>, receivedAtMs);
    });
    return facts.map(() => ACK);
  }

  private async answer(fact: DockFact): Promise<Verdict> {
    const dockSn = await this.speakerOf(fact);
    const data = dockSn === null ? null : await this.answerOf(fact, dockSn);
    if (data === null) {
      // The broker lets no unregistered device in; where another broker does, what it says is kept, and it gets no answer.
      await this.parts.keepMessages.keep([fact], []);
      return ACK;
    }
    await answerDock(this.parts.connection, fact, data).catch((error: unknown) =>
      this.parts.logger.info({ err: error, sn: fact.sn, method: fact.method }, 'failed to answer a dock'),
    );
    return ACK;
  }

  /** The dock that speaks under the serial number of a message, seen now; null for an unregistered device. */
  private async speakerOf({ sn, receivedAtMs }: DockFact): Promise<string | null> {
    const dockSn = await this.parts.topologies.dockFor(sn);
    if (dockSn === null) this.unregistered.inc();
    else this.parts.states.seen(dockSn, receivedAtMs);
    return dockSn;
  }

  /** Does what a message asks for and returns the data of its answer; null where it gets none from us. */
  private async answerOf(fact: DockFact, dockSn: string): Promise<unknown> {
    const { updateTopology, answerRequests } = this.parts;
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
      default:
        // The ingress has answered it, if it asked.
        return null;
    }
  }
}

const isStateMessage = ({ channel, method }: DockFact): boolean => channel === 'state' && method === null;
