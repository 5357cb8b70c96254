import type { Logger, Metrics } from '@aerie/observability';
import { KeptLink } from './kept-link.js';
import { type BrokerLogin, openSession } from './session.js';

/** How many messages mosquitto has thrown away since it started, because a queue was full. Part of the broker's access rules. */
export const DROPPED_TOPIC = '$SYS/broker/publish/messages/dropped';

/** mosquitto says it each ten seconds. A broker that has said nothing by then has no such topic. */
const SILENT_AFTER_MS = 60_000;

export interface BrokerWatchOptions {
  readonly login: BrokerLogin;
  readonly ingressId: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly silentAfterMs?: number;
}

/**
 * Watches whether the broker throws messages away. Its queues are bounded, and it acknowledges what no longer fits: a dock
 * takes for kept what is lost. So each loss is an ERROR, also one from before this process started, which may have been
 * while no ingress ran.
 */
export class BrokerWatch {
  private readonly link: KeptLink;
  /** As the broker said last; NaN: it has not said. */
  private dropped = NaN;
  private silence: NodeJS.Timeout | undefined;

  constructor(private readonly options: BrokerWatchOptions) {
    const { login, ingressId, logger, metrics, silentAfterMs = SILENT_AFTER_MS } = options;
    metrics.gauge(
      'ingress_broker_dropped_messages',
      'Messages that the broker threw away since it started, because a queue was full: they are lost. An alarm when it grows. NaN: the broker does not say.',
      () => this.dropped,
    );
    const clientId = `aerie-ingress-${ingressId}-watch`;
    this.link = new KeptLink({
      name: clientId,
      logger,
      wanted: () => true,
      open: async () => {
        const client = await openSession({
          login,
          clientId,
          sessionExpirySeconds: 0,
          onMessage: ({ payload }, { acknowledge }) => {
            this.note(Number(payload.toString()));
            acknowledge();
          },
        });
        // A broker without this topic grants the subscription all the same.
        this.silence ??= setTimeout(() => this.noteSilence(), silentAfterMs).unref();
        // QoS 0: it is said again with each change. Another broker may not have it, or not let us read it: uplinks are taken
        // all the same.
        await client.subscribeAsync(DROPPED_TOPIC, { qos: 0 }).catch((error: unknown) => {
          this.dropped = NaN;
          clearTimeout(this.silence);
          logger.warn({ err: error }, 'the broker does not let us see how many messages it drops: losses go unseen');
        });
        return client;
      },
    });
  }

  start(): void {
    this.link.start();
  }

  stop(): Promise<void> {
    clearTimeout(this.silence);
    return this.link.stop((client) => client.endAsync());
  }

  private noteSilence(): void {
    if (!Number.isNaN(this.dropped)) return;
    this.options.logger.warn(
      { topic: DROPPED_TOPIC },
      'the broker does not say how many messages it drops: losses go unseen here, so watch its own metrics',
    );
  }

  private note(dropped: number): void {
    if (!Number.isFinite(dropped)) return;
    // Less than before: the broker was started anew.
    const before = dropped < this.dropped || Number.isNaN(this.dropped) ? 0 : this.dropped;
    this.dropped = dropped;
    if (dropped === before) return;
    this.options.logger.error(
      { dropped: dropped - before, sinceItStarted: dropped },
      'the broker dropped messages, because a queue was full: they are lost. Its log names the clients',
    );
  }
}
