import { RAW_OSD_SUBJECTS, RECEIVED_AT_HEADER, rawOsdSubject } from '@aerie/bus-contract';
import { headers } from '@nats-io/transport-node';
import { type NatsConnection, newInbox } from './connection.js';

/** So often is asked whether anybody listens, and so long does the answer count that nobody does. */
const ASK_EVERY_MS = 5_000;
/** The server's word that nobody listens to a subject. */
const NO_RESPONDERS = 503;

export interface RawOsd {
  readonly sn: string;
  readonly payload: Uint8Array;
  readonly receivedAtMs: number;
}

/** Hands telemetry on as it came. Lost is lost. */
export class RawOsdPublisher {
  private readonly inbox: string;
  private nobodyUntilMs = 0;
  private askedAtMs = 0;

  constructor(private readonly connection: NatsConnection) {
    this.inbox = newInbox(connection);
    connection.subscribe(this.inbox, {
      callback: (error, message) => {
        if (error || message.headers?.code === NO_RESPONDERS) this.nobodyUntilMs = Date.now() + ASK_EVERY_MS;
      },
    });
  }

  /** False for a while after the server said that nobody listens: a fleet-service of the release before does not. */
  isHeard(nowMs: number): boolean {
    return nowMs >= this.nobodyUntilMs;
  }

  publish({ sn, payload, receivedAtMs }: RawOsd): void {
    const told = headers();
    told.set(RECEIVED_AT_HEADER, String(receivedAtMs));
    const asks = Math.abs(receivedAtMs - this.askedAtMs) >= ASK_EVERY_MS;
    if (asks) this.askedAtMs = receivedAtMs;
    // The server answers to the inbox where nobody listens; nobody else does.
    const reply = asks ? { reply: this.inbox } : {};
    this.connection.publish(rawOsdSubject(sn), payload, { headers: told, ...reply });
  }
}

/** Takes telemetry off the bus, shared out among the members of the queue. Returns how to stop. */
export function receiveRawOsd(connection: NatsConnection, queue: string, take: (osd: RawOsd) => void): () => void {
  const subscription = connection.subscribe(RAW_OSD_SUBJECTS, {
    queue,
    callback: (error, message) => {
      if (error) return;
      const receivedAtMs = Number(message.headers?.get(RECEIVED_AT_HEADER) || Date.now());
      const sn = message.subject.slice(message.subject.lastIndexOf('.') + 1);
      if (Number.isFinite(receivedAtMs)) take({ sn, payload: message.data, receivedAtMs });
    },
  });
  return () => subscription.unsubscribe();
}
