import { type DynamicModule, Module } from '@nestjs/common';
import { JetStreamPublisher, NoteDocks, connectNats, examineNats, showStreams } from '@aerie/messaging';
import { BootChecks, type Host, type Ready, hostModule } from '@aerie/service-host';
import { type Config } from './config.js';
import { examineBroker } from './mqtt/examine-broker.js';
import { BrokerWatch } from './mqtt/broker-watch.js';
import { DownlinkLink } from './downlink/downlink-link.js';
import { SendDownlink } from './downlink/send-downlink.js';
import { SendController } from './downlink/send.controller.js';
import { type AnswerTo, ReceiveUplink } from './uplink/receive-uplink.js';
import { ControlLinks, SESSION_EXPIRY_SECONDS } from './uplink/control-links.js';
import { DockBudget } from './uplink/dock-budget.js';
import { Heir } from './uplink/heir.js';
import { FloodWatch } from './uplink/flood-watch.js';
import { Overflow } from './uplink/overflow.js';
import { RetainedSweep } from './uplink/retained-sweep.js';
import { StoreTogether } from './uplink/store-together.js';
import { StoreGate } from './uplink/store-gate.js';
import { TelemetryLink } from './uplink/telemetry-link.js';

/** All the parts of the running ingress, for boot and health. */
export class Ingress {
  constructor(
    readonly gate: StoreGate,
    readonly control: ControlLinks,
    readonly telemetry: TelemetryLink,
    readonly downlink: DownlinkLink,
    readonly sweep: RetainedSweep,
    readonly watch: BrokerWatch,
    readonly heir: Heir,
  ) {}

  get ready(): Ready {
    if (!this.gate.isOpen) return 'waiting for JetStream';
    return (this.control.connected > 0 && this.downlink.connected) || 'waiting for the MQTT broker';
  }

  /** The downlink is connected before: an uplink may have to be answered at once. */
  start(): void {
    this.gate.start();
    this.control.start();
    this.telemetry.start();
    this.sweep.start();
    this.watch.start();
    this.heir.start();
  }
}

/** An answer that could not leave in this time helps nobody; the dock has asked again by then. */
const ANSWER_LIFETIME_MS = 10_000;

/** Reports and properties wait so long for others; docks send a report each two seconds. */
const STORE_TOGETHER_MS = 50;

@Module({})
export class AppModule {
  static async compose(config: Config, host: Host): Promise<DynamicModule> {
    const { logger, metrics, shutdown } = host;
    const clock = { nowMs: () => Date.now() };
    const login = {
      broker: config.MQTT_URL,
      username: config.MQTT_USER,
      password: config.MQTT_PASSWORD,
      keepaliveSeconds: config.INGRESS_KEEPALIVE_SECONDS,
    };
    const ingressId = config.INGRESS_ID;
    const checks = new BootChecks(logger);
    shutdown.on('intake', 'boot checks', async () => checks.stop());
    checks.examine('the MQTT broker', () => examineBroker(login, ingressId, SESSION_EXPIRY_SECONDS));
    const streamReplicas = config.NATS_STREAM_REPLICAS;
    const nats = await connectNats(config.NATS_URL, 'mqtt-ingress', logger, { streamReplicas });
    checks.examine('NATS', () => examineNats(nats));
    await checks.settle();
    const publisher = new JetStreamPublisher(nats, config.INGRESS_STORE_TIMEOUT_MS);
    const gate = new StoreGate(nats, logger);
    const downlink = new DownlinkLink({ login, ingressId, logger });
    // Before it is asked for anything: it would refuse what another replica could write.
    await downlink.start();
    const sendDownlink = new SendDownlink(downlink, clock, metrics);
    const answer = ({ channel, ...to }: AnswerTo, data: { result: number }): void => {
      const nowMs = clock.nowMs();
      const reply = `${channel}_reply` as const;
      void sendDownlink
        .send({ ...to, channel: reply, data, sentAtMs: nowMs, notAfterMs: nowMs + ANSWER_LIFETIME_MS })
        .then(({ outcome, reason }) => {
          if (outcome !== 'written') logger.debug({ ...to, outcome, reason }, 'a generic answer did not leave');
        });
    };
    const notes = new NoteDocks(nats);
    const afterMs = config.INGRESS_FLOOD_SECONDS * 1_000;
    const floods = new FloodWatch({ ingressId, afterMs }, nats, logger);
    const budget = new DockBudget(
      {
        messagesPerSecond: config.INGRESS_DOCK_MESSAGES_PER_SECOND,
        bytesPerSecond: config.INGRESS_DOCK_BYTES_PER_SECOND,
      },
      notes,
      floods,
      metrics,
    );
    const overflow = new Overflow({ store: (...args) => publisher.store(...args), notes, metrics, nowMs: clock.nowMs });
    const together = new StoreTogether((...args) => overflow.store(...args), STORE_TOGETHER_MS);
    const receive = new ReceiveUplink((...args) => together.store(...args), answer, notes, logger, metrics);
    const control = new ControlLinks({
      login,
      ingressId,
      connections: config.INGRESS_CONTROL_CONNECTIONS,
      receive,
      hurry: () => together.hurry(),
      budget,
      gate,
      logger,
    });
    const telemetry = new TelemetryLink({ login, ingressId, nats, notes, budget, gate, logger, metrics });

    const everyMs = config.INGRESS_RETAINED_SWEEP_MS;
    const sweep = new RetainedSweep({ login, ingressId, everyMs, logger, metrics });

    const watch = new BrokerWatch({ login, ingressId, logger, metrics });

    showStreams(metrics, nats);
    metrics.gauge(
      'ingress_links_down',
      'Connections to the broker that bring control messages and are not there now.',
      () => control.clientIds.length - control.connected,
    );
    const heir = new Heir({ ingressId, nats, control, gate, logger, metrics });

    shutdown.on('intake', 'sessions of others', () => heir.stop());
    shutdown.on('intake', 'broker watch', () => watch.stop());
    shutdown.on('intake', 'retained sweep', () => sweep.stop());
    shutdown.on('intake', 'control connections', () => control.stop());
    shutdown.on('intake', 'telemetry connection', () => telemetry.stop());
    shutdown.on('connections', 'downlink connection', () => downlink.stop());
    shutdown.on('storage', 'NATS', async () => {
      gate.stop();
      await nats.drain();
    });
    return {
      module: AppModule,
      imports: [hostModule(host)],
      controllers: [SendController],
      providers: [
        { provide: SendDownlink, useValue: sendDownlink },
        { provide: Ingress, useValue: new Ingress(gate, control, telemetry, downlink, sweep, watch, heir) },
      ],
    };
  }
}
