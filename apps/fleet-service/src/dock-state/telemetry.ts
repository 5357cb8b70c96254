import { OSD_SUBJECTS, type OsdFact } from '@aerie/bus-contract';
import type { NatsConnection } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import type { DockPositions } from '../docks/dock-positions.js';
import type { Topologies } from '../docks/topologies.js';
import { DockSightings } from './dock-sightings.js';
import type { DockStates } from './dock-states.js';

const LOOK_EVERY_MS = 5_000;

/** Takes telemetry off the bus, shared out among the replicas. */
export function receiveTelemetry(
  connection: NatsConnection,
  states: DockStates,
  topologies: Topologies,
  positions: DockPositions,
  logger: Logger,
): () => void {
  const sightings = new DockSightings(logger);
  const looking = setInterval(() => sightings.look(Date.now()), LOOK_EVERY_MS);
  const subscription = connection.subscribe(OSD_SUBJECTS, {
    queue: 'fleet-service',
    callback: (error, message) => {
      if (error) return;
      const { sn, data, receivedAtMs, timestampMs } = message.json<OsdFact>();
      topologies.dockFor(sn).then(
        (dockSn) => {
          // Telemetry of an aircraft that no dock of ours speaks for is nobody's.
          if (dockSn === null) return;
          sightings.seen(dockSn, Date.now());
          states.merge(sn, data, receivedAtMs, timestampMs);
          if (dockSn !== sn) states.seen(dockSn, receivedAtMs);
          else positions.note(sn, data);
        },
        // The next one comes in a second.
        (failure: unknown) => logger.debug({ err: failure, sn }, 'failed to look up who speaks'),
      );
    },
  });
  return () => {
    clearInterval(looking);
    subscription.unsubscribe();
  };
}
