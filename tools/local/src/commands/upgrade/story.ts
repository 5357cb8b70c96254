import { setTimeout as pause } from 'node:timers/promises';
import type { DockHandle } from '@aerie/dock-simulator';
import type { Infrastructure } from '../../infrastructure/infrastructure.js';
import type { Api } from '../../stack/api.js';
import { hasEnded } from '../../stack/has-ended.js';
import type { FormerUser } from './former-user.js';
import { type Release, errorsIn } from './release.js';
import { streamFigures } from './streams.js';
import type { Flown, Traffic } from './traffic.js';
import type { Witness } from './witness.js';

export interface Stage {
  readonly before: Release;
  readonly after: Release;
  readonly doors: Readonly<Record<'before' | 'after', Api>>;
  readonly traffic: Traffic;
  readonly witness: Witness;
  readonly infrastructure: Infrastructure;
  readonly formerUser: FormerUser;
  readonly say: (text: string) => void;
}

const SERVICES = ['fleet-service', 'mission-service', 'credential-service', 'log-service'] as const;
const QUICK_DOCKS = 4;
const LONG_DOCKS = 3;
const TIMED_DOCKS = 6;
const LOGGING_DOCKS = 2;
/** Simulated seconds in a second: a flight of six seconds, and one of more than two minutes. */
const QUICK = 60;
const LONG = 2.5;
/** Missions that end in each part of the story before it goes on. */
const ENOUGH = 8;
const PART_WITHIN_MS = 180_000;
const FLIGHT_WITHIN_MS = 300_000;
const EMPTY_WITHIN_MS = 60_000;
const NARROWED_WITHIN_MS = 120_000;
/** Between the starts of missions that are planned ahead, so that each switch of programs meets some. */
const TIMED_EVERY_MS = 15_000;

/** Streams that are empty once everything is handled; the others keep what they have. */
const HANDLED = ['DOCK', 'BULK_FLEET', 'BULK_LOG', 'BULK_CREDENTIAL'];
/** Nobody of the older release stores there or reads there: docs/upgrading.md leaves them as they are. */
const OF_BEFORE = ['DOCK'];
const NOTHING_GOES_THERE = ['DEAD', 'OVERFLOW'];

const IN_THE_AIR = new Set(['starting', 'executing', 'paused']);

/** An upgrade, a step back and another upgrade, with missions in the air and planned at each switch. */
export class UpgradeStory {
  private readonly faults: string[] = [];
  private readonly ahead: Flown[] = [];
  private readonly startedMs = Date.now();
  private quick: readonly DockHandle[] = [];
  private long: readonly DockHandle[] = [];
  private timed: readonly DockHandle[] = [];
  private logging: readonly DockHandle[] = [];

  private constructor(private readonly stage: Stage) {}

  static async begin(stage: Stage): Promise<UpgradeStory> {
    const story = new UpgradeStory(stage);
    const docks = (count: number, speed: number) =>
      Promise.all(Array.from({ length: count }, () => stage.traffic.dock(speed)));
    story.quick = await docks(QUICK_DOCKS, QUICK);
    story.long = await docks(LONG_DOCKS, LONG);
    story.timed = await docks(TIMED_DOCKS, QUICK);
    story.logging = await docks(LOGGING_DOCKS, QUICK);
    return story;
  }

  async tell(): Promise<void> {
    const { before, after, traffic, doors, formerUser } = this.stage;
    traffic.story = 'old programs, old schema';
    await this.planAhead();
    this.resume();
    await this.enough();

    await this.timedStep('made the roles and migrated', () => this.migrate());
    traffic.story = 'old programs, new schema';
    await this.enough();

    await this.timedStep('started the new programs', () => after.start(...SERVICES, 'mqtt-ingress', 'edge'));
    traffic.story = 'both';
    traffic.through(doors.after);
    await this.enough();
    await this.timedStep('stopped the old programs', () => before.stop('edge', ...SERVICES, 'mqtt-ingress'));
    traffic.story = 'new programs, wide topology';
    await this.enough();
    await this.narrow();
    await this.takeRightsAway();
    traffic.story = 'new programs';
    await this.enough();
    await this.settle(HANDLED);

    traffic.story = 'new programs again';
    await this.planAhead();
    this.resume();
    await this.enough();
    await this.timedStep('declared the old consumers', () => after.run('mqtt-ingress', 'narrow-topology.js', '--undo'));
    await this.timedStep('gave the former user its rights', () => formerUser.giveRightsBack());
    await this.timedStep('started the old programs', () => before.start(...SERVICES, 'mqtt-ingress', 'edge'));
    traffic.story = 'both, on the way back';
    traffic.through(doors.before);
    await this.enough();
    await this.timedStep('stopped the new programs', () => after.stop('mqtt-ingress', 'edge', ...SERVICES));
    await this.leave();
    traffic.story = 'old programs, stepped back';
    await this.enough();
    await this.settle(OF_BEFORE);

    traffic.story = 'stepped back, second upgrade';
    await this.planAhead();
    this.resume();
    await this.enough();
    await this.migrate();
    await after.start(...SERVICES, 'mqtt-ingress', 'edge');
    traffic.through(doors.after);
    await before.stop('edge', ...SERVICES, 'mqtt-ingress');
    await this.takeRightsAway();
    traffic.story = 'new programs at last';
    await this.enough();
    await this.narrow();
    await this.settle(HANDLED);
  }

