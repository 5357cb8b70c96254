import type { DockStateView } from '@aerie/bus-contract';
import type { Redis } from 'ioredis';
import type { Logger } from '@aerie/observability';
import { DataSource } from 'typeorm';
import { LRUCache } from 'lru-cache';
import { boundedProperties } from './bounded-properties.js';
import { type Rest, restOf } from './rest.js';
import { RecentStates } from './recent-states.js';

/** A dock that was not heard for this long is offline. Docks send telemetry every two seconds. */
export const ONLINE_WITHIN_MS = 30_000;
/** Pending values are written this often: about ten writes a second for each dock, however much it sends. */
const FLUSH_MS = 100;
/** Devices with pending values; more than this and telemetry, which comes again, is dropped. */
const MAX_PENDING_DEVICES = 50_000;
/** The state of a device that has been silent for a week is no state. */
const EXPIRE_SECONDS = 7 * 24 * 3_600;

const SEEN = '_seen';
const FILLED = '_filled';
const BACK = '_back';
const SKEW = '_skew';
/** When the device last said that it is idle, and when it first said since that it is not. */
const IDLE = '_idle';
const BUSY = '_busy';
/**
 * A silence shorter than this hides no flight: the cover has to open, the aircraft to climb, come back and land. After
 * a longer one nobody can say what the dock did.
 */
const HIDES_NO_FLIGHT_MS = 45_000;
/** A start does not wait for Redis: what this process heard itself answers after this long. */
const PATIENCE_MS = 200;
/** Then Redis is not asked again for so long. */
const LEAVE_ALONE_MS = 2_000;
/** What a device's clock was off when it was last heard; an older figure says nothing. */
const SKEW_FRESH_MS = 60_000;

/** Properties of one device, over all its messages. A dock has some two hundred; beyond it only known ones are renewed. */
const MAX_FIELDS = 1_000;

/**
 * Writes values, and notes when the device was heard again after a long silence, when it was idle last and since when it
 * is busy. One step, so that replicas may race and overtake each other. A device whose hash is full gets no further
 * properties, however many names it invents.
 */
const WRITE_STATE = `
  local seen = redis.call('HGET', KEYS[1], '${SEEN}')
  if (not seen) or (tonumber(ARGV[1]) - tonumber(seen) > tonumber(ARGV[2])) then
    redis.call('HSET', KEYS[1], '${BACK}', ARGV[1])
  end
  redis.call('HSET', KEYS[1], '${SEEN}', ARGV[1])
  local idle = math.max(tonumber(redis.call('HGET', KEYS[1], '${IDLE}') or 0), tonumber(ARGV[4]))
  if idle > 0 then redis.call('HSET', KEYS[1], '${IDLE}', idle) end
  local busy, told = tonumber(redis.call('HGET', KEYS[1], '${BUSY}') or 0), tonumber(ARGV[5])
  if told > idle and (busy <= idle or told < busy) then redis.call('HSET', KEYS[1], '${BUSY}', told) end
  local free = ${MAX_FIELDS} - redis.call('HLEN', KEYS[1])
  if free >= (#ARGV - 5) / 2 then
    if #ARGV > 5 then redis.call('HSET', KEYS[1], unpack(ARGV, 6)) end
  else
    for i = 6, #ARGV, 2 do
      if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
      elseif free > 0 then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
        free = free - 1
      end
    end
  end
  redis.call('EXPIRE', KEYS[1], ARGV[3])`;
/** A clock that is ahead of ours by more is worth a warning. */
const AHEAD_MS = 2_000;
/** One device, or one clock, is told of once in this time. */
const WARN_EVERY_MS = 60_000;

interface WithWriteState {
  writeDeviceState(key: string, ...values: (string | number)[]): unknown;
}
const keyOf = (sn: string): string => `{fleet}:device:${sn}`;

export interface DockPresence {
  readonly online: boolean;
  readonly lastSeenAt: string | null;
}

interface Pending {
  readonly fields: Map<string, string>;
  seenAtMs: number;
  rest: Rest;
}

/**
 * The freshest state of each device: a Redis hash with one field for each property, holding its value and when it was
 * received. Partial messages merge by themselves, so any replica may write. A wiped Redis is full again after one
 * cycle of telemetry; properties that are sent only on change come back from the database.
 */
export class DockStates {
  private pending = new Map<string, Pending>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private readonly recent = new RecentStates(HIDES_NO_FLIGHT_MS);
  private askAgainAtMs = 0;
  private ahead = { ms: 0, atMs: 0 };
  private readonly warned = new LRUCache<string, true>({ max: 1_000, ttl: WARN_EVERY_MS });

