import { INGRESS_LINKS_SUBJECT, ingressLinks } from '@aerie/bus-contract';
import type { NatsConnection } from '@aerie/messaging';
import type { Logger, Metrics } from '@aerie/observability';
import type { ControlLinks } from './control-links.js';
import { Roll } from './roll.js';
import type { StoreGate } from './store-gate.js';

const SAY_EVERY_MS = 2_000;

export interface HeirParts {
  readonly ingressId: string;
  readonly nats: NatsConnection;
  readonly control: Pick<ControlLinks, 'clientIds' | 'connectedIds' | 'takeOver'>;
  readonly gate: Pick<StoreGate, 'isOpen'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * A broker goes on giving a share of what docks send to the session of a replica that is gone, as long as it keeps that
 * session, and to nobody else; with the session it is lost. So the replicas tell each other which of their connections stand,
 * and one of those that are left takes over the sessions of one that is not: it stores what waits there and ends them.
 *
 * A replica that was given up too early connects again and takes its session back: that costs a moment and no message.
 */
export class Heir {
  private readonly roll: Roll;
  private readonly takenOver;
  private timer: NodeJS.Timeout | undefined;
  private stopListening = (): void => undefined;
  private working: Promise<void> = Promise.resolve();
  private readonly underWay = new Set<string>();

  constructor(private readonly parts: HeirParts) {
    this.roll = new Roll(parts.ingressId, SAY_EVERY_MS);
    this.takenOver = parts.metrics.counter(
      'ingress_sessions_taken_over_total',
      'Sessions of control connections of other replicas that were gone, emptied and ended.',
    );
  }

  start(): void {
    const subscription = this.parts.nats.subscribe(INGRESS_LINKS_SUBJECT, {
      callback: (error, message) => {
        if (error) return;
        const said = ingressLinks.safeParse(parsed(message.string()));
        if (said.success) this.roll.heard(said.data, performance.now());
      },
    });
    this.stopListening = () => subscription.unsubscribe();
    this.say(this.parts.control.clientIds);
    this.timer = setInterval(() => this.look(), SAY_EVERY_MS).unref();
  }

  /** Says that it leaves: its own sessions are ended in order. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopListening();
    this.say([]);
    await this.working;
  }

  private look(): void {
    const { control, gate } = this.parts;
    this.say(control.clientIds);
    const gone = this.roll.toTakeOver(performance.now());
    // What cannot be stored is left where it is.
    if (!gate.isOpen) return;
    const fresh = gone.filter((clientId) => !this.underWay.has(clientId));
    if (fresh.length === 0) return;
    for (const clientId of fresh) this.underWay.add(clientId);
    this.working = Promise.all([this.working, ...fresh.map((clientId) => this.takeOver(clientId))]).then(
      () => undefined,
    );
  }

  /** Never rejects. */
  private async takeOver(clientId: string): Promise<void> {
    const { control, logger } = this.parts;
    try {
      const messages = await control.takeOver(clientId);
      this.roll.takenOver(clientId);
      this.takenOver.inc();
      logger.warn({ link: clientId, messages }, 'took over the session of an ingress that is gone');
    } catch (error) {
      this.roll.failed(clientId, performance.now());
      logger.warn({ err: error, link: clientId }, 'failed to take over the session of an ingress that is gone');
    } finally {
      this.underWay.delete(clientId);
    }
  }

  private say(links: readonly string[]): void {
    const { nats, ingressId, control } = this.parts;
    if (nats.isClosed() || nats.isDraining()) return;
    const connected = control.connectedIds.filter((clientId) => links.includes(clientId));
    nats.publish(INGRESS_LINKS_SUBJECT, JSON.stringify({ v: 1, ingressId, links, connected }));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