  /** What the release before made is handed to the role that migrates. */
  private async migrate(): Promise<void> {
    await this.stage.infrastructure.keepRoles();
    await this.stage.after.migrate();
  }

  private async takeRightsAway(): Promise<void> {
    const isTaken = await this.stage.formerUser.takeRightsAway();
    if (isTaken) this.say('took the rights of the former user away');
    else this.fault('the former user of PostgreSQL may do what it could before');
  }

  /** Missions that will be in the air, and such that are yet to start, at the next switches. */
  private async planAhead(): Promise<void> {
    const { traffic } = this.stage;
    for (const dock of this.long) this.ahead.push(await traffic.plan(dock));
    for (const [index, dock] of this.timed.entries()) {
      this.ahead.push(await traffic.plan(dock, (index + 2) * TIMED_EVERY_MS));
    }
  }

  private resume(): void {
    this.stage.traffic.resume(this.quick, this.logging);
  }

  /** Until so many missions were planned in this part of the story and have ended. */
  private async enough(): Promise<void> {
    const { traffic } = this.stage;
    const { story } = traffic;
    const giveUpAtMs = Date.now() + PART_WITHIN_MS;
    while (traffic.endedOf(story) < ENOUGH) {
      if (Date.now() > giveUpAtMs) {
        this.fault(`${story}: ${traffic.endedOf(story)} missions ended within ${PART_WITHIN_MS / 1_000} s`);
        return;
      }
      await pause(200);
    }
    this.say(`${story}: missions are planned, flown and listed`);
  }

  /** Everything that was planned has ended, and everything that docks said was handled. */
  private async settle(empty: readonly string[]): Promise<void> {
    const { traffic, witness, infrastructure } = this.stage;
    await traffic.pause();
    for (const flown of this.ahead.splice(0)) await traffic.ended(flown, FLIGHT_WITHIN_MS);
    const giveUpAtMs = Date.now() + EMPTY_WITHIN_MS;
    for (;;) {
      const figures = await streamFigures(infrastructure.natsUrl);
      const full = figures.filter(({ name, messages }) => empty.includes(name) && messages > 0);
      const lost = figures.filter(({ name, messages }) => NOTHING_GOES_THERE.includes(name) && messages > 0);
      const { unanswered } = witness;
      // Docks that are online go on to speak: a message may be on its way at any moment.
      const isSettled = full.every(({ messages }) => messages <= traffic.docks.length) && unanswered.length === 0;
      if (isSettled || Date.now() > giveUpAtMs) {
        for (const { name, messages, waiting } of isSettled ? lost : [...full, ...lost]) {
          this.fault(`${traffic.story}: stream ${name} has ${messages} messages, ${JSON.stringify(waiting)}`);
        }
        for (const what of unanswered.slice(0, 10)) this.fault(`${traffic.story}: nobody answered ${what}`);
        const left = figures
          .filter(({ name }) => HANDLED.includes(name))
          .map(({ name, messages }) => `${name} ${messages}`);
        this.say(`settled: ${witness.questions} questions of docks answered; in streams: ${left.join(', ')}`);
        return;
      }
      await pause(500);
    }
  }

