import type { DockStateView } from '@aerie/bus-contract';
import type { Redis } from 'ioredis';
import type { Logger } from '@aerie/observability';
import { type DatabaseOf, rowsOfAll } from '@aerie/persistence';
import { LRUCache } from 'lru-cache';
import { boundedProperties } from './bounded-properties.js';
import { RecentStates } from './recent-states.js';
import { HIDES_NO_FLIGHT_MS, ONLINE_WITHIN_MS } from './sight.js';
import { AHEAD_MS, BACK, BUSY, IDLE, SEEN, SKEW, StateWriter, keyOf } from './state-writer.js';

const FILLED = '_filled';
/** A start does not wait for Redis: what this process heard itself answers after this long. */
const PATIENCE_MS = 200;
/** Then Redis is not asked again for so long. */
const LEAVE_ALONE_MS = 2_000;
/** What a device's clock was off when it was last heard; an older figure says nothing. */
const SKEW_FRESH_MS = 60_000;

/** One device, or one clock, is told of once in this time. */
const WARN_EVERY_MS = 60_000;
/** Redis answers nobody else meanwhile. */
const COUNTED_AT_ONCE = 500;

export interface DockPresence {
  readonly online: boolean;
  readonly lastSeenAt: string | null;
}

interface Arrival {
  readonly ingressAtMs: number;
  /** By the device's own clock. */
  readonly sentAtMs: number | null;
  readonly onChange: boolean;
}

/**
 * The freshest state of each device: a Redis hash with one field for each property, holding its value and when it was
 * received. Partial messages merge by themselves, so any replica may write. A wiped Redis is full again after two
 * cycles of telemetry; properties that are sent only on change come back from the database.
 */
export class DockStates {
  private readonly writer: StateWriter;
  private readonly recent = new RecentStates(HIDES_NO_FLIGHT_MS);
  private askAgainAtMs = 0;
  private ahead = { ms: 0, atMs: 0 };
  private readonly warned = new LRUCache<string, true>({ max: 1_000, ttl: WARN_EVERY_MS });

  constructor(
    private readonly redis: Redis,
    private readonly dataSource: DatabaseOf<'engine'>,
    private readonly logger: Logger,
  ) {
    this.writer = new StateWriter(redis, logger);
  }

  start(): void {
    this.writer.start();
  }

  async stop(): Promise<void> {
    await this.writer.stop();
  }

  /** Takes in a partial message of telemetry, which comes again. Never waits. */
  merge(
    sn: string,
    properties: Readonly<Record<string, unknown>>,
    ingressAtMs: number,
    sentAtMs: number | null = null,
  ): void {
    this.take(sn, properties, { ingressAtMs, sentAtMs, onChange: false });
  }

  /** Takes in properties that are sent only when they change. Never waits. */
  mergeChange(sn: string, properties: Readonly<Record<string, unknown>>, ingressAtMs: number): void {
    this.take(sn, properties, { ingressAtMs, sentAtMs: null, onChange: true });
  }

  private take(
    sn: string,
    properties: Readonly<Record<string, unknown>>,
    { ingressAtMs, sentAtMs, onChange }: Arrival,
  ): void {
    const receivedAtMs = this.notAhead(ingressAtMs);
    const { kept, dropped } = boundedProperties(properties);
    if (dropped > 0)
      this.warn(`bounds ${sn}`, { sn, dropped }, 'left out properties of a device: too many, or too long');
    this.recent.merge(sn, kept, receivedAtMs, sentAtMs);
    const skewMs = sentAtMs === null ? null : (this.recent.of(sn)?.skew.read(receivedAtMs) ?? null);
    this.writer.take(sn, { properties: kept, receivedAtMs, skewMs, onChange });
  }

  /** How far the clock of an ingress was ahead of this one when that was seen last; 0 where it was not for a minute. */
  clockAheadMs(): number {
    return Date.now() - this.ahead.atMs < WARN_EVERY_MS ? this.ahead.ms : 0;
  }

  /** A time from the future would keep a dock that has left online for as long as it lies ahead. */
  private notAhead(ingressAtMs: number): number {
    const nowMs = Date.now();
    if (ingressAtMs - nowMs > AHEAD_MS) {
      this.ahead = { ms: ingressAtMs - nowMs, atMs: nowMs };
      this.warn('clock', { aheadMs: ingressAtMs - nowMs }, "the ingress's clock is ahead of this one; ours is used");
    }
    return Math.min(ingressAtMs, nowMs);
  }

