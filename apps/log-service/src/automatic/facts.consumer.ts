import {
  LOG_FACTS_CONSUMER,
  type MissionDockNeeded,
  type MissionStateChanged,
  missionDockNeeded,
  missionStateChanged,
} from '@aerie/bus-contract';
import {
  ACK,
  Consumers,
  type DeadLetters,
  type Delivery,
  type NatsConnection,
  type Verdict,
  noteUnknownFields,
} from '@aerie/messaging';
import { STOP_LEAD_MS } from '@aerie/log-core';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, inTransaction, isDataError, isOutage } from '@aerie/persistence';
import { advance } from '../uploads/advance-upload.js';
import type { AfterCommit } from '../uploads/effects/after-commit.js';
import { noteRelease } from '../uploads/store/dock-holds.js';
import { lockUpload } from '../uploads/store/upload-critical.js';
import type { CollectForMission } from './collect-for-mission.js';

export interface FactsConsumerParts {
  readonly connection: NatsConnection;
  readonly dataSource: DatabaseOf<'engine'>;
  readonly collectForMission: CollectForMission;
  readonly afterCommit: AfterCommit;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
}

/** Each is a transaction or two of its own. */
const MAX_IN_WORK = 8;

/** What mission-service tells: missions that ended, and missions that need a dock which exports logs. */
export class FactsConsumer {
  private readonly consumers: Consumers<ReadFact>;

  constructor(private readonly parts: FactsConsumerParts) {
    const { connection, deadLetters, logger } = parts;
    this.consumers = new Consumers({
      ...{ connection, deadLetters, logger, read: readFact, isHopeless: isDataError, isOutage },
    });
  }

  start(): void {
    this.consumers.startSingles(LOG_FACTS_CONSUMER, { maxInWork: MAX_IN_WORK, handle: (fact) => this.receive(fact) });
  }

  stop(): Promise<void> {
    return this.consumers.stop();
  }

  private async receive({ organisationId, fact }: ReadFact): Promise<Verdict> {
    if ('holderId' in fact) await this.yieldDock(fact.holderId, Date.parse(fact.neededAt));
    else await this.parts.collectForMission.onStateChanged(organisationId, fact);
    return ACK;
  }

  /** The upload ends in time, or as soon as it can. Told twice it means the same. */
  private async yieldDock(uploadId: string, neededAtMs: number): Promise<void> {
    const advanced = await inTransaction(this.parts.dataSource, async (tx) => {
      const locked = await lockUpload(tx, uploadId);
      if (locked === undefined) return null;
      // A reservation that this upload knows nothing of any more.
      if (!locked.dock_may_export && locked.state !== 'listed') await noteRelease(tx, locked);
      return advance(tx, locked, { type: 'dockNeeded', atMs: neededAtMs - STOP_LEAD_MS });
    });
    if (advanced !== null) this.parts.afterCommit.run(advanced);
    this.parts.afterCommit.releaseSoon();
  }
}

interface ReadFact {
  readonly organisationId: string;
  readonly fact: MissionDockNeeded | MissionStateChanged;
}

function readFact({ subject, body }: Delivery): ReadFact {
  // `mission.v1.<organisation>.<event>`
  const [, , organisationId = '', event] = subject.split('.');
  const payload: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
  const fact = event === 'dockNeeded' ? missionDockNeeded.parse(payload) : missionStateChanged.parse(payload);
  noteUnknownFields(`mission.v1.*.${event}`, payload, fact);
  return { organisationId, fact };
}