  private async narrow(): Promise<void> {
    const { after } = this.stage;
    const giveUpAtMs = Date.now() + NARROWED_WITHIN_MS;
    for (let tries = 1; ; tries++) {
      try {
        const said = await after.run('mqtt-ingress', 'narrow-topology.js');
        this.say(`narrowed at try ${tries}: ${said.trim().split('\n').join('; ')}`);
        return;
      } catch (error) {
        if (Date.now() > giveUpAtMs) return this.fault(`narrowing: ${(error as Error).message}`);
        await pause(1_000);
      }
    }
  }

  private async leave(): Promise<void> {
    const said = await this.stage.after.run('mqtt-ingress', 'narrow-topology.js', '--leave');
    this.say(`left: ${said.trim().split('\n').join('; ')}`);
  }

  private async timedStep(what: string, step: () => Promise<unknown>): Promise<void> {
    const { traffic } = this.stage;
    // What the step meets: without missions under way it would prove nothing.
    const open = traffic.missions.filter(({ state }) => !hasEnded(state));
    await Promise.all(open.map((flown) => traffic.look(flown)));
    const flying = open.filter(({ state }) => IN_THE_AIR.has(state)).length;
    const yetToStart = open.filter(({ state }) => !IN_THE_AIR.has(state) && !hasEnded(state)).length;
    if (flying + yetToStart === 0) this.fault(`${what}: no mission was under way`);
    this.say(`next: ${flying} missions in the air, ${yetToStart} yet to start`);
    const startedMs = Date.now();
    await step();
    this.say(`${what} in ${((Date.now() - startedMs) / 1_000).toFixed(1)} s`);
  }

  private say(text: string): void {
    const seconds = Math.round((Date.now() - this.startedMs) / 1_000);
    this.stage.say(`${String(seconds).padStart(4)} s  ${text}`);
  }

  private fault(text: string): void {
    this.faults.push(text);
    this.say(`FAULT: ${text}`);
  }

  /** Everything that was promised, looked at once more from outside. */
  async judge(): Promise<boolean> {
    const { traffic, witness, before, after, infrastructure, say } = this.stage;
    for (const flown of traffic.missions) {
      await traffic.look(flown);
      const executes = witness.executes.get(flown.id) ?? 0;
      if (flown.state !== 'succeeded') {
        this.fault(
          `mission ${flown.id} of ${flown.sn} (${flown.story}) is ${flown.state}: ${JSON.stringify(flown.cause)}`,
        );
      }
      if (executes !== 1) this.fault(`mission ${flown.id} (${flown.story}) has ${executes} executes on the wire`);
    }
    for (const { sn, takeoffs } of traffic.docks) {
      if (new Set(takeoffs).size !== takeoffs.length) this.fault(`${sn} took off twice for one mission`);
    }
    for (const refusal of traffic.refusals) this.fault(`refused: ${refusal}`);
    for (const ended of [...before.ended, ...after.ended]) this.fault(`${ended} by itself`);
    const uploads = tally(traffic.uploads.map(({ end }) => end));
    const slowest = [...traffic.uploads].sort((one, other) => other.seconds - one.seconds).slice(0, 3);
    for (const { id, sn, end } of traffic.uploads.filter((one) => one.end !== 'stored')) {
      this.fault(`log upload ${id} of ${sn} is ${end}`);
    }

    say(`\nMissions by story:`);
    for (const story of new Set(traffic.missions.map((one) => one.story))) {
      const states = traffic.missions.filter((one) => one.story === story).map(({ state }) => state);
      say(`  ${story.padEnd(32)} ${tally(states)}`);
    }
    const executes = [...witness.executes.values()].reduce((sum, count) => sum + count, 0);
    say(`${traffic.missions.length} missions, ${executes} executes on the wire; log uploads: ${uploads}`);
    say(`The slowest log uploads: ${slowest.map(({ sn, seconds }) => `${sn} ${seconds} s`).join(', ')}`);
    say(
      `${witness.uplinks} uplinks, of which ${witness.questions} wanted an answer, ${witness.unanswered.length} got none`,
    );
    say('Errors in logs:');
    for (const release of [before, after]) {
      for (const file of release.logFiles(infrastructure.directory)) {
        for (const [what, count] of errorsIn(file))
          say(`  ${release.version} ${file.split('/').at(-1)}: ${count} x ${what}`);
      }
    }
    say(this.faults.length === 0 ? 'No fault.' : `${this.faults.length} faults:\n  ${this.faults.join('\n  ')}`);
    return this.faults.length === 0;
  }
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ') || 'none';
}