  private warn(key: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    if (this.warned.has(key)) return;
    this.warned.set(key, true);
    this.logger.warn(fields, message);
  }

  /** The dock said something, whatever it was. */
  seen(sn: string, receivedAtMs: number): void {
    this.merge(sn, {}, receivedAtMs);
  }

  /**
   * The state of each device, all of it or the named properties. While Redis is away only what this process heard
   * itself; that is enough to let a dock fly.
   */
  async read(sns: readonly string[], properties?: readonly string[]): Promise<DockStateView[]> {
    const nowMs = Date.now();
    const hashes = await this.hashes(sns);
    if (hashes === null) return sns.map((sn) => this.recentView(sn, properties, nowMs));
    const unfilled = sns.filter((_sn, index) => hashes[index]?.[FILLED] === undefined);
    const filled = await this.fill(unfilled);
    const wanted = properties && new Set(properties);
    const ago = (atMs: string | number | undefined): number | null =>
      atMs === undefined ? null : Math.max(0, nowMs - Number(atMs));
    return sns.map((sn, index) => {
      const hash = { ...filled.get(sn), ...hashes[index] };
      const view: DockStateView = {
        sn,
        seenAgoMs: ago(this.lastSeen(sn, hash[SEEN])),
        backAgoMs: ago(this.backSince(sn, hash[BACK], nowMs)),
        clockSkewMs: this.skewOf(sn, hash[SKEW], nowMs),
        ...restView(hash, ago),
        properties: {},
      };
      for (const [property, text] of Object.entries(hash)) {
        if (property.startsWith('_') || (wanted && !wanted.has(property))) continue;
        const [receivedAtMs, value] = JSON.parse(text) as [number, unknown];
        view.properties[property] = { value, agoMs: Math.max(0, nowMs - receivedAtMs) };
      }
      this.addOwn(view, wanted, nowMs);
      return view;
    });
  }

  /** Since when a device has been in sight. A Redis that was wiped has forgotten it; this process has not. */
  private backSince(sn: string, stored: string | undefined, nowMs: number): number | undefined {
    const own = this.recent.of(sn);
    const hears = own !== undefined && nowMs - own.seenAtMs <= HIDES_NO_FLIGHT_MS;
    if (!hears) return stored === undefined ? undefined : Number(stored);
    return stored === undefined ? own.backAtMs : Math.min(own.backAtMs, Number(stored));
  }

  /** What this process heard itself and Redis does not have, or has older: a wipe must not hide a pressed stop. */
  private addOwn(view: DockStateView, wanted: ReadonlySet<string> | undefined, nowMs: number): void {
    for (const [property, [receivedAtMs, value]] of this.recent.of(view.sn)?.values ?? []) {
      const agoMs = Math.max(0, nowMs - receivedAtMs);
      const known = view.properties[property];
      if ((wanted && !wanted.has(property)) || (known !== undefined && known.agoMs <= agoMs)) continue;
      view.properties[property] = { value, agoMs };
    }
  }

  private recentView(sn: string, wanted: readonly string[] | undefined, nowMs: number): DockStateView {
    const device = this.recent.of(sn);
    if (device === undefined) return { sn, seenAgoMs: null, backAgoMs: null, clockSkewMs: null, properties: {} };
    const ago = (atMs: number): number => Math.max(0, nowMs - atMs);
    const values = [...device.values].filter(([property]) => wanted === undefined || wanted.includes(property));
    return {
      sn,
      seenAgoMs: ago(device.seenAtMs),
      backAgoMs: ago(device.backAtMs),
      clockSkewMs: device.skew.read(nowMs),
      properties: Object.fromEntries(
        values.map(([property, [receivedAtMs, value]]) => [property, { value, agoMs: ago(receivedAtMs) }]),
      ),
    };
  }

  /** Our own measure, or else that of another replica. */
  private skewOf(sn: string, stored: string | undefined, nowMs: number): number | null {
    const own = this.recent.of(sn)?.skew.read(nowMs) ?? null;
    if (own !== null || stored === undefined) return own;
    const [atMs, skewMs] = JSON.parse(stored) as [number, number];
    return nowMs - atMs <= SKEW_FRESH_MS ? skewMs : null;
  }

