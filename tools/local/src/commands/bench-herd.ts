import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { aircraftSnOf, makeSampleKmz } from '@aerie/dock-simulator';
import { Problem } from '../infrastructure/problem.js';
import { endLeftOvers } from '../infrastructure/processes.js';
import { type Answer, Api, good } from '../stack/api.js';
import { hasEnded } from '../stack/has-ended.js';
import { Stack } from '../stack/stack.js';
import { HerdDocks, herdSns } from './herd/docks.js';
import { figuresOf, isSound, type Observed, type Round, tableOf } from './herd/figures.js';
import { type HerdOptions, readHerdOptions } from './herd/options.js';
import { Witness } from './herd/witness.js';

/** Requests on their way at the same time. */
const PLANNING = 16;
/** The docks that lose their network lose it so long before their missions are due. */
const OFFLINE_BEFORE_MS = 3_000;
/** After the deadline, for messages that are still on their way. */
const LAST_SEEN_MS = 5_000;
/** A flight of the short route in simulated time, with a good rest. */
const FLIGHT_SIMULATED_MS = 6 * 60_000;
/** And for the cloud to take in what they report. */
const SETTLE_MS = 60_000;
const SETTLE_PER_MISSION_MS = 500;
/** With more docks than this a round ends with their answers; what is measured is over by then. */
const FLYING_DOCKS = 1_000;
/** The published code for a battery below 30 %. [Cloud API, result codes: 316009] */
const BATTERY_LOW = 316_009;
/**
 * As mission-service's own default; given to it, so that what is called late here is late there. With thousands of docks
 * on one machine the longest that docks bear: none may start after it, however long the queue is.
 */
const startWindowOf = (missions: number): number => (missions > FLYING_DOCKS ? 30_000 : 20_000);
/** After the last round nobody needs the docks any more; what flights end as is only shown. */
const LAST_SETTLE_MS = 3 * 60_000;
const POLL_MS = 2_000;
const HOME = { latitude: 46.5197, longitude: 6.6323, heightMeters: 480 };
const OSD_INTERVAL_MS = 2_000;
/**
 * Above this many docks their telemetry is stretched, or it alone would fill a small machine. At 5,000 a cycle takes 17 s:
 * a dock that was not heard for 30 s is not told to start.
 */
const OSD_DOCKS = 600;

interface Planned {
  readonly missionId: string;
  readonly dockSn: string;
  readonly acceptedAtMs: number;
  readonly acceptMs: number;
}

interface Plan {
  readonly planned: Planned[];
  readonly planningMs: number;
  readonly refused: number;
}

/**
 * How exactly missions start that are all due at one instant: when each `flighttask_execute` is on the wire, as a
 * separate client of the broker sees it. First with docks that all answer, then again with some that do not.
 */
export async function benchHerd(root: string, args: readonly string[]): Promise<number> {
  const options = readHerdOptions(args, Date.now());
  const stop = new AbortController();
  const stopAsked = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        stop.abort();
        reject(new Problem('Stopped.'));
      });
    }
  });
  stopAsked.catch(() => undefined);
  const directory = path.join(root, '.aerie', 'bench-herd');
  await endLeftOvers(directory);
  rmSync(directory, { recursive: true, force: true });
  const started = Stack.up({
    root,
    directory,
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    signal: stop.signal,
    env: {
      'mission-service': {
        MISSION_EXECUTE_LEAD_MS: '0',
        // Longer than the lead, so that each is prepared as soon as it is planned.
        MISSION_PREPARE_LEAD_MS: String(options.leadMs + 60_000),
        MISSION_START_WINDOW_MS: String(startWindowOf(options.missions)),
      },
    },
    say,
  });
  try {
    const stack = await Promise.race([started, stopAsked]);
    const bench = new HerdBench(root, stack, options);
    try {
      return await Promise.race([bench.run(), stopAsked]);
    } finally {
      await bench.close();
    }
  } finally {
    say('Stopping …');
    // Also when it was interrupted while it started.
    await started.then(
      (stack) => stack.stop(),
      () => undefined,
    );
    rmSync(directory, { recursive: true, force: true });
  }
}

class HerdBench {
  private readonly api: Api;
  private readonly sns: readonly string[];
  private docks: HerdDocks | undefined;
  private witness: Witness | undefined;

  constructor(
    private readonly root: string,
    private readonly stack: Stack,
    private readonly options: HerdOptions,
  ) {
    this.api = new Api(stack.apiUrl, stack.apiKey);
    this.sns = herdSns(options.missions);
  }

