import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type DockHandle, type DockOptions, makeSampleKmz, startDock } from '@aerie/dock-simulator';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import { INFRASTRUCTURE_NAMES, allOrFirstError } from '../infrastructure/infrastructure.js';
import { Problem } from '../infrastructure/problem.js';
import { Api, good } from '../stack/api.js';
import { hasEnded } from '../stack/has-ended.js';
import { SERVICE_NAMES } from '../stack/services.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { type Places, archiveSettings, carryOffWal, copyFiles, restore, takeBase, wipe } from './drill/backup.js';
import { Executes } from './drill/executes.js';
import { type Accepted, DrillMissions, type MissionView } from './drill/missions.js';

const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };
const START_WINDOW_MS = 30_000;
/** From the plan to the starts that the backup does not know; the backup has to be done by then. */
const STARTS_AFTER_MS = 30_000;
/** From the plan to the starts that the restored system makes: losing and restoring the machine has to be done by then. */
const FLIES_AFTER_MS = 120_000;
/** Of conditional missions: open until long after the restore, so that only what the product does keeps a second start back. */
const WINDOW_MS = 15 * 60_000;
/** More than any dock starts in. */
const STORM_METERS_PER_SECOND = 30;
const COUNTS = { inTheAir: 4, started: 3, held: 3, later: 5, canceled: 1, load: 6 } as const;
const SETTLE_MS = 300_000;
const ENDED_BEFORE = ['succeeded'];

/**
 * A restore drill: load, a backup under load, the loss of everything, a restore, and a look at what is left. Fails when a
 * mission is started twice, forgotten, or ends without a cause, and when anything is lost that was accepted before the
 * last archived WAL.
 */
export async function drillRestore(root: string): Promise<number> {
  const places: Places = {
    machine: path.join(root, '.aerie', 'drill-restore'),
    safe: path.join(root, '.aerie', 'drill-restore-backup'),
  };
  rmSync(places.safe, { recursive: true, force: true });
  const options = {
    root,
    directory: places.machine,
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    postgresSettings: archiveSettings(places),
    env: {
      'mission-service': {
        MISSION_EXECUTE_LEAD_MS: '0',
        MISSION_START_WINDOW_MS: String(START_WINDOW_MS),
        // A flight that ended while nobody listened is found by looking at its dock.
        MISSION_SILENCE_MS: '10000',
        MISSION_OBSERVE_EVERY_MS: '2000',
        MISSION_POWER_ON_MS: '5000',
        MISSION_RESTING_FOR_MS: '10000',
        MISSION_UNOBSERVED_MS: '60000',
      },
    },
    say,
  };
  try {
    return await withStack(options, async (stack) => {
      const drill = new Drill(stack, places);
      try {
        return await drill.run();
      } finally {
        await drill.close();
      }
    });
  } finally {
    rmSync(places.safe, { recursive: true, force: true });
  }
}

interface Kept {
  /** Everything committed until then is in the backup. */
  readonly keptUntil: Date;
  readonly lostAtMs: number;
}

class Drill {
  private readonly api: Api;
  private readonly docks: DockHandle[] = [];
  private readonly findings: string[] = [];
  private executes: Executes | undefined;
  private missions: DrillMissions | undefined;

  constructor(
    private readonly stack: Stack,
    private readonly places: Places,
  ) {
    this.api = new Api(stack.apiUrl, stack.apiKey);
  }

  async run(): Promise<number> {
    const { infrastructure } = this.stack;
    this.executes = await Executes.connect(infrastructure.mqttUrl, infrastructure.logins.observer);
    await this.chooseStorage();
    const missions = new DrillMissions(this.api, await this.uploadWayline());
    this.missions = missions;
    const log = await this.uploadLog();
    const kept = await this.backUpUnderLoad(missions);
    await this.loseEverything();
    await this.comeBack();
    await this.judge(missions, kept);
    await this.judgeLog(log);
    await this.judgeStorage();

    console.log('');
    for (const finding of this.findings) console.log(`FAILED: ${finding}`);
    console.log(
      this.findings.length === 0 ? 'The drill succeeded.' : `The drill failed: ${this.findings.length} findings.`,
    );
    return this.findings.length === 0 ? 0 : 1;
  }

  async close(): Promise<void> {
    await this.missions?.stopLoad();
    await Promise.all(this.docks.map((dock) => dock.stop()));
    await this.executes?.close();
  }

