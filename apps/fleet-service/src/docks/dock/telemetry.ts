import { OSD_SUBJECTS, type OsdFact } from '@aerie/bus-contract';
import { decodeMessage, topicFor } from '@aerie/dji-protocol';
import { type NatsConnection, NoteDocks, type RawOsd, receiveRawOsd } from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import type { DockPositions } from '../dock-positions.js';
import type { Topologies } from '../topologies.js';
import { DockSightings } from '../../dock-state/dock-sightings.js';
import type { DockStates } from '../../dock-state/dock-states.js';

const LOOK_EVERY_MS = 5_000;
const QUEUE = 'fleet-service';

export interface TelemetryParts {
  readonly connection: NatsConnection;
  readonly states: DockStates;
  readonly topologies: Topologies;
  readonly positions: DockPositions;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

type Said = Pick<OsdFact, 'sn' | 'data' | 'receivedAtMs' | 'timestampMs'>;

/** Takes telemetry off the bus, shared out among the replicas. Call `stop` when no more is wanted. */
export class Telemetry {
  private readonly sightings: DockSightings;
  private readonly notes: NoteDocks;
  private readonly unreadable;
  private readonly flat;
  private readonly stops: (() => void)[];

  constructor(private readonly parts: TelemetryParts) {
    const { connection, logger, metrics } = parts;
    this.sightings = new DockSightings(logger);
    this.notes = new NoteDocks(connection);
    this.unreadable = metrics.counter('fleet_osd_unreadable_total', 'Telemetry messages that could not be read.');
    this.flat = metrics.counter('fleet_osd_flat_total', 'Telemetry messages without `data`: properties beside it.');
    const looking = setInterval(() => this.sightings.look(Date.now()), LOOK_EVERY_MS);
    // An ingress of the release before has read it already.
    const subscription = connection.subscribe(OSD_SUBJECTS, {
      queue: QUEUE,
      callback: (error, message) => {
        if (!error) this.take(message.json<OsdFact>());
      },
    });
    this.stops = [
      () => clearInterval(looking),
      () => subscription.unsubscribe(),
      receiveRawOsd(connection, QUEUE, (osd) => this.read(osd)),
    ];
  }

  stop(): void {
    for (const stop of this.stops) stop();
  }

  private read({ sn, payload, receivedAtMs }: RawOsd): void {
    const message = decodeMessage({ topic: topicFor('osd', sn), payload, receivedAtMs });
    if (!message.accepted || Array.isArray(message.data)) {
      this.unreadable.inc();
      const reason = message.accepted ? 'data: expected an object' : message.reason;
      return this.notes.note(sn, 'unreadable_telemetry', receivedAtMs, reason);
    }
    if (message.flat) {
      this.flat.inc();
      this.notes.note(sn, 'flat_properties', receivedAtMs);
    }
    const data = message.data as Record<string, unknown>;
    this.take({ sn, data, receivedAtMs, timestampMs: message.timestampMs });
  }

  private take({ sn, data, receivedAtMs, timestampMs }: Said): void {
    const { topologies, states, positions, logger } = this.parts;
    topologies.dockFor(sn).then(
      (dockSn) => {
        // Telemetry of an aircraft that no dock of ours speaks for is nobody's.
        if (dockSn === null) return;
        this.sightings.seen(dockSn, Date.now());
        states.merge(sn, data, receivedAtMs, timestampMs);
        if (dockSn !== sn) states.seen(dockSn, receivedAtMs);
        else positions.note(sn, data);
      },
      // The next one comes in a second.
      (failure: unknown) => logger.debug({ err: failure, sn }, 'failed to look up who speaks'),
    );
  }
}