  async run(): Promise<number> {
    const { missions, seed, leadMs } = this.options;
    say(`${missions} missions on ${missions} docks, seed ${seed}, all due ${leadMs / 1_000} s after the first request`);
    const docks = await this.bringUpDocks();
    const { infrastructure } = this.stack;
    this.witness = await Witness.connect(infrastructure.mqttUrl, infrastructure.logins.observer);
    const waylineId = await this.uploadWayline();

    say('First round: every dock answers');
    const first = figuresOf(await this.round(docks, this.witness, waylineId, [], false));
    const silent = this.silentSns();
    say(`Second round: ${silent.length} of ${missions} docks are silent`);
    const second = figuresOf(await this.round(docks, this.witness, waylineId, silent, true));

    console.log(`\n${tableOf(first, second)}\n`);
    if (this.witness.blind) throw new Problem('The witness lost its connection; these counts are not complete.');
    const sound = isSound(first) && isSound(second);
    console.log(sound ? 'Every dock that answers was told to start once, and in time.' : 'Not sound: see the table.');
    if (first.unprepared + second.unprepared > 0)
      console.log('Some were not prepared in time; --lead gives them more.');
    return sound ? 0 : 1;
  }

  async close(): Promise<void> {
    await this.docks?.stop();
    await this.witness?.close();
  }

  private async bringUpDocks(): Promise<HerdDocks> {
    const { missions, seed } = this.options;
    say(`importing ${missions} docks`);
    const connections = await this.stack.importDocks(
      this.sns.map((sn) => ({ sn, model: 'dock2', name: sn, aircraftSn: aircraftSnOf(sn) })),
    );
    const docks = new HerdDocks(this.root, connections);
    this.docks = docks;
    const stretch = Math.max(1, missions / OSD_DOCKS);
    const osdIntervalMs = Math.round(OSD_INTERVAL_MS * stretch);
    await withProgress(
      () => `connecting docks: ${docks.online} of ${missions} online`,
      docks.start({ home: HOME, seed, osdIntervalMs, progressIntervalMs: osdIntervalMs }),
    );
    say(`${docks.online} docks online, telemetry each ${osdIntervalMs} ms`);
    return docks;
  }

  private async uploadWayline(): Promise<string> {
    const kmz = await makeSampleKmz({
      originLatitude: HOME.latitude,
      originLongitude: HOME.longitude,
      waypoints: 2,
    });
    return good(await this.api.upload<{ id: string }>('/waylines?name=herd', kmz)).id;
  }

  private async round(
    docks: HerdDocks,
    witness: Witness,
    waylineId: string,
    silent: readonly string[],
    isLast: boolean,
  ): Promise<Round> {
    // As docks start: what they report meanwhile is a load of the right size.
    docks.setSpeed(1);
    const executeAtMs = Date.now() + this.options.leadMs;
    const { planned, planningMs, refused } = await this.plan(waylineId, executeAtMs);
    const isSilent = new Set(silent);
    const answering = planned.filter(({ dockSn }) => !isSilent.has(dockSn));
    const startWindowMs = startWindowOf(this.options.missions);

    const notPrepared = (): number =>
      planned.filter(({ missionId }) => witness.preparedAtMs(missionId) === undefined).length;
    await until(
      () => `waiting for prepares: ${planned.length - notPrepared()} of ${planned.length}, ${inSeconds(executeAtMs)}`,
      () => notPrepared() === 0,
      executeAtMs - OFFLINE_BEFORE_MS,
    );
    // Thousands of flights would report for half an hour what this machine cannot take in: they refuse to start instead.
    if (this.sns.length > FLYING_DOCKS) docks.fault(this.sns, `refuse:flighttask_execute=${BATTERY_LOW}`);
    // Half of them hear nothing at all, half hear and do not answer.
    docks.fault(
      silent.filter((_sn, index) => index % 2 === 0),
      'silent=flighttask_execute',
    );
    say(`all that could be is prepared; nothing is asked of anybody until ${new Date(executeAtMs).toISOString()}`);
    await delayUntil(executeAtMs - OFFLINE_BEFORE_MS);
    docks.goOffline(silent.filter((_sn, index) => index % 2 === 1));
    await delayUntil(executeAtMs);

    const started = (): number => answering.filter(({ missionId }) => witness.executesOf(missionId).length > 0).length;
    await until(
      () => `waiting for executes: ${started()} of ${answering.length}`,
      () => started() === answering.length,
      executeAtMs + startWindowMs + LAST_SEEN_MS,
    );
    docks.setSpeed(this.options.hurry);
    const flying = new Set(answering.map(({ missionId }) => missionId));
    const states = await this.settle(planned, flying, isLast ? Date.now() + LAST_SETTLE_MS : Infinity);
    return {
      executeAtMs,
      startWindowMs,
      planningMs,
      refused,
      missions: planned.map(({ missionId, dockSn, acceptedAtMs, acceptMs }): Observed => ({
        missionId,
        silent: isSilent.has(dockSn),
        acceptedAtMs,
        acceptMs,
        preparedAtMs: witness.preparedAtMs(missionId),
        executesAtMs: witness.executesOf(missionId),
        state: states.get(missionId) ?? 'not listed',
      })),
    };
  }