  /** A storage of the organisation, with a secret that lies sealed in the database. */
  private async chooseStorage(): Promise<void> {
    const { accessKeyId, secretAccessKey } = this.stack.storageKeys;
    const storage = { provider: 's3', dockEndpoint: this.stack.objectStoreUrl, region: 'us-east-1', bucket: 'aerie' };
    const keys = { roleArn: 'arn:aws:iam:::role/dock-upload', accessKeyId, secretAccessKey };
    good(await this.api.put('/storage', { ...storage, ...keys }));
    await this.judgeStorage();
  }

  /** The doctor does what a dock does, with the keys that the sealed secret opens. */
  private async judgeStorage(): Promise<void> {
    const answer = await this.api.post<Doctor>('/storage/doctor', {});
    const { healthy, chosenBy, steps = [] } = answer.body;
    const failed = steps.filter(({ verdict }) => verdict === 'failed').map(({ step, found }) => `${step}: ${found}`);
    if (answer.status === 200 && healthy && chosenBy === 'organisation') say('The sealed secret opens the storage.');
    else this.findings.push(`the sealed secret does not open the storage (${answer.status}): ${failed.join('; ')}`);
  }

  private async uploadWayline(): Promise<string> {
    const { latitude: originLatitude, longitude: originLongitude } = HOME;
    const kmz = await makeSampleKmz({ originLatitude, originLongitude, waypoints: 3 });
    return good(await this.api.upload<{ id: string }>('/waylines?name=drill', kmz)).id;
  }

  private async bringUp(count: number, prefix: string, options: Partial<DockOptions> = {}): Promise<DockHandle[]> {
    const sns = Array.from({ length: count }, (_, index) => `DRILL-${prefix}-${index + 1}`);
    const docks = await Promise.all(
      sns.map(async (sn) => {
        const body = { sn, model: 'dock2', name: sn };
        const { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode } = good(
          await this.api.post<Connection>('/docks', body),
        );
        const connection = { mqttUrl, mqttUser, mqttPassword, organisationId, bindingCode };
        return startDock({ sn, ...connection, position: HOME, speed: 60, ...OFTEN, ...options });
      }),
    );
    this.docks.push(...docks);
    await Promise.all(docks.map((dock) => dock.waitFor('online', 60_000)));
    return docks;
  }

  private async uploadLog(): Promise<{ fileId: string; md5: string }> {
    const [dock] = await this.bringUp(1, 'LOG', { speed: 200 });
    const sn = dock?.sn ?? '';
    const { id } = good(await this.api.post<LogUpload>('/log-uploads', { dockSn: sn, latest: { count: 1 } }));
    for (const giveUpAtMs = Date.now() + SETTLE_MS; ;) {
      const { final, state, fileIds } = good(await this.api.get<LogUpload>(`/log-uploads/${id}`));
      const [fileId] = fileIds;
      if (final && fileId !== undefined) return { fileId, md5: await this.md5Of(fileId) };
      if (final || Date.now() > giveUpAtMs) throw new Problem(`The log upload of the drill is ${state}.`);
      await setTimeout(250);
    }
  }

  private async md5Of(fileId: string): Promise<string> {
    const { status, body } = await this.api.get<{ url: string }>(`/log-files/${fileId}/download`);
    if (status !== 200) return `not downloaded: ${status} ${JSON.stringify(body)}`;
    const response = await fetch(body.url);
    if (!response.ok) return `not downloaded: ${response.status}`;
    return createHash('md5')
      .update(Buffer.from(await response.arrayBuffer()))
      .digest('hex');
  }

