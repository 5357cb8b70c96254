import { FLEET_KEYS, FLIGHT_GATE_PROPERTIES } from '@aerie/bus-contract';
import type { Logger } from '@aerie/observability';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { BoundedProperties } from './bounded-properties.js';
import { HIDES_NO_FLIGHT_MS, ONLINE_WITHIN_MS } from './sight.js';
import { type Rest, restOf } from './rest.js';

/** What is kept in the hash of a device beside its properties. */
export const SEEN = '_seen';
export const BACK = '_back';
export const SKEW = '_skew';
/** When the device last said that it is idle, and when it first said since that it is not. */
export const IDLE = '_idle';
export const BUSY = '_busy';

export const keyOf = (sn: string): string => `${FLEET_KEYS}device:${sn}`;

/** Pending values of all devices are written this often, those of a device that has news at once. */
const FLUSH_MS = 1_000;
/** News wait so long for each other: about ten writes a second for each dock, however much it sends. */
const SOON_MS = 100;
/** A value that does not change is written again after this long: how old it is stays known that well. */
const RENEW_MS = 10_000;
/** Devices with pending values; more than this and telemetry, which comes again, is dropped. */
const MAX_PENDING_DEVICES = 50_000;
/** Devices of which is remembered what was written, about 15 KB each. One that is forgotten is written as a whole. */
const MAX_REMEMBERED_DEVICES = 5_000;
/** A longer text is not remembered, and written each time that it comes. */
const MAX_REMEMBERED_TEXT = 256;
/** Properties of one device, over all its messages. A dock has some two hundred; beyond it only known ones are renewed. */
const MAX_FIELDS = 1_000;
/** Of one command to Redis: all others wait while it runs. */
const MAX_DEVICES_PER_WRITE = 64;
const MAX_FIELDS_PER_WRITE = 2_000;
/** The state of a device that has been silent for a week is no state. */
const EXPIRE_SECONDS = 7 * 24 * 3_600;
const RENEW_EXPIRY_MS = 3_600_000;
/** A clock that is ahead of ours by more is wrong. */
export const AHEAD_MS = 2_000;

/**
 * What decides about a start is written each time that it comes: another replica may have written another value in
 * between, which this one cannot know.
 */
const GATES: ReadonlySet<string> = new Set(FLIGHT_GATE_PROPERTIES);
/** A change of these is news: what a dock does, and whether it may. */
const NEWS: ReadonlySet<string> = new Set([
  'mode_code',
  'flighttask_step_code',
  'drone_in_dock',
  'cover_state',
  'emergency_stop_state',
]);

/**
 * Writes values of many devices, and notes when each was heard again after a long silence, when it was idle last and since
 * when it is busy. One step, so that replicas may race and overtake each other: nothing is written over what is newer,
 * unless that claims to be from the future. A device whose hash is full gets no further properties, however many names
 * it invents. Returns the positions of the devices of which nothing was known.
 *
 * ARGV: the time now; then of each key: when it was heard, idle, busy, whether to renew its expiry, how many properties,
 * and their names and values.
 */
const WRITE_STATES = `
  local now, at, unknown, write = tonumber(ARGV[1]), 2, {}, {}
  local function put(name, value)
    write[#write + 1] = name
    write[#write + 1] = value
  end
  local function isNewer(stored, told)
    return stored and stored > told and stored <= now + ${AHEAD_MS}
  end
  local function timeOf(text)
    return tonumber(string.match(text, '^%[(%d+)'))
  end
  for k, key in ipairs(KEYS) do
    local told, count = tonumber(ARGV[at]), tonumber(ARGV[at + 4])
    local names = { '${SEEN}', '${IDLE}', '${BUSY}' }
    for i = 1, count do names[i + 3] = ARGV[at + 3 + 2 * i] end
    local stored = redis.call('HMGET', key, unpack(names))
    write = {}

    local seen = tonumber(stored[1])
    if not seen then unknown[#unknown + 1] = k end
    if not seen or told - seen > ${HIDES_NO_FLIGHT_MS} then put('${BACK}', told) end
    if not isNewer(seen, told) then put('${SEEN}', told) end

    local idle = math.max(tonumber(stored[2]) or 0, tonumber(ARGV[at + 1]))
    if idle > 0 then put('${IDLE}', idle) end
    local busy, toldBusy = tonumber(stored[3]) or 0, tonumber(ARGV[at + 2])
    if toldBusy > idle and (busy <= idle or toldBusy < busy) then put('${BUSY}', toldBusy) end

    local free
    for i = 1, count do
      local value, before = ARGV[at + 4 + 2 * i], stored[i + 3]
      if not before then
        free = free or ${MAX_FIELDS} - 6 - redis.call('HLEN', key)
        if free > 0 then put(names[i + 3], value) end
        free = free - 1
      elseif not isNewer(timeOf(before), timeOf(value)) then
        put(names[i + 3], value)
      end
    end
    if #write > 0 then redis.call('HSET', key, unpack(write)) end
    if not seen or ARGV[at + 3] == '1' then redis.call('EXPIRE', key, ${EXPIRE_SECONDS}) end
    at = at + 5 + 2 * count
  end
  return unknown`;