  constructor(
    private readonly redis: Redis,
    private readonly dataSource: DataSource,
    private readonly logger: Logger,
  ) {
    redis.defineCommand('writeDeviceState', { numberOfKeys: 1, lua: WRITE_STATE });
  }

  start(): void {
    this.timer = setInterval(() => this.flush(), FLUSH_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    this.flush();
    await this.writing;
  }

  /** Takes in a partial message. Never waits. */
  merge(
    sn: string,
    properties: Readonly<Record<string, unknown>>,
    ingressAtMs: number,
    sentAtMs: number | null = null,
  ): void {
    const receivedAtMs = this.notAhead(ingressAtMs);
    const { kept, dropped } = boundedProperties(properties);
    if (dropped > 0)
      this.warn(`bounds ${sn}`, { sn, dropped }, 'left out properties of a device: too many, or too long');
    this.recent.merge(sn, kept, receivedAtMs, sentAtMs);
    let pending = this.pending.get(sn);
    if (pending === undefined) {
      if (this.pending.size >= MAX_PENDING_DEVICES) return;
      pending = { fields: new Map(), seenAtMs: 0, rest: NEITHER };
      this.pending.set(sn, pending);
    }
    pending.seenAtMs = Math.max(pending.seenAtMs, receivedAtMs);
    pending.rest = restOf(pending.rest, kept, receivedAtMs);
    for (const [property, json] of kept) {
      if (pending.fields.size < MAX_FIELDS || pending.fields.has(property)) {
        pending.fields.set(property, `[${receivedAtMs},${json}]`);
      }
    }
    const skewMs = sentAtMs === null ? null : this.recent.of(sn)?.skew.read(receivedAtMs);
    if (skewMs != null) pending.fields.set(SKEW, JSON.stringify([receivedAtMs, skewMs]));
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
    const wanted = properties && new Set(properties);
    const ago = (atMs: string | number | undefined): number | null =>
      atMs === undefined ? null : Math.max(0, nowMs - Number(atMs));
    return Promise.all(
      sns.map(async (sn, index) => {
        let hash = hashes[index] ?? {};
        if (hash[FILLED] === undefined) hash = await this.fill(sn, hash);
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
      }),
    );
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

  /** Puts back what is sent only on change, without touching anything newer. */
  private async fill(sn: string, hash: Record<string, string>): Promise<Record<string, string>> {
    const rows = await this.dataSource.query<{ property: string; value: unknown; received_at: Date }[]>(
      'SELECT property, value, received_at FROM fleet.device_property WHERE sn = $1',
      [sn],
    );
    const pipeline = this.redis.pipeline();
    const stored: Record<string, string> = {};
    for (const { property, value, received_at } of rows) {
      stored[property] = JSON.stringify([received_at.getTime(), value]);
      pipeline.hsetnx(keyOf(sn), property, stored[property]);
    }
    pipeline.hset(keyOf(sn), FILLED, '1');
    await pipeline.exec().catch(() => null);
    return { ...stored, ...hash };
  }

  private flush(): void {
    // One write at a time: while Redis hangs, values go on merging in the bounded map.
    if (this.pending.size === 0 || this.writing !== undefined) return;
    const batch = this.pending;
    this.pending = new Map();
    this.writing = this.write(batch).finally(() => (this.writing = undefined));
  }

  private async write(batch: ReadonlyMap<string, Pending>): Promise<void> {
    try {
      const pipeline = this.redis.pipeline();
      // The command that the constructor defined; the client's types cannot know it.
      const withWriteState = pipeline as unknown as WithWriteState;
      for (const [sn, { fields, seenAtMs, rest }] of batch) {
        withWriteState.writeDeviceState(
          ...([keyOf(sn), seenAtMs, HIDES_NO_FLIGHT_MS, EXPIRE_SECONDS, rest.idleAtMs, rest.busySinceMs] as const),
          ...[...fields].flat(),
        );
      }
      const failed = (await pipeline.exec())?.find(([error]) => error !== null);
      if (failed !== undefined) throw failed[0] ?? new Error('a write failed');
    } catch (error) {
      this.logger.warn({ err: error }, 'failed to write dock states; the next telemetry brings them again');
    }
  }
}

const NEITHER: Rest = { idleAtMs: 0, busySinceMs: 0 };

/** Only Redis has it: one process hears a part of what a device says, and could take a late sign for the first one. */
function restView(
  hash: Readonly<Record<string, string>>,
  ago: (atMs: string | undefined) => number | null,
): Pick<DockStateView, 'idleAgoMs' | 'busyForMs'> {
  const isBusy = Number(hash[BUSY] ?? 0) > Number(hash[IDLE] ?? 0);
  return { idleAgoMs: ago(hash[IDLE]), busyForMs: isBusy ? ago(hash[BUSY]) : null };
}