  /** Plans what the drill looks at, and makes the backup while all of it goes on. */
  private async backUpUnderLoad(missions: DrillMissions): Promise<Kept> {
    const databaseUrl = this.stack.infrastructure.databaseUrl;
    // Slow enough to be in the air until after the restore.
    const inTheAir = await this.bringUp(COUNTS.inTheAir, 'AIR', { speed: 2 });
    const started = await this.bringUp(COUNTS.started, 'START');
    const held = await this.bringUp(COUNTS.held, 'HELD');
    for (const dock of held) dock.setProperty('wind_speed', STORM_METERS_PER_SECOND);
    const later = await this.bringUp(COUNTS.later, 'LATER');
    const canceled = await this.bringUp(COUNTS.canceled, 'CANCEL');
    const load = await this.bringUp(COUNTS.load, 'LOAD');
    for (const dock of load) missions.load(dock);
    say('base backup under load …');
    const startedMs = Date.now();
    await takeBase(this.places, databaseUrl);
    say(`base backup done in ${Date.now() - startedMs} ms`);

    const plannedMs = Date.now();
    const timed = (afterMs: number) => ({
      kind: 'timed',
      executeAt: new Date(plannedMs + afterMs).toISOString(),
    });
    const window = { from: new Date(plannedMs - 60_000), until: new Date(plannedMs + WINDOW_MS) };
    const conditional = { kind: 'conditional', window: { ...window, batteryAbovePercent: 30 } };
    await Promise.all([
      ...inTheAir.map((dock) => missions.plan('in the air', dock, { kind: 'immediate' })),
      ...started.map((dock) => missions.plan('started after the backup', dock, timed(STARTS_AFTER_MS))),
      ...held.map((dock) => missions.plan('started after the backup', dock, conditional)),
      ...later.map((dock) => missions.plan('due after the restore', dock, timed(FLIES_AFTER_MS))),
      ...canceled.map((dock) => missions.plan('canceled after the backup', dock, timed(FLIES_AFTER_MS))),
    ]);
    await missions.until(missions.of('in the air'), isIn('executing'), 'in the air', SETTLE_MS);
    await missions.until(missions.of('started after the backup'), isIn('prepared'), 'prepared', SETTLE_MS);
    const keptUntil = await carryOffWal(this.places, databaseUrl);
    copyFiles(this.places);
    if (Date.now() > plannedMs + STARTS_AFTER_MS)
      throw new Problem('This machine was too slow: missions had started before the backup was done. Try again.');
    say(`the last WAL is archived; what is committed after ${keptUntil.toISOString()} will be lost`);

    for (const dock of held) dock.setProperty('wind_speed', null);
    await missions.until(missions.of('started after the backup'), isIn(...ENDED_BEFORE), 'flown', SETTLE_MS);
    for (const { id } of missions.of('canceled after the backup')) good(await this.api.post(`/missions/${id}/cancel`));
    const [first] = later;
    // Accepted after the last archived WAL, due later: its client holds a 201 and nobody knows it.
    if (first !== undefined) await missions.plan('load', first, timed(FLIES_AFTER_MS + 60 * 60_000));
    return { keptUntil, lostAtMs: Date.now() };
  }

  private async loseEverything(): Promise<void> {
    const { infrastructure } = this.stack;
    say(`before the loss: ${await this.contents()}`);
    say('losing everything: PostgreSQL, JetStream, Redis, broker, storage, key file …');
    await Promise.all(SERVICE_NAMES.map((name) => this.stack.kill(name)));
    await Promise.all(INFRASTRUCTURE_NAMES.map((name) => infrastructure.kill(name)));
    await this.missions?.stopLoad();
    wipe(this.places);
  }

  private async comeBack(): Promise<void> {
    const startedMs = Date.now();
    restore(this.places);
    await allOrFirstError(INFRASTRUCTURE_NAMES, undefined, (name) => this.stack.infrastructure.start(name));
    say(`after the restore: ${await this.contents()}`);
    await allOrFirstError(SERVICE_NAMES, undefined, (name) => this.stack.start(name));
    const upMs = Date.now();
    say(`everything is up again ${upMs - startedMs} ms after the restore began`);
    for (const dock of this.docks) await dock.waitFor(({ state }) => state.online, SETTLE_MS);
    await Promise.all(this.docks.map((dock) => this.shownAgain(dock)));
    say(`all ${this.docks.length} docks are back, and their states shown again, ${Date.now() - upMs} ms later`);
  }

  /** The state of a dock lies in Redis alone, which is empty: full again after a cycle of telemetry. */
  private async shownAgain({ sn }: DockHandle): Promise<void> {
    for (const giveUpAtMs = Date.now() + SETTLE_MS; ; await setTimeout(250)) {
      const { status, body } = await this.api.get(`/docks/${sn}/state`);
      if (status === 200 && JSON.stringify(body).includes('mode_code')) return;
      if (Date.now() > giveUpAtMs) throw new Problem(`The state of ${sn} is not shown again: ${JSON.stringify(body)}`);
    }
  }