interface WithWriteStates {
  writeDeviceStates(keys: number, ...values: (string | number)[]): unknown;
}

interface Value {
  readonly json: string;
  readonly atMs: number;
}

interface Pending {
  readonly fields: Map<string, Value>;
  seenAtMs: number;
  rest: Rest;
  renewExpiry: boolean;
}

interface Written {
  readonly values: Map<string, { readonly json: string | null; readonly atMs: number }>;
  seenAtMs: number;
  expiryAtMs: number;
  /** Redis has taken some of it. */
  isKept: boolean;
}

/** What is said of a device at once. */
export interface Told {
  readonly properties: BoundedProperties['kept'];
  readonly receivedAtMs: number;
  /** How far its clock is off, ms; null: not measured. */
  readonly skewMs: number | null;
  /** It is sent only on change: it is written whatever was written before. */
  readonly onChange: boolean;
}

const NEITHER: Rest = { idleAtMs: 0, busySinceMs: 0 };

/**
 * Writes the states of devices to Redis: what changed once a second, what decides about a start each time that it came,
 * all else every ten seconds. What could not be written is kept and written with the next.
 */
export class StateWriter {
  private pending = new Map<string, Pending>();
  /** Devices with news. */
  private readonly urgent = new Set<string>();
  private readonly written = new LRUCache<string, Written>({ max: MAX_REMEMBERED_DEVICES });
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly logger: Logger,
  ) {
    redis.defineCommand('writeDeviceStates', { lua: WRITE_STATES });
  }

  start(): void {
    this.timer = setInterval(() => this.flush(this.pending), FLUSH_MS);
    this.flushSoon();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.timer = undefined;
    await this.writing;
    this.flush(this.pending);
    await this.writing;
  }

  /** Never waits. */
  take(sn: string, { properties, receivedAtMs, skewMs, onChange }: Told): void {
    const pending = this.pending.get(sn) ?? this.begin(sn);
    if (pending === undefined) return;
    const written = this.writtenOf(sn, receivedAtMs);
    pending.seenAtMs = Math.max(pending.seenAtMs, receivedAtMs);
    pending.rest = restOf(pending.rest, properties, receivedAtMs);
    if (written.expiryAtMs <= receivedAtMs) {
      written.expiryAtMs = receivedAtMs + RENEW_EXPIRY_MS;
      pending.renewExpiry = true;
    }
    for (const [property, json] of properties) {
      const before = written.values.get(property);
      const changed = before?.json !== json;
      if (changed && NEWS.has(property)) this.urge(sn);
      if (changed || onChange || GATES.has(property) || isDue(before, receivedAtMs) || pending.fields.has(property)) {
        put(property, json, { pending, written, receivedAtMs });
      }
    }
    if (skewMs === null) return;
    const [json, before] = [String(skewMs), written.values.get(SKEW)];
    if (before?.json !== json || isDue(before, receivedAtMs)) put(SKEW, json, { pending, written, receivedAtMs });
  }

  private begin(sn: string): Pending | undefined {
    if (this.pending.size >= MAX_PENDING_DEVICES) return undefined;
    const pending = { fields: new Map<string, Value>(), seenAtMs: 0, rest: NEITHER, renewExpiry: false };
    this.pending.set(sn, pending);
    return pending;
  }

  private writtenOf(sn: string, receivedAtMs: number): Written {
    let written = this.written.get(sn);
    if (written === undefined) {
      written = { values: new Map(), seenAtMs: receivedAtMs, expiryAtMs: 0, isKept: false };
      this.written.set(sn, written);
      this.urge(sn);
    }
    if (receivedAtMs - written.seenAtMs > ONLINE_WITHIN_MS) this.urge(sn);
    written.seenAtMs = receivedAtMs;
    return written;
  }

  private urge(sn: string): void {
    this.urgent.add(sn);
    this.flushSoon();
  }

  private flushSoon(): void {
    if (this.timer === undefined || this.urgent.size === 0) return;
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
      const news = [...this.urgent].flatMap((sn): [string, Pending][] => {
        const pending = this.pending.get(sn);
        return pending === undefined ? [] : [[sn, pending]];
      });
      this.flush(new Map(news));
    }, SOON_MS);
  }

  private flush(batch: ReadonlyMap<string, Pending>): void {
    // One write at a time: while Redis hangs, values go on merging in the bounded map.
    if (batch.size === 0 || this.writing !== undefined) return;
    if (batch === this.pending) this.pending = new Map();
    for (const sn of batch.keys()) {
      this.pending.delete(sn);
      this.urgent.delete(sn);
    }
    this.writing = this.write([...batch]).finally(() => {
      this.writing = undefined;
      this.flushSoon();
    });
  }

  private async write(batch: readonly Device[]): Promise<void> {
    const parts = inParts(batch);
    const pipeline = this.redis.pipeline();
    // The command that the constructor defined; the client's types cannot know it.
    const withWriteStates = pipeline as unknown as WithWriteStates;
    for (const part of parts) withWriteStates.writeDeviceStates(part.length, ...argumentsOf(part, Date.now()));
    const results = await pipeline.exec().catch((error: unknown) => parts.map(() => [error, null] as const));
    const failures = parts.flatMap((part, index) => {
      const [error, unknown] = results?.[index] ?? [new Error('no answer'), null];
      if (error === null) {
        this.noteKept(part, new Set(unknown as number[]));
        return [];
      }
      for (const device of part) this.putBack(device);
      return [error];
    });
    if (failures.length === 0) return;
    this.logger.warn({ err: failures[0] }, 'failed to write dock states; they are written again in a second');
  }

  private noteKept(part: readonly Device[], unknown: ReadonlySet<number>): void {
    part.forEach(([sn], index) => {
      const written = this.written.peek(sn);
      if (written === undefined) return;
      // Redis was wiped: what was written before is gone too.
      if (written.isKept && unknown.has(index + 1)) this.written.delete(sn);
      written.isKept = true;
    });
  }

  /** Under what has come since. */
  private putBack([sn, failed]: Device): void {
    const newer = this.pending.get(sn) ?? this.begin(sn);
    if (newer === undefined) {
      this.written.delete(sn);
      return;
    }
    for (const [property, value] of failed.fields) setNewest(newer, property, value);
    newer.seenAtMs = Math.max(newer.seenAtMs, failed.seenAtMs);
    newer.rest = later(failed.rest, newer.rest);
    newer.renewExpiry ||= failed.renewExpiry;
  }
}

