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
  Consumers,
  type DeadLetters,
  type NatsConnection,
  type Verdict,
  answerDock,
  messageIdOf,
  readDockFact,
} from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import { isDataError, isOutage } from '@aerie/persistence';
import type { DockStates } from '../../dock-state/dock-states.js';
import type { Topologies } from '../topologies.js';
import type { AnswerRequests } from './answer-requests.js';
import type { KeepAlarms } from '../../alarms/keep-alarms.js';
import type { KeepMessages } from './keep-messages.js';
import { readAlarms } from './read-alarms.js';
import type { UpdateTopology } from './update-topology.js';

export interface DockConsumerParts {
  readonly connection: NatsConnection;
  readonly topologies: Topologies;
  readonly states: DockStates;
  readonly updateTopology: UpdateTopology;
  readonly answerRequests: AnswerRequests;
  readonly keepAlarms: KeepAlarms;
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
  private readonly consumers: Consumers<DockFact>;
  private readonly unregistered;

  constructor(private readonly parts: DockConsumerParts) {
    const { connection, deadLetters, logger } = parts;
    this.consumers = new Consumers({
      ...{ connection, deadLetters, logger, read: readDockFact, isHopeless: isDataError, isOutage },
    });
    this.unregistered = parts.metrics.counter(
      'fleet_unregistered_total',
      'Messages of devices that are not registered.',
    );
  }

  start(): void {
    this.consumers.startSingles(FLEET_REQUESTS_CONSUMER, {
      maxInWork: REQUESTS_IN_WORK,
      handle: (fact) => this.answer(fact),
    });
    for (const spec of [FLEET_STATE_CONSUMER, FLEET_EVENTS_CONSUMER, ...retiredConsumersOf('fleet')]) {
      this.consumers.startBatches(spec, {
        ...{ maxBatch: MAX_BATCH, lanes: LANES },
        handleBatch: (facts) => this.keep(facts),
      });
    }
  }

  stop(): Promise<void> {
    return this.consumers.stop();
  }

  /** What asks for nothing: it is kept, and the freshest properties go into the state of the dock. */
  private async keep(facts: readonly DockFact[]): Promise<Verdict[]> {
    const speakers = await Promise.all(facts.map((fact) => this.speakerOf(fact)));
    const isState = (fact: DockFact, index: number): boolean => speakers[index] != null && isStateMessage(fact);
    const alarms = facts.map((fact, index) => alarmsOf(fact, speakers[index]));
    await this.parts.keepMessages.keep(
      facts.filter((fact, index) => !isState(fact, index) && alarms[index] === null),
      facts.filter(isState),
    );
    await this.parts.keepAlarms.keep(alarms.filter((fact) => fact !== null));
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
    await answerDock(this.parts.connection, this.parts.logger, fact, data);
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

const alarmsOf = (fact: DockFact, dockSn: string | null | undefined) =>
  dockSn == null ? null : readAlarms(fact, dockSn);

const isStateMessage = ({ channel, method }: DockFact): boolean => channel === 'state' && method === null;