  async presence(sns: readonly string[]): Promise<Map<string, DockPresence>> {
    const nowMs = Date.now();
    const pipeline = this.redis.pipeline();
    for (const sn of sns) pipeline.hget(keyOf(sn), SEEN);
    const results = (await pipeline.exec().catch(() => null)) ?? [];
    return new Map(
      sns.map((sn, index): [string, DockPresence] => {
        const stored = results[index]?.[1];
        const seen = this.lastSeen(sn, typeof stored === 'string' ? stored : undefined);
        if (seen === undefined) return [sn, { online: false, lastSeenAt: null }];
        const seenAtMs = Number(seen);
        return [sn, { online: nowMs - seenAtMs < ONLINE_WITHIN_MS, lastSeenAt: new Date(seenAtMs).toISOString() }];
      }),
    );
  }

  /** How many of these docks are online. @throws where Redis does not answer: nobody knows then */
  async countOnline(sns: readonly string[]): Promise<number> {
    const latestMs = Date.now() - ONLINE_WITHIN_MS;
    let online = 0;
    for (let from = 0; from < sns.length; from += COUNTED_AT_ONCE) {
      const some = sns.slice(from, from + COUNTED_AT_ONCE);
      const pipeline = this.redis.pipeline();
      for (const sn of some) pipeline.hget(keyOf(sn), SEEN);
      const answers = (await pipeline.exec()) ?? [];
      for (const [index, sn] of some.entries()) {
        const [error, stored] = answers[index] ?? [new Error('Redis gave no answer')];
        if (error !== null) throw error;
        if (Number(this.lastSeen(sn, typeof stored === 'string' ? stored : undefined) ?? 0) > latestMs) online++;
      }
    }
    return online;
  }

  private lastSeen(sn: string, stored: string | undefined): string | undefined {
    const heardAtMs = this.recent.of(sn)?.seenAtMs;
    if (stored === undefined) return heardAtMs?.toString();
    return heardAtMs === undefined ? stored : String(Math.max(heardAtMs, Number(stored)));
  }

  /** Null while Redis is away, or slow: a start waits for nothing. */
  private async hashes(sns: readonly string[]): Promise<Record<string, string>[] | null> {
    if (Date.now() < this.askAgainAtMs) return null;
    const pipeline = this.redis.pipeline();
    for (const sn of sns) pipeline.hgetall(keyOf(sn));
    let patience: NodeJS.Timeout | undefined;
    const tooSlow = new Promise<null>((resolve) => (patience = setTimeout(() => resolve(null), PATIENCE_MS)));
    const results = await Promise.race([pipeline.exec().catch(() => null), tooSlow]);
    clearTimeout(patience);
    if (results === null || results.some(([error]) => error !== null)) {
      this.askAgainAtMs = Date.now() + LEAVE_ALONE_MS;
      return null;
    }
    return results.map(([, hash]) => (hash ?? {}) as Record<string, string>);
  }

  /** Puts back what these devices send only on change, without touching anything newer. */
  private async fill(sns: readonly string[]): Promise<ReadonlyMap<string, Record<string, string>>> {
    const stored = new Map(sns.map((sn): [string, Record<string, string>] => [sn, {}]));
    if (sns.length === 0) return stored;
    const rows = await rowsOfAll(this.dataSource).queryByKeys<PropertyRow>(
      'SELECT sn, property, value, received_at FROM fleet.device_property WHERE sn = ANY($1::text[])',
      [sns],
    );
    const pipeline = this.redis.pipeline();
    for (const { sn, property, value, received_at } of rows) {
      const text = JSON.stringify([received_at.getTime(), value]);
      (stored.get(sn) ?? {})[property] = text;
      pipeline.hsetnx(keyOf(sn), property, text);
    }
    for (const sn of sns) pipeline.hset(keyOf(sn), FILLED, '1');
    await pipeline.exec().catch(() => null);
    return stored;
  }
}

interface PropertyRow {
  readonly sn: string;
  readonly property: string;
  readonly value: unknown;
  readonly received_at: Date;
}

/** Only Redis has it: one process hears a part of what a device says, and could take a late sign for the first one. */
function restView(
  hash: Readonly<Record<string, string>>,
  ago: (atMs: string | undefined) => number | null,
): Pick<DockStateView, 'idleAgoMs' | 'busyForMs'> {
  const isBusy = Number(hash[BUSY] ?? 0) > Number(hash[IDLE] ?? 0);
  return { idleAgoMs: ago(hash[IDLE]), busyForMs: isBusy ? ago(hash[BUSY]) : null };
}
