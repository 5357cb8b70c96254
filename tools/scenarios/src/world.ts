import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type DockHandle, type DockOptions, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import {
  Api,
  type DockConnection,
  type ServiceName,
  Stack,
  good,
  hasEnded,
  otherBroker,
  registerDock,
} from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Tap } from './tap.js';

export interface MissionView {
  readonly id: string;
  readonly dockSn: string;
  readonly state: string;
  readonly version: number;
  readonly attempt: number;
  readonly executeAt: string | null;
  readonly deadline: string | null;
  readonly cause: {
    readonly code: string;
    readonly dockResult?: number;
    readonly dockError?: { readonly en: string; readonly zh: string } | null;
    readonly failedRules?: readonly string[];
  } | null;
  readonly resumedFrom: string | null;
  readonly resolution: unknown;
  readonly progress: { readonly status: string; readonly mediaCount: number | null } | null;
}

export interface TimelineEntry {
  readonly at: string;
  readonly kind: string;
  readonly what: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly version: number | null;
  readonly detail: Record<string, unknown>;
}

export interface CommandView {
  readonly id: string;
  readonly method: string;
  readonly requestedBy: string | null;
  readonly reason: string | null;
  readonly notAfter: string;
  readonly outcome: string | null;
  readonly reply: { readonly result: number; readonly error: { readonly en: string } | null } | null;
}

/** An error as the API answers it. */
export interface ProblemView {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
  readonly choices?: readonly { readonly action: string }[];
  readonly conflicts?: readonly { readonly id: string; readonly until: string }[];
  readonly version?: number;
}

const AIRCRAFT = { dock1: 'M30T', dock2: 'M3TD', dock3: 'M4TD' } as const;

/** Docks and the route lie in one place, so that a flight is short. */
export const HOME = { latitude: 46.5, longitude: 6.6, heightMeters: 450 };

/** Short deadlines, so that a story of half an hour is told in half a minute. All rules stay the same. */
const QUICK: Readonly<Record<string, string>> = {
  MISSION_EXECUTE_LEAD_MS: '0',
  MISSION_REPLY_DEADLINE_MS: '4000',
  MISSION_IMMEDIATE_REPLY_DEADLINE_MS: '2000',
  MISSION_START_WINDOW_MS: '6000',
  MISSION_START_GRACE_MS: '4000',
};

/** The same for logs. Those of failed missions are collected only in the stories that are about it: each takes the dock. */
const QUICK_LOGS: Readonly<Record<string, string>> = {
  LOG_LIST_REPLY_MS: '4000',
  LOG_SILENCE_MS: '6000',
  LOG_REPEAT_MS: '1000',
  LOG_HOLD_MS: '1000',
  LOG_LONGEST_HOLD_MS: '4000',
  LOG_OVERHEAD_MS: '15000',
  LOG_COLLECT_ON_FAILURE: 'off',
};

/** One whole Aerie with simulated docks and a witness, for one file of stories. */
export class World {
  readonly docks: DockHandle[] = [];
  private count = 0;
  /** A route for the aircraft of a Dock 2. */
  waylineId = '';
  /** The models of docks that are no Dock 2, and a route for the aircraft of each. */
  private readonly models = new Map<string, 'dock1' | 'dock3'>();
  private readonly waylines = new Map<'dock1' | 'dock3', string>();

  private constructor(
    readonly stack: Stack,
    readonly api: Api,
    readonly tap: Tap,
    readonly directory: string,
  ) {}

  /** `watched`: what the witness sees; not all of it where a dock floods, or it would be as busy as the ingress. */
  static async start(
    env: Partial<Record<ServiceName, Readonly<Record<string, string>>>> = {},
    watched: readonly string[] = ['#'],
    { tls = false }: { readonly tls?: boolean } = {},
  ): Promise<World> {
    const root = rootFolder();
    const base = path.join(root, '.aerie', 'scenarios');
    mkdirSync(base, { recursive: true });
    // A folder of people may have a space in its name.
    const directory = mkdtempSync(path.join(base, 'a world-'));
    const stack = await Stack.up({
      root,
      directory,
      packagesDirectory: path.join(root, '.aerie', 'bin'),
      otherBroker: otherBroker(),
      tls,
      databaseTemplate: process.env['AERIE_TEST_DATABASE_TEMPLATE'],
      env: {
        ...env,
        'mission-service': { ...QUICK, ...env['mission-service'] },
        'log-service': { ...QUICK_LOGS, ...env['log-service'] },
      },
      say: () => undefined,
    });
    const { username, password } = stack.infrastructure.logins.observer;
    const { mqttUrl, certificates } = stack.infrastructure;
    const tap = await Tap.connect(mqttUrl, username, password, watched, certificates?.person);
    const world = new World(stack, new Api(stack.apiUrl, stack.apiKey), tap, directory);
    world.waylineId = await world.upload('M3TD');
    return world;
  }

  /** A route that was made for this aircraft. */
  async upload(aircraft: NonNullable<DockOptions['aircraft']>, waypoints = 3): Promise<string> {
    const origin = { originLatitude: HOME.latitude, originLongitude: HOME.longitude };
    const kmz = await makeSampleKmz({ ...origin, waypoints, aircraft });
    return good(await this.api.upload<{ id: string }>('/waylines?name=scenario', kmz)).id;
  }

