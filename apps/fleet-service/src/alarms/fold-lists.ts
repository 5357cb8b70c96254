/** An alarm that comes back so soon is the same one, so that one that comes and goes with each message is one row. */
export const SAME_ALARM_WITHIN_MS = 60_000;
/** How exactly it is kept when an open alarm was seen last. */
export const SEEN_EVERY_MS = 600_000;

/**
 * Alarms of one device that are open or were closed within `SAME_ALARM_WITHIN_MS`. Real ones have a handful; a device that makes
 * codes up opens no more until the minute is over.
 */
const MOST_KNOWN = 300;

/** What of an alarm may change while it is open. */
export interface AlarmFacets {
  readonly level: number | null;
  readonly inTheSky: boolean;
  readonly imminent: boolean;
}

/** Something that a device says is wrong with it. */
export interface SaidAlarm extends AlarmFacets {
  readonly code: string;
  readonly componentIndex: number | null;
  readonly sensorIndex: number | null;
  readonly module: number | null;
  readonly deviceType: string | null;
}

/** An alarm as a row has it; `id` null: it has none yet. */
export interface Alarm extends SaidAlarm {
  readonly id: string | null;
  readonly openedAtMs: number;
  readonly seenAtMs: number;
  /** Null while it is open. */
  readonly closedAtMs: number | null;
  /** How often it was opened. */
  readonly times: number;
}

/** All that was wrong with one device at an instant. */
export interface AlarmList {
  readonly receivedAtMs: number;
  readonly alarms: readonly SaidAlarm[];
}

/** What is kept of one device: alarms that are open, and those that were closed within `SAME_ALARM_WITHIN_MS`. */
export interface KnownAlarms {
  readonly alarms: readonly Alarm[];
  /** When the newest list came that changed anything. Older ones come again, and change nothing any more. */
  readonly heardAtMs: number | null;
}

export type AlarmEvent = 'alarmOpened' | 'alarmWorsened' | 'alarmClosed';

export interface FoldedAlarms {
  /** Those whose rows have to be written; with an id where there is a row. */
  readonly changed: readonly Alarm[];
  /** What others are told, in the order in which it happened. */
  readonly events: readonly { readonly event: AlarmEvent; /** As it was then. */ readonly alarm: Alarm }[];
  readonly heardAtMs: number | null;
}

const keyOf = ({ code, componentIndex, sensorIndex }: SaidAlarm): string =>
  JSON.stringify([code, componentIndex, sensorIndex]);

const isSame = (one: AlarmFacets, other: AlarmFacets): boolean =>
  one.level === other.level && one.inTheSky === other.inTheSky && one.imminent === other.imminent;

const isWorse = (now: AlarmFacets, before: AlarmFacets): boolean =>
  (now.imminent && !before.imminent) || (now.level ?? -1) > (before.level ?? -1);

/**
 * What the lists of one device do to its alarms: what a list has is open, what it has not is over. Most lists say again what
 * the one before said, and change nothing.
 */
export function foldLists(known: KnownAlarms, lists: readonly AlarmList[]): FoldedAlarms {
  const fold = new Fold(known);
  for (const list of lists.toSorted((one, other) => one.receivedAtMs - other.receivedAtMs)) fold.take(list);
  return fold.result();
}

class Fold {
  private readonly alarms: Alarm[];
  /** Of each thing that can be wrong the newest alarm: its place in `alarms`. */
  private readonly newest: Map<string, number>;
  private readonly changed = new Set<number>();
  private readonly events: FoldedAlarms['events'][number][] = [];
  private heardAtMs: number | null;

  constructor({ alarms, heardAtMs }: KnownAlarms) {
    this.alarms = alarms.toSorted((one, other) => one.openedAtMs - other.openedAtMs);
    this.newest = new Map(this.alarms.map((alarm, place) => [keyOf(alarm), place]));
    this.heardAtMs = heardAtMs;
  }

  take({ receivedAtMs, alarms }: AlarmList): void {
    if (this.heardAtMs !== null && receivedAtMs <= this.heardAtMs) return;
    const present = new Map(alarms.map((said) => [keyOf(said), said]));
    for (const [key, said] of present) this.isThere(key, said, receivedAtMs);
    for (const [key, place] of this.newest) {
      const alarm = this.alarms[place] as Alarm;
      if (alarm.closedAtMs === null && !present.has(key)) this.close(place, alarm, receivedAtMs);
    }
  }

  result(): FoldedAlarms {
    const changed = [...this.changed].map((place) => this.alarms[place] as Alarm);
    return { changed, events: this.events, heardAtMs: this.heardAtMs };
  }

  private isThere(key: string, said: SaidAlarm, atMs: number): void {
    const place = this.newest.get(key);
    const before = place === undefined ? undefined : this.alarms[place];
    const { level, inTheSky, imminent } = said;
    const facets = { level, inTheSky, imminent };
    if (before === undefined || place === undefined) {
      this.open(key, said, atMs);
    } else if (before.closedAtMs === null) {
      if (isSame(before, facets) && atMs - before.seenAtMs < SEEN_EVERY_MS) return;
      const event = isWorse(facets, before) ? 'alarmWorsened' : undefined;
      this.set(place, { ...before, ...facets, seenAtMs: atMs }, atMs, event);
    } else if (atMs - before.closedAtMs <= SAME_ALARM_WITHIN_MS) {
      const opened = { ...before, ...facets, seenAtMs: atMs, closedAtMs: null, times: before.times + 1 };
      this.set(place, opened, atMs, 'alarmOpened');
    } else {
      this.open(key, said, atMs);
    }
  }

  private open(key: string, said: SaidAlarm, atMs: number): void {
    if (this.alarms.length >= MOST_KNOWN) return;
    const place = this.alarms.length;
    this.newest.set(key, place);
    const times = { openedAtMs: atMs, seenAtMs: atMs, closedAtMs: null, times: 1 };
    this.set(place, { id: null, ...said, ...times }, atMs, 'alarmOpened');
  }

  private close(place: number, alarm: Alarm, atMs: number): void {
    this.set(place, { ...alarm, closedAtMs: atMs }, atMs, 'alarmClosed');
  }

  private set(place: number, alarm: Alarm, atMs: number, event?: AlarmEvent): void {
    this.alarms[place] = alarm;
    this.changed.add(place);
    this.heardAtMs = atMs;
    if (event !== undefined) this.events.push({ event, alarm });
  }
}
