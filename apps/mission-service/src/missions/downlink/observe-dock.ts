import {
  type DockRecord,
  type DockStateView,
  FLIGHT_GATE_PROPERTIES,
  dockStateQuestion,
  docksQuestion,
} from '@aerie/bus-contract';
import { type Backlog, type NatsConnection, ask } from '@aerie/messaging';
import type { Observation } from '@aerie/mission-core';

/** A value that is older says nothing about now. Docks send telemetry every two seconds. */
const FRESH_MS = 15_000;
/** [Cloud API, dock properties] `mode_code` 0: idle. */
const MODE_IDLE = 0;
/** `flighttask_step_code` 1: in flight; 5: idle. */
const STEP_IN_FLIGHT = 1;
const STEP_IDLE = 5;

/** Most docks that one question may name. */
const BATCH = 200;

/** What docks said must be handled this soon after a look, or the look proves nothing. */
const HANDLED_WITHIN_MS = 5_000;
/** What a dock said before it rested may be on its way to us that long. */
const ON_ITS_WAY_MS = 2_000;

/** What docks said and this service has not handled yet, by lane. */
export interface DockBacklogs {
  /** Replies and requests. */
  readonly replies: Backlog;
  /** Replies, requests and events. */
  readonly all: Backlog;
}

/** Looks at docks through the state that fleet-service keeps. */
export class ObserveDock {
  private looking: Promise<boolean> | undefined;
  private next: Promise<boolean> | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly backlogs: DockBacklogs,
  ) {}

  /** Whether everything that had been stored in these lanes when this was called has been handled, or is soon. */
  hasRead(lanes: keyof DockBacklogs): Promise<boolean> {
    return this.backlogs[lanes].handledUntilNow(HANDLED_WITHIN_MS);
  }

  /** What decides whether docks may fly. Rejects when nobody answers. */
  async look(sns: readonly string[]): Promise<ReadonlyMap<string, DockStateView>> {
    const views = await this.views(sns);
    return new Map(views.map((view) => [view.sn, view]));
  }

  /**
   * What fleet-service has recorded of docks, such as the model of the aircraft. Null: the dock is no longer in service.
   * Rejects when nobody answers.
   */
  async records(sns: readonly string[]): Promise<ReadonlyMap<string, DockRecord | null>> {
    const unique = [...new Set(sns)];
    const records = new Map<string, DockRecord | null>(unique.map((sn) => [sn, null]));
    for (let start = 0; start < unique.length; start += BATCH) {
      const { docks } = await ask(this.connection, docksQuestion, { sns: unique.slice(start, start + BATCH) });
      for (const dock of docks) records.set(dock.sn, dock);
    }
    return records;
  }

  /**
   * What a dock shows now. That it rests says nothing as long as its own words wait to be read: after an outage of ours it
   * may have flown and landed, and its report lies in the stream.
   */
  async observe(sn: string): Promise<Observation> {
    const [view] = await this.views([sn]).catch(() => []);
    const observation = view === undefined ? UNKNOWN : observationOf(view);
    return observation.shows === 'resting' && !(await this.hasHeardAll()) ? UNKNOWN : observation;
  }

  /** Whether everything that docks had said when this was called has been handled. One look serves all who ask meanwhile. */
  hasHeardAll(): Promise<boolean> {
    if (this.looking === undefined) return this.beginLook();
    // That look began before this question; the next one begins after it.
    this.next ??= this.looking.then(() => this.beginLook());
    return this.next;
  }

  private beginLook(): Promise<boolean> {
    this.next = undefined;
    this.looking = this.lookForBacklog().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async lookForBacklog(): Promise<boolean> {
    if (!(await this.hasRead('all'))) return false;
    await new Promise((resolve) => setTimeout(resolve, ON_ITS_WAY_MS));
    return this.hasRead('all');
  }

  private async views(sns: readonly string[]): Promise<DockStateView[]> {
    const unique = [...new Set(sns)];
    const views: DockStateView[] = [];
    for (let start = 0; start < unique.length; start += BATCH) {
      const { docks } = await ask(this.connection, dockStateQuestion, {
        sns: unique.slice(start, start + BATCH),
        properties: [...FLIGHT_GATE_PROPERTIES],
      });
      views.push(...docks);
    }
    return views;
  }
}

/**
 * How long ago the dock said that its aircraft is not inside, where that was its last word, however old: a dock that
 * floods may have its telemetry left out, and silence brings no aircraft home. Null: it said otherwise, or never.
 */
export function aircraftOutAgoMs({ properties }: DockStateView): number | null {
  const inside = properties['drone_in_dock'];
  return inside === undefined || inside.value === null || inside.value === 1 ? null : inside.agoMs;
}

const UNKNOWN: Observation = { shows: 'unknown' };

/**
 * Rest needs every witness: dock idle, task idle, aircraft inside. Flying needs the dock's own word that a task is in
 * flight. Anything else, also anything old, is unknown.
 */
export function observationOf({ properties, backAgoMs }: DockStateView): Observation {
  const fresh = (name: string): { readonly value: unknown; readonly agoMs: number } | undefined => {
    const property = properties[name];
    return property !== undefined && property.agoMs <= FRESH_MS ? property : undefined;
  };
  const [step, mode, inside] = (['flighttask_step_code', 'mode_code', 'drone_in_dock'] as const).map(fresh);
  if (step?.value === STEP_IN_FLIGHT && inside?.value === 0) return { shows: 'flying' };
  if (step?.value !== STEP_IDLE || mode?.value !== MODE_IDLE || inside?.value !== 1) return UNKNOWN;
  return { shows: 'resting', saidAgoMs: Math.max(step.agoMs, mode.agoMs, inside.agoMs), inSightForMs: backAgoMs };
}
