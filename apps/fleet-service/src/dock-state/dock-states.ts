import type { DockStateView } from '@aerie/bus-contract';
import { UnavailableError } from '@aerie/kernel';
import type { Redis } from 'ioredis';
import type { Logger } from '@aerie/observability';
import { DataSource } from 'typeorm';

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
const keyOf = (sn: string): string => `{fleet}:device:${sn}`;

export interface DockPresence {
  readonly online: boolean;
  readonly lastSeenAt: string | null;
}

interface Pending {
  readonly fields: Map<string, string>;
  seenAtMs: number;
}

/**
 * The freshest state of each device: a Redis hash with one field for each property, holding its value and when it was
 * received. Partial messages merge by themselves, so any replica may write. A wiped Redis is full again after one
 * cycle of telemetry; properties that are sent only on change come back from the database.
 */
export class DockStates {
  private pending = new Map<string, Pending>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly redis: Redis,
    private readonly dataSource: DataSource,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.flush(), FLUSH_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.flush();
    await this.flushing;
  }

  /** Takes in a partial message. Never waits. */
  merge(sn: string, properties: Readonly<Record<string, unknown>>, receivedAtMs: number): void {
    let pending = this.pending.get(sn);
    if (pending === undefined) {
      if (this.pending.size >= MAX_PENDING_DEVICES) return;
      pending = { fields: new Map(), seenAtMs: 0 };
      this.pending.set(sn, pending);
    }
    pending.seenAtMs = Math.max(pending.seenAtMs, receivedAtMs);
    for (const [property, value] of Object.entries(properties)) {
      if (!property.startsWith('_')) pending.fields.set(property, JSON.stringify([receivedAtMs, value]));
    }
  }

  /** The dock said something, whatever it was. */
  seen(sn: string, receivedAtMs: number): void {
    this.merge(sn, {}, receivedAtMs);
  }

  async read(sns: readonly string[]): Promise<DockStateView[]> {
    const nowMs = Date.now();
    const hashes = await this.hashes(sns);
    return Promise.all(
      sns.map(async (sn, index) => {
        let hash = hashes[index] ?? {};
        if (hash[FILLED] === undefined) hash = await this.fill(sn, hash);
        const properties = Object.fromEntries(
          Object.entries(hash)
            .filter(([property]) => !property.startsWith('_'))
            .map(([property, text]) => {
              const [receivedAtMs, value] = JSON.parse(text) as [number, unknown];
              return [property, { value, agoMs: Math.max(0, nowMs - receivedAtMs) }];
            }),
        );
        const seen = hash[SEEN];
        return { sn, seenAgoMs: seen === undefined ? null : Math.max(0, nowMs - Number(seen)), properties };
      }),
    );
  }

  async presence(sns: readonly string[]): Promise<Map<string, DockPresence>> {
    const nowMs = Date.now();
    const pipeline = this.redis.pipeline();
    for (const sn of sns) pipeline.hget(keyOf(sn), SEEN);
    const results = (await pipeline.exec().catch(() => null)) ?? [];
    return new Map(
      sns.map((sn, index): [string, DockPresence] => {
        const seen = results[index]?.[1];
        if (typeof seen !== 'string') return [sn, { online: false, lastSeenAt: null }];
        const seenAtMs = Number(seen);
        return [sn, { online: nowMs - seenAtMs < ONLINE_WITHIN_MS, lastSeenAt: new Date(seenAtMs).toISOString() }];
      }),
    );
  }

  private async hashes(sns: readonly string[]): Promise<Record<string, string>[]> {
    const pipeline = this.redis.pipeline();
    for (const sn of sns) pipeline.hgetall(keyOf(sn));
    const results = await pipeline.exec().catch((error: unknown) => {
      throw new UnavailableError('state_unavailable', 'failed to read dock states, try again', { cause: error });
    });
    return (results ?? []).map(([, hash]) => (hash ?? {}) as Record<string, string>);
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
    await pipeline.exec();
    return { ...stored, ...hash };
  }

  private flush(): void {
    if (this.pending.size === 0) return;
    const batch = this.pending;
    this.pending = new Map();
    this.flushing = this.flushing.then(() => this.write(batch));
  }

  private async write(batch: ReadonlyMap<string, Pending>): Promise<void> {
    try {
      const pipeline = this.redis.pipeline();
      for (const [sn, { fields, seenAtMs }] of batch) {
        pipeline.hset(keyOf(sn), ...[...fields].flat(), SEEN, String(seenAtMs));
        pipeline.expire(keyOf(sn), EXPIRE_SECONDS);
      }
      await pipeline.exec();
    } catch (error) {
      this.logger.warn({ err: error }, 'failed to write dock states; the next telemetry brings them again');
    }
  }
}
