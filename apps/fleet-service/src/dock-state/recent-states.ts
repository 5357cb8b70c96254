import { FLIGHT_GATE_PROPERTIES } from '@aerie/bus-contract';
import { LRUCache } from 'lru-cache';
import type { BoundedProperties } from './bounded-properties.js';
import { ClockSkew } from './clock-skew.js';

/** Docks and aircraft that this process remembers; about 2 KB each. */
const MAX_DEVICES = 20_000;
const GATES: ReadonlySet<string> = new Set(FLIGHT_GATE_PROPERTIES);

export interface RecentState {
  seenAtMs: number;
  /** When it was heard first, or again after a silence in which it could have flown. */
  backAtMs: number;
  readonly values: Map<string, readonly [receivedAtMs: number, value: unknown]>;
  readonly skew: ClockSkew;
}

/**
 * What this process itself heard of devices: enough to let a dock fly while Redis is away. Replicas share the telemetry
 * out among themselves, so each hears a part of it, and all of it within a few cycles.
 */
export class RecentStates {
  private readonly devices = new LRUCache<string, RecentState>({ max: MAX_DEVICES });

  constructor(private readonly hidesNoFlightMs: number) {}

  merge(sn: string, properties: BoundedProperties['kept'], receivedAtMs: number, sentAtMs: number | null): void {
    let device = this.devices.get(sn);
    if (device === undefined) {
      device = { seenAtMs: receivedAtMs, backAtMs: receivedAtMs, values: new Map(), skew: new ClockSkew() };
      this.devices.set(sn, device);
    }
    if (receivedAtMs - device.seenAtMs > this.hidesNoFlightMs) device.backAtMs = receivedAtMs;
    device.seenAtMs = Math.max(device.seenAtMs, receivedAtMs);
    if (sentAtMs !== null) device.skew.add(sentAtMs, receivedAtMs);
    for (const [property, , value] of properties) {
      if (GATES.has(property)) device.values.set(property, [receivedAtMs, value]);
    }
  }

  of(sn: string): RecentState | undefined {
    return this.devices.get(sn);
  }
}