  private async judge(missions: DrillMissions, { keptUntil, lostAtMs }: Kept): Promise<void> {
    const found = await Promise.all(
      missions.accepted.map(async (each) => ({ ...each, known: (await missions.find(each.id)) !== undefined })),
    );
    const lost = found.filter(({ known }) => !known);
    const known = found.filter((each) => each.known);
    // A 201 comes after the commit, so what came before that instant is in the archive.
    for (const { id } of lost.filter(({ acceptedAtMs }) => acceptedAtMs < keptUntil.getTime()))
      this.findings.push(`mission ${id} was accepted before the last archived WAL, and is not known`);
    const flown = lost.filter((each) => this.startsOf(each) > 0).length;
    say(
      `lost: ${lost.length} missions, accepted in the ${lostAtMs - keptUntil.getTime()} ms between the last archived WAL ` +
        `and the loss; ${flown} of them had flown, ${lost.length - flown} will not`,
    );
    // The cancel is lost, as every decision of a person since: it has to be made again.
    for (const { id } of missions.of('canceled after the backup')) {
      const back = await missions.find(id);
      say(`a mission that was canceled after the last archived WAL is ${back?.state} again; canceling it again`);
      good(await this.api.post(`/missions/${id}/cancel`));
    }

    const ended = await missions.until(known, ({ state }) => hasEnded(state), 'over', SETTLE_MS);
    const byId = new Map(ended.map((view) => [view.id, view]));
    const tally = new Map<string, number>();
    for (const each of found) {
      const view = byId.get(each.id);
      const how = `${each.role}: ${view === undefined ? 'not known' : describe(view)}`;
      tally.set(how, (tally.get(how) ?? 0) + 1);
      this.judgeMission(each, view);
    }
    console.log(`\n${[...tally].map(([how, count]) => `${String(count).padStart(4)}  ${how}`).join('\n')}\n`);
    if (
      found
        .filter(({ role }) => role === 'due after the restore')
        .every(({ id }) => byId.get(id)?.state !== 'succeeded')
    )
      this.findings.push('no mission that was due after the restore has flown');
  }

  private judgeMission(each: Accepted, view: MissionView | undefined): void {
    const starts = this.startsOf(each);
    const takeoffs = each.dock.takeoffs.filter((id) => id === each.id).length;
    const told = `mission ${each.id} (${each.role}, ${view === undefined ? 'not known' : describe(view)})`;
    if (starts > 1 || takeoffs > 1)
      this.findings.push(`${told} was started ${starts} times and took off ${takeoffs} times`);
    if (view === undefined) return;
    if (view.state !== 'succeeded' && view.cause === null) this.findings.push(`${told} has no cause`);
    if (view.state === 'succeeded' && takeoffs !== 1) this.findings.push(`${told} took off ${takeoffs} times`);
    if (view.state === 'missed' && takeoffs > 0) this.findings.push(`${told} took off all the same`);
    if (each.role === 'started after the backup' && view.state !== 'outcome_unknown')
      this.findings.push(`${told} had flown after the backup, which nobody can know`);
    if (each.role === 'in the air' && view.state !== 'succeeded') this.findings.push(`${told} did not go on`);
    if (each.role === 'canceled after the backup' && starts > 0) this.findings.push(`${told} was started`);
  }

  private startsOf({ id, dock }: Accepted): number {
    return this.executes?.countOf(id, dock) ?? 0;
  }

  private async judgeLog({ fileId, md5 }: { readonly fileId: string; readonly md5: string }): Promise<void> {
    const now = await this.md5Of(fileId);
    if (now === md5) say('The log that was uploaded before the backup has the same bytes.');
    else this.findings.push(`the log ${fileId} had the MD5 ${md5} and has ${now}`);
  }

  /** What lies in the two stores that have no backup. */
  private async contents(): Promise<string> {
    const { natsUrl, redisUrl } = this.stack.infrastructure;
    const { username: user, password: pass, host } = new URL(natsUrl);
    const connection = await connect({ servers: [host], user, pass });
    const redis = new Redis(redisUrl);
    try {
      const streams: string[] = [];
      for await (const { config, state } of (await jetstreamManager(connection)).streams.list())
        streams.push(`${config.name} ${state.messages}`);
      return `${streams.join(', ') || 'no stream'} in JetStream; ${await redis.dbsize()} keys in Redis`;
    } finally {
      redis.disconnect();
      await connection.close();
    }
  }
}

interface Doctor {
  readonly healthy: boolean;
  readonly chosenBy: string;
  readonly steps?: readonly { readonly step: string; readonly verdict: string; readonly found: string }[];
}

interface Connection {
  readonly mqttUrl: string;
  readonly mqttUser: string;
  readonly mqttPassword: string;
  readonly organisationId: string;
  readonly bindingCode: string;
}

interface LogUpload {
  readonly id: string;
  readonly final: boolean;
  readonly state: string;
  readonly fileIds: readonly string[];
}

const OFTEN = { osdIntervalMs: 1_000, progressIntervalMs: 1_000 } as const;
const isIn =
  (...states: readonly string[]) =>
  ({ state }: MissionView): boolean =>
    states.includes(state);
const describe = ({ state, cause }: MissionView): string =>
  cause === null || state === 'succeeded' ? state : `${state}, ${cause.code}`;
const say = (text: string): void => console.log(text);