  private async plan(waylineId: string, executeAtMs: number): Promise<Plan> {
    const planned: Planned[] = [];
    const refusals: Answer<unknown>[] = [];
    const startedMs = performance.now();
    const executeAt = new Date(executeAtMs).toISOString();
    await withProgress(
      () => `planning: ${planned.length} of ${this.sns.length}`,
      inLanes(PLANNING, this.sns, async (dockSn) => {
        const sentMs = performance.now();
        const body = { dockSn, waylineId, kind: 'timed', executeAt, rthAltitudeMeters: 60 };
        const answer = await this.api.post<{ id: string }>('/missions', body);
        const acceptMs = performance.now() - sentMs;
        if (answer.status !== 201) refusals.push(answer);
        else planned.push({ missionId: answer.body.id, dockSn, acceptedAtMs: Date.now(), acceptMs });
      }),
    );
    const [first] = refusals;
    if (first) say(`refused: ${refusals.length}, the first with ${first.status}: ${JSON.stringify(first.body)}`);
    return { planned, planningMs: performance.now() - startedMs, refused: refusals.length };
  }

  /** Waits until the missions of the docks that answer are over; gives the states of all. */
  private async settle(
    planned: readonly Planned[],
    answering: ReadonlySet<string>,
    atLatestMs: number,
  ): Promise<Map<string, string>> {
    const flightMs = FLIGHT_SIMULATED_MS / this.options.hurry;
    const settleMs = SETTLE_MS + SETTLE_PER_MISSION_MS * planned.length;
    const giveUpAtMs = Math.min(Date.now() + flightMs + settleMs, atLatestMs);
    const ids = new Set(planned.map(({ missionId }) => missionId));
    for (;;) {
      const states = await this.statesOf(ids);
      const flying = [...answering].filter((id) => !hasEnded(states.get(id) ?? '')).length;
      if (flying === 0) return states;
      say(`waiting for flights to end: ${answering.size - flying} of ${answering.size}`);
      if (Date.now() > giveUpAtMs) return states;
      await delay(POLL_MS);
    }
  }

  /** Reads the newest first, and no further than the last of these missions. */
  private async statesOf(ids: ReadonlySet<string>): Promise<Map<string, string>> {
    const states = new Map<string, string>();
    let cursor: string | null = '';
    while (cursor !== null && states.size < ids.size) {
      const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page = good(await this.api.get<Page>(`/missions?limit=200${from}`));
      for (const { id, state } of page.items) if (ids.has(id)) states.set(id, state);
      cursor = page.nextCursor;
    }
    return states;
  }

  /** Which docks are silent follows from the seed, and differs from run to run as the seed does. */
  private silentSns(): string[] {
    const { seed, silentPercent, missions } = this.options;
    if (silentPercent === 0) return [];
    const drawn = (sn: string): string => createHash('sha256').update(`${seed} ${sn}`).digest('hex');
    const byDraw = [...this.sns].sort((a, b) => (drawn(a) < drawn(b) ? -1 : 1));
    return byDraw.slice(0, Math.max(1, Math.round((missions * silentPercent) / 100)));
  }
}

interface Page {
  readonly items: readonly { readonly id: string; readonly state: string }[];
  readonly nextCursor: string | null;
}

const say = (text: string): void => console.log(text);
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const delayUntil = (atMs: number): Promise<void> => delay(Math.max(atMs - Date.now(), 0));
const inSeconds = (atMs: number): string => `due in ${Math.max((atMs - Date.now()) / 1_000, 0).toFixed(0)} s`;

/** Does the work for all items, so many at a time. */
async function inLanes<Item>(
  lanes: number,
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
}

/** Says now and then how far the work is. */
async function withProgress(text: () => string, work: Promise<void>): Promise<void> {
  const timer = setInterval(() => say(text()), POLL_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
}

/** Looks often and says seldom; ends when it is true or when there is no more time. */
async function until(text: () => string, isTrue: () => boolean, atLatestMs: number): Promise<void> {
  let saidMs = Date.now();
  while (!isTrue() && Date.now() < atLatestMs) {
    await delay(50);
    if (Date.now() - saidMs < POLL_MS) continue;
    say(text());
    saidMs = Date.now();
  }
}
