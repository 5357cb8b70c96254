import { type DockFlood, floodSubject } from '@aerie/bus-contract';
import { isSerialNumber } from '@aerie/kernel';
import type { NatsConnection } from '@aerie/messaging';
import type { Logger } from '@aerie/observability';
import { LRUCache } from 'lru-cache';

export interface FloodWatchOptions {
  readonly ingressId: string;
  /** A device floods that has been far over its budget for so long. */
  readonly afterMs: number;
}

const SECOND_MS = 1_000;
/** It is said again so often while it lasts: what is said is not stored, and may be lost. */
const SAY_EVERY_MS = 10_000;
/** A device that pauses for so long begins anew. */
const PAUSE_MS = 3 * SECOND_MS;
/** Devices over their budget that are watched. One that is forgotten begins anew. */
const MAX_WATCHED = 2_000;

interface Sent {
  messages: number;
  bytes: number;
}

interface Watched {
  /** Since when each second was far over the budget. */
  readonly sinceMs: number;
  readonly sent: Sent;
  /** Of the present second. */
  second: { readonly fromMs: number; readonly sent: Sent; readonly over: Sent };
  saidAtMs: number | null;
}

/**
 * Finds devices that flood: for a minute on end, in each second at least half of what they sent was over their budget, in
 * messages or in bytes. A device that is a little over its budget, or has one burst, never is one. fleet-service is told,
 * and decides what is done.
 */
export class FloodWatch {
  private readonly devices = new LRUCache<string, Watched>({ max: MAX_WATCHED });

  constructor(
    private readonly options: FloodWatchOptions,
    private readonly connection: Pick<NatsConnection, 'publish'>,
    private readonly logger: Logger,
  ) {}

  /** Counts one message of a device, and whether it was over the budget. */
  note(sn: string, bytes: number, isOver: boolean, nowMs: number): void {
    const watched = this.current(sn, isOver, nowMs);
    if (watched === undefined) return;
    add(watched.sent, bytes);
    add(watched.second.sent, bytes);
    if (isOver) add(watched.second.over, bytes);
    this.say(sn, watched, nowMs);
  }

  /** Who was never over its budget is not watched. */
  private current(sn: string, isOver: boolean, nowMs: number): Watched | undefined {
    const known = this.devices.get(sn);
    if (known !== undefined && goesOn(known, nowMs)) return known;
    if (known !== undefined) this.devices.delete(sn);
    if (!isOver) return undefined;
    const begun = { sinceMs: nowMs, sent: nothing(), second: aSecond(nowMs), saidAtMs: null };
    this.devices.set(sn, begun);
    return begun;
  }

  private say(sn: string, watched: Watched, nowMs: number): void {
    const { sinceMs, saidAtMs, sent } = watched;
    const { ingressId, afterMs } = this.options;
    if (nowMs - sinceMs < afterMs || (saidAtMs !== null && nowMs - saidAtMs < SAY_EVERY_MS)) return;
    if (!isSerialNumber(sn)) return;
    const seconds = (nowMs - sinceMs) / SECOND_MS;
    const [messagesPerSecond, bytesPerSecond] = [sent.messages / seconds, sent.bytes / seconds];
    const flood: DockFlood = { v: 1, sn, ingressId, sinceMs, atMs: nowMs, messagesPerSecond, bytesPerSecond };
    this.connection.publish(floodSubject(sn), JSON.stringify(flood));
    if (saidAtMs === null) this.logger.warn(flood, 'a device stays far over its budget; fleet-service is told');
    watched.saidAtMs = nowMs;
  }
}

/** Whether the device has been far over its budget until now. Begins a new second where one is over. */
function goesOn(watched: Watched, nowMs: number): boolean {
  const { fromMs, sent, over } = watched.second;
  const ageMs = nowMs - fromMs;
  if (ageMs < SECOND_MS) return true;
  const isFarOver = 2 * over.messages >= sent.messages || 2 * over.bytes >= sent.bytes;
  if (!isFarOver || ageMs >= PAUSE_MS) return false;
  watched.second = aSecond(nowMs);
  return true;
}

const nothing = (): Sent => ({ messages: 0, bytes: 0 });
const aSecond = (fromMs: number): Watched['second'] => ({ fromMs, sent: nothing(), over: nothing() });

function add(sent: Sent, bytes: number): void {
  sent.messages += 1;
  sent.bytes += bytes;
}
