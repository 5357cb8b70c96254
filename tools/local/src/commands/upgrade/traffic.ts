import { setTimeout as pause } from 'node:timers/promises';
import { type DockHandle, startDock } from '@aerie/dock-simulator';
import { type Api, good, registerDock } from '../../stack/api.js';
import { hasEnded } from '../../stack/has-ended.js';

export interface Flown {
  readonly id: string;
  readonly sn: string;
  /** What of the upgrade it was planned for. */
  readonly story: string;
  state: string;
  cause: unknown;
}

const HOME = { latitude: 46.5, longitude: 6.6, heightMeters: 450 };
const LOOK_EVERY_MS = 500;
/** Below 30 % a dock refuses to start. */
const RESTED_PERCENT = 50;
/** A list or a file that a dock was asked for in the middle of a switch is asked for again after minutes. */
const UPLOAD_WITHIN_MS = 300_000;

interface MissionView {
  readonly id: string;
  readonly dockSn: string;
  readonly state: string;
  readonly cause: unknown;
}

/** Docks that fly and upload logs without a pause, and whoever plans and reads their missions. */
export class Traffic {
  readonly docks: DockHandle[] = [];
  readonly missions: Flown[] = [];
  /** Of log uploads: how they ended, and after how long. */
  readonly uploads: { readonly id: string; readonly sn: string; readonly end: string; readonly seconds: number }[] = [];
  /** What an open door refused or did not answer. */
  readonly refusals: string[] = [];
  /** What of the upgrade runs now. */
  story = '';
  private count = 0;
  private isPaused = true;
  private readonly loops: Promise<void>[] = [];

  constructor(
    private door: Api,
    private readonly waylineId: string,
  ) {}

  /** From now on everything goes through the edge of another release. */
  through(door: Api): void {
    this.door = door;
  }

  async dock(speed: number): Promise<DockHandle> {
    const sn = `UPG-${String(++this.count).padStart(3, '0')}`;
    const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = await registerDock(
      this.door,
      sn,
      'dock2',
      sn,
    );
    const dock = await startDock({
      ...{ sn, mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode, speed },
      ...{ position: HOME, progressIntervalMs: 1_000, osdIntervalMs: 1_000, logBytes: 200_000 },
    });
    this.docks.push(dock);
    await dock.waitFor('online', 30_000);
    return dock;
  }

  /** Missions that were planned in this story and have ended. */
  endedOf(story: string): number {
    return this.missions.filter((one) => one.story === story && hasEnded(one.state)).length;
  }

  /** One mission, immediate or so many milliseconds from now. */
  async plan(dock: DockHandle, inMs?: number): Promise<Flown> {
    const when =
      inMs === undefined
        ? { kind: 'immediate' }
        : { kind: 'timed', executeAt: new Date(Date.now() + inMs).toISOString() };
    const body = { dockSn: dock.sn, waylineId: this.waylineId, rthAltitudeMeters: 60, ...when };
    const { id } = good(await this.door.post<MissionView>('/missions', body));
    const flown: Flown = { id, sn: dock.sn, story: this.story, state: 'planned', cause: null };
    this.missions.push(flown);
    return flown;
  }

  async look(flown: Flown): Promise<Flown> {
    const { state, cause } = good(await this.door.get<MissionView>(`/missions/${flown.id}`));
    return Object.assign(flown, { state, cause });
  }

  async ended(flown: Flown, withinMs: number): Promise<Flown> {
    const giveUpAtMs = Date.now() + withinMs;
    while (!hasEnded((await this.look(flown)).state)) {
      if (Date.now() > giveUpAtMs) return flown;
      await pause(LOOK_EVERY_MS);
    }
    return flown;
  }

  /** Each of these docks flies, and each of those uploads its logs, one after the other, until it is paused. */
  resume(flying: readonly DockHandle[], logging: readonly DockHandle[]): void {
    this.isPaused = false;
    for (const dock of flying) this.loops.push(this.loop(`mission of ${dock.sn}`, () => this.fly(dock)));
    for (const dock of logging) this.loops.push(this.loop(`log upload of ${dock.sn}`, () => this.upload(dock)));
    this.loops.push(this.loop('lists', () => this.list()));
  }

  /** Everything under way has ended afterwards. */
  async pause(): Promise<void> {
    this.isPaused = true;
    await Promise.all(this.loops.splice(0));
  }

  async stop(): Promise<void> {
    this.isPaused = true;
    await Promise.all(this.docks.map((dock) => dock.stop()));
  }

  private async loop(what: string, step: () => Promise<void>): Promise<void> {
    while (!this.isPaused) {
      try {
        await step();
      } catch (error) {
        this.refusals.push(`${new Date().toISOString()} ${what}: ${(error as Error).message}`);
        await pause(LOOK_EVERY_MS);
      }
    }
  }

  private async fly(dock: DockHandle): Promise<void> {
    if (dock.state.batteryPercent < RESTED_PERCENT) return void (await pause(LOOK_EVERY_MS));
    await this.ended(await this.plan(dock), 120_000);
  }

  private async upload(dock: DockHandle): Promise<void> {
    interface Upload {
      readonly id: string;
      readonly state: string;
      readonly final: boolean;
      readonly cause: { readonly code: string } | null;
    }
    const { id } = good(await this.door.post<Upload>('/log-uploads', { dockSn: dock.sn, latest: { count: 1 } }));
    const startedMs = Date.now();
    for (;;) {
      const { state, final, cause } = good(await this.door.get<Upload>(`/log-uploads/${id}`));
      const tookMs = Date.now() - startedMs;
      if (final || tookMs > UPLOAD_WITHIN_MS) {
        const end = cause === null ? state : `${state} (${cause.code})`;
        this.uploads.push({ id, sn: dock.sn, end, seconds: Math.round(tookMs / 1_000) });
        return;
      }
      await pause(LOOK_EVERY_MS);
    }
  }

  /** What a person looks at all the time; what was planned has to be in it. */
  private async list(): Promise<void> {
    await pause(LOOK_EVERY_MS);
    const planned = this.missions.at(-1);
    for (const path of ['/docks', '/log-uploads', '/missions?limit=100']) {
      const { items } = good(await this.door.get<{ items: readonly { id?: string }[] }>(path));
      if (!path.startsWith('/missions') || planned === undefined) continue;
      if (!items.some(({ id }) => id === planned.id)) throw new Error(`mission ${planned.id} is in no list`);
    }
  }
}