type Device = readonly [sn: string, pending: Pending];

interface Place {
  readonly pending: Pending;
  readonly written: Written;
  readonly receivedAtMs: number;
}

function put(property: string, json: string, { pending, written, receivedAtMs }: Place): void {
  setNewest(pending, property, { json, atMs: receivedAtMs });
  if (written.values.size >= MAX_FIELDS && !written.values.has(property)) return;
  written.values.set(property, { json: json.length > MAX_REMEMBERED_TEXT ? null : json, atMs: receivedAtMs });
}

function setNewest({ fields }: Pending, property: string, value: Value): void {
  const before = fields.get(property);
  if (before === undefined ? fields.size < MAX_FIELDS : before.atMs <= value.atMs) fields.set(property, value);
}

const isDue = (before: { readonly atMs: number } | undefined, nowMs: number): boolean =>
  before === undefined || nowMs - before.atMs >= RENEW_MS;

/** What both say together of when a device was idle and busy; the first one was said before the other. */
function later(first: Rest, second: Rest): Rest {
  const idleAtMs = Math.max(first.idleAtMs, second.idleAtMs);
  const busy = [first.busySinceMs, second.busySinceMs].filter((sinceMs) => sinceMs > idleAtMs);
  return { idleAtMs, busySinceMs: busy.length === 0 ? 0 : Math.min(...busy) };
}

function inParts(batch: readonly Device[]): Device[][] {
  const parts: Device[][] = [];
  let fields = Infinity;
  for (const device of batch) {
    const last = parts.at(-1);
    fields += device[1].fields.size;
    if (last !== undefined && last.length < MAX_DEVICES_PER_WRITE && fields <= MAX_FIELDS_PER_WRITE) last.push(device);
    else {
      parts.push([device]);
      fields = device[1].fields.size;
    }
  }
  return parts;
}

function argumentsOf(part: readonly Device[], nowMs: number): (string | number)[] {
  const values: (string | number)[] = part.map(([sn]) => keyOf(sn));
  values.push(nowMs);
  for (const [, { fields, seenAtMs, rest, renewExpiry }] of part) {
    values.push(seenAtMs, rest.idleAtMs, rest.busySinceMs, renewExpiry ? 1 : 0, fields.size);
    for (const [property, { json, atMs }] of fields) values.push(property, `[${atMs},${json}]`);
  }
  return values;
}
