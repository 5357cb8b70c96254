import type { DockContext } from './context.js';
import { type Json, numberOf, topics } from './wire.js';

export interface OutgoingEvent {
  readonly method: string;
  readonly data: unknown;
  readonly needReply: boolean;
  /** Default: a new one. */
  readonly bid?: string;
  /** The flight it is about. */
  readonly about?: string;
  /** Default: the dock. Some events leave under the aircraft's serial number. */
  readonly sn?: string;
}

export interface Answer {
  readonly result: number;
  /** As it goes to the wire; old firmware leaves the result out of some. */
  readonly data: Json;
}

interface Unanswered {
  readonly event: OutgoingEvent;
  readonly tid: string;
  readonly bid: string;
  attempts: number;
  timer?: NodeJS.Timeout;
}

interface Held {
  readonly topic: string;
  readonly payload: string;
  readonly timer: NodeJS.Timeout;
}

/** How long a message waits at most for another to overtake it. */
const REORDER_MS = 1_500;

/** What the dock says on its own account and in answer: events with their repeats, replies, and what faults do to them. */
export class Outbox {
  private readonly unanswered = new Map<string, Unanswered>();
  private readonly lateReplies = new Set<NodeJS.Timeout>();
  private held: Held | undefined;

  constructor(
    private readonly context: DockContext,
    private readonly publish: (topic: string, payload: string) => boolean,
  ) {}

  get unansweredCount(): number {
    return this.unanswered.size;
  }

  event(event: OutgoingEvent): void {
    const tid = this.context.newId();
    const pending: Unanswered = { event, tid, bid: event.bid ?? this.context.newId(), attempts: 0 };
    if (event.needReply) this.unanswered.set(tid, pending);
    this.send(pending);
  }

  /** An `events_reply` came in. A second answer to the same event changes nothing. */
  answered(tid: string, data: Json): void {
    const pending = this.unanswered.get(tid);
    if (!pending) return;
    this.drop(pending);
    const { journal } = this.context;
    const result = numberOf(data['result']) ?? 0;
    const { method } = pending.event;
    journal.add(journal.answeredEvents, { method, tid, bid: pending.bid, result, attempts: pending.attempts });
    journal.note('answered', { method, attempts: pending.attempts });
  }

  /** The connection is back: what was not answered is said again at once. */
  resume(): void {
    for (const pending of this.unanswered.values()) {
      clearTimeout(pending.timer);
      this.send(pending);
    }
  }

  /** Unanswered events that fit are not said again. */
  withdraw(fits: (event: OutgoingEvent) => boolean): void {
    for (const pending of this.unanswered.values()) if (fits(pending.event)) this.drop(pending);
  }

  /** A reboot: what was in memory is gone. */
  forget(): void {
    for (const pending of this.unanswered.values()) this.drop(pending);
    for (const timer of this.lateReplies) clearTimeout(timer);
    this.lateReplies.clear();
    clearTimeout(this.held?.timer);
    this.held = undefined;
  }

  reply(command: { method: string; tid: string; bid: string }, { result, data }: Answer, delayMs = 0): void {
    const { settings, journal, ways, write } = this.context;
    const gateway = ways.has('no-gateway') ? {} : { gateway: settings.sn };
    const send = (): void => {
      const { method, tid, bid } = command;
      const body = write({ tid, bid, method, ...gateway, data });
      if (!this.pass(topics.servicesReply(settings.sn), body)) return;
      journal.add(journal.repliesSent, { method, tid, result, atMs: Date.now() });
    };
    if (delayMs === 0) {
      send();
      return;
    }
    const timer = setTimeout(() => {
      this.lateReplies.delete(timer);
      send();
    }, delayMs);
    this.lateReplies.add(timer);
  }

  private send(pending: Unanswered): void {
    const { settings, clock, journal, write } = this.context;
    const { event, tid, bid } = pending;
    const sn = event.sn ?? settings.sn;
    const timestampMs = clock.nowMs();
    const { method, needReply, data } = event;
    const body = write({ tid, bid, method, gateway: settings.sn, needReply, data }, timestampMs);
    const sent = this.pass(topics.events(sn), body);
    if (sent) {
      pending.attempts += 1;
      const { attempts: attempt } = pending;
      journal.add(journal.eventsSent, { sn, method, tid, bid, needReply, data, timestampMs, attempt });
    }
    // Without a connection no try is used up: `resume` sends it when the connection is back.
    if (sent && event.needReply) this.repeatLater(pending);
  }

  private repeatLater(pending: Unanswered): void {
    const { resendScheduleMs, resendLimit } = this.context.settings;
    pending.timer = setTimeout(
      () => {
        if (pending.attempts <= resendLimit) {
          this.send(pending);
          return;
        }
        this.drop(pending);
        this.context.journal.note('gaveUp', { method: pending.event.method, attempts: pending.attempts });
      },
      resendScheduleMs[Math.min(pending.attempts, resendScheduleMs.length) - 1] ?? 8_000,
    );
  }

  private drop(pending: Unanswered): void {
    clearTimeout(pending.timer);
    this.unanswered.delete(pending.tid);
  }

  /** The way to the wire, past the faults. A held message counts as sent: for the dock it left. */
  private pass(topic: string, payload: string): boolean {
    const { faults } = this.context;
    const transmit = (to: string, body: string): boolean => {
      const sent = this.publish(to, body);
      if (sent && faults.duplicates()) this.publish(to, body);
      return sent;
    };
    const overtaken = this.held;
    if (overtaken) {
      this.held = undefined;
      clearTimeout(overtaken.timer);
      const sent = transmit(topic, payload);
      transmit(overtaken.topic, overtaken.payload);
      return sent;
    }
    if (!faults.reorders()) return transmit(topic, payload);
    const timer = setTimeout(() => {
      this.held = undefined;
      transmit(topic, payload);
    }, REORDER_MS);
    this.held = { topic, payload, timer };
    return true;
  }
}