  /** Registers a dock and lets a simulated one connect with its credentials. Flights take seconds. */
  async dock(options: Partial<DockOptions> = {}, protocolGeneration?: string): Promise<DockHandle> {
    const sn = options.sn ?? `SCN-${++this.count}`;
    const model = options.model ?? 'dock2';
    const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = await this.register(
      sn,
      model,
      protocolGeneration,
    );
    const dock = await startDock({
      sn,
      ...{ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode, ...this.verified },
      position: HOME,
      speed: 60,
      progressIntervalMs: 500,
      osdIntervalMs: 1_000,
      ...options,
    });
    this.docks.push(dock);
    await dock.waitFor('online', 20_000);
    return dock;
  }

  /** By what docks verify the broker. */
  private get verified(): Pick<DockOptions, 'mqttCa'> {
    const { certificates } = this.stack.infrastructure;
    return certificates === undefined ? {} : { mqttCa: certificates.person.ca };
  }

  /** Many docks at once, registered together. */
  async manyDocks(count: number, options: Partial<DockOptions> = {}): Promise<readonly DockHandle[]> {
    const model = 'dock2';
    const sns = Array.from({ length: count }, () => `SCN-${String(++this.count).padStart(4, '0')}`);
    const connections = await this.connections(sns, model);
    const docks = await Promise.all(
      connections.map(({ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode }, index) =>
        startDock({
          ...{ sn: sns[index] ?? '', model, position: HOME, speed: 60, osdIntervalMs: 4_000 },
          ...{ mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode },
          ...options,
        }),
      ),
    );
    this.docks.push(...docks);
    await Promise.all(docks.map((dock) => dock.waitFor('online', 60_000)));
    return docks;
  }

  /** Where the broker asks, there is no file of its users to write. */
  private async connections(sns: readonly string[], model: string): Promise<readonly DockConnection[]> {
    if (this.stack.infrastructure.askingSecret !== undefined) {
      return Promise.all(sns.map((sn) => this.register(sn, model)));
    }
    return this.stack.importDocks(sns.map((sn) => ({ sn, model, name: sn })));
  }

  async register(sn: string, model: string, protocolGeneration?: string): Promise<DockConnection> {
    if (model === 'dock1' || model === 'dock3') {
      this.models.set(sn, model);
      const known = this.waylines.get(model) ?? (await this.upload(AIRCRAFT[model]));
      this.waylines.set(model, known);
    }
    return registerDock(this.api, sn, model, sn, protocolGeneration);
  }

  async immediate(dock: DockHandle, more: Record<string, unknown> = {}): Promise<MissionView> {
    return good(await this.api.post<MissionView>('/missions', this.body(dock, { kind: 'immediate', ...more })));
  }

  /** A route for the aircraft of a dock that takes so long that it is flown still when the machine is slow to ask for something. */
  longRoute({ sn }: DockHandle): Promise<string> {
    return this.upload(AIRCRAFT[this.models.get(sn) ?? 'dock2'], 20);
  }

  async timed(dock: DockHandle, inMs: number, more: Record<string, unknown> = {}): Promise<MissionView> {
    const executeAt = new Date(Date.now() + inMs).toISOString();
    return good(await this.api.post<MissionView>('/missions', this.body(dock, { kind: 'timed', executeAt, ...more })));
  }

  body(dock: { readonly sn: string }, more: Record<string, unknown>): Record<string, unknown> {
    const model = this.models.get(dock.sn);
    const waylineId = (model && this.waylines.get(model)) ?? this.waylineId;
    return { dockSn: dock.sn, waylineId, rthAltitudeMeters: 60, ...more };
  }

  /** Within a window that opened a minute ago. */
  async conditional(dock: DockHandle, untilMs: number, batteryAbovePercent: number): Promise<MissionView> {
    const [from, until] = [Date.now() - 60_000, Date.now() + untilMs].map((atMs) => new Date(atMs).toISOString());
    const window = { from, until, batteryAbovePercent };
    return good(await this.api.post<MissionView>('/missions', this.body(dock, { kind: 'conditional', window })));
  }

  async commands(id: string): Promise<readonly CommandView[]> {
    return good(await this.api.get<{ items: CommandView[] }>(`/missions/${id}/commands`)).items;
  }

  async mission(id: string): Promise<MissionView> {
    return good(await this.api.get<MissionView>(`/missions/${id}`));
  }

  async timeline(id: string): Promise<readonly TimelineEntry[]> {
    return good(await this.api.get<{ items: TimelineEntry[] }>(`/missions/${id}/timeline`)).items;
  }

  inState(id: string, state: string, withinMs = 20_000): Promise<MissionView> {
    return eventually(
      `mission ${id} is ${state}`,
      async () => {
        const mission = await this.mission(id);
        return mission.state === state ? mission : undefined;
      },
      withinMs,
    );
  }

  /** Waits until the mission has ended, in whatever way. */
  ended(id: string, withinMs = 60_000): Promise<MissionView> {
    return eventually(
      `mission ${id} has ended`,
      async () => {
        const mission = await this.mission(id);
        return hasEnded(mission.state) ? mission : undefined;
      },
      withinMs,
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.docks.map((dock) => dock.stop()));
    await this.tap.close();
    await this.stack.discard();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function rootFolder(): string {
  const root = process.env['AERIE_ROOT'];
  if (root === undefined) throw new Error('AERIE_ROOT is not set: run scenarios by `npm test`.');
  return root;
}
