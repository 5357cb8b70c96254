import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { MqttClient } from 'mqtt';
import { Client } from 'pg';
import { Problem } from '../infrastructure/problem.js';
import type { Stack } from '../stack/stack.js';
import { withStack } from '../stack/with-stack.js';
import { COUNT_SETTINGS, type Cost, Meter, costBetween } from './cost/meter.js';
import { type Flight, connect, report, startFlights } from './cost/stories.js';
import { putEndedMissions } from './held/ended-missions.js';
import { LIMITS, type PhaseCost, type Pair, beyond, ratiosOf } from './held/ratios.js';

const OPTIONS = 'Options: --flights N, --minutes N, --missions N, --burden both|snapshot|missions, --json FILE';
const ROUNDS = 5;
const REPORT_EVERY_MS = 2_000;
/** The first reports of a flight, and compiling what runs with each, are over then. */
const SETTLED_AFTER_MS = 30_000;
/** A flight that takes far longer than planned is ended, however much it reports. */
const PLANNED_MS = 90 * 60_000;
/** Later than this after the last report, all of them are not handled: the figures are those of a backlog. */
const HANDLED_WITHIN_MS = 10_000;
/** Statements whose buffers are named. */
const MOST = 10;
const BURDENS = ['both', 'snapshot', 'missions'] as const;
type Burden = (typeof BURDENS)[number];

/**
 * What a transaction that is held open, as a backup holds one, and the ended missions of months add to the cost of a
 * progress message. Two of everything run side by side, one with the burden and one without; flights report on both all the
 * time, and they are measured in turn, five times each. The transaction is held from before the first of these phases until
 * after the last. Nothing is taken off. No mission is taken along by its way there: they are written as flying.
 */
export async function benchHeld(root: string, args: readonly string[]): Promise<number> {
  const { flights, minutes, missions, burden, json } = readOptions(args);
  const optionsOf = (name: string) => ({
    root,
    directory: path.join(root, '.aerie', `bench-held-${name}`),
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    postgresSettings: COUNT_SETTINGS,
    say: (text: string): void => console.error(`${name}: ${text}`),
  });
  return withStack(optionsOf('without'), (without) =>
    withStack(optionsOf('with'), async (loaded) => {
      const sides: Side[] = [];
      const held = new Client({ connectionString: loaded.infrastructure.databaseUrl });
      // What becomes of it is asked at the end.
      held.on('error', () => undefined);
      await held.connect();
      try {
        for (const [name, stack] of [['without', without] as const, ['with', loaded] as const]) {
          sides.push(await Side.prepare(name, stack, flights));
        }
        const [bare, burdened] = sides as [Side, Side];
        if (burden !== 'snapshot') {
          console.error(`Writing ${missions} missions that have ended …`);
          await putEndedMissions(burdened.meter, missions);
        }
        const reports = (SETTLED_AFTER_MS + minutes * 60_000) / REPORT_EVERY_MS;
        for (const side of sides) await side.fly(reports);
        await pause(SETTLED_AFTER_MS);
        if (burden !== 'missions') {
          await held.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
          await held.query('SELECT count(*) FROM mission.flight_live');
        }
        const heldSinceMs = performance.now();
        const pairs: Pair[] = [];
        for (let round = 1; round <= ROUNDS; round++) {
          console.error(`Measuring, ${round} of ${ROUNDS} …`);
          const phaseMs = (minutes * 60_000) / (2 * ROUNDS);
          const pair = { without: await bare.measure(phaseMs), with: await burdened.measure(phaseMs) };
          console.error(`Buffers of a message: ${pair.without.buffers} without, ${pair.with.buffers} with.`);
          pairs.push(pair);
        }
        const heldSeconds = Math.round((performance.now() - heldSinceMs) / 1_000);
        for (const side of sides) await side.land();
        // Fails where the database has ended it.
        if (burden !== 'missions') await held.query('COMMIT');
        const ratios = ratiosOf(pairs);
        const failures = beyond(ratios);
        const figures = {
          flights,
          burden,
          endedMissions: burden === 'snapshot' ? 0 : missions,
          heldSeconds,
          limits: LIMITS,
          ratios,
          pairs,
        };
        console.log(JSON.stringify(figures, null, 2));
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
        for (const failure of failures) console.error(failure);
        return failures.length === 0 ? 0 : 1;
      } finally {
        await held.end().catch(() => undefined);
        for (const side of sides) await side.close();
      }
    }),
  );
}

/** One of the two that are compared. */
class Side {
  private readonly timers: NodeJS.Timeout[] = [];
  private clients: readonly MqttClient[] = [];
  private sent = 0;

  private constructor(
    private readonly name: string,
    readonly meter: Meter,
    private readonly flights: readonly Flight[],
  ) {}

  static async prepare(name: string, stack: Stack, flights: number): Promise<Side> {
    const meter = await Meter.open(stack);
    await meter.leaveOwnStatementsOut();
    const started = await startFlights(stack, meter, flights, 'HELD');
    await meter.query('UPDATE mission.mission SET planned_duration_ms = $1 WHERE id = ANY($2::uuid[])', [
      PLANNED_MS,
      started.map(({ missionId }) => missionId),
    ]);
    return new Side(name, meter, started);
  }

  /** Each flight reports every two seconds, evenly spread, and comes to its end with the last of so many reports. */
  async fly(reports: number): Promise<void> {
    this.clients = await Promise.all(this.flights.map(({ connection }) => connect(connection)));
    for (const [index, { sn, missionId }] of this.flights.entries()) {
      const client = this.clients[index];
      let said = 0;
      const say = (): void => {
        const percent = Math.min(99, Math.floor((said++ * 100) / reports));
        this.sent++;
        client?.publish(`thing/product/${sn}/events`, report(sn, missionId, percent), { qos: 1 });
      };
      const first = setTimeout(
        () => {
          say();
          this.timers.push(setInterval(say, REPORT_EVERY_MS));
        },
        (index * REPORT_EVERY_MS) / this.flights.length,
      );
      this.timers.push(first);
    }
  }

  async measure(forMs: number): Promise<PhaseCost> {
    const handledBefore = await this.handled();
    const buffersBefore = await this.meter.buffersByStatement();
    const before = await this.meter.read();
    await pause(forMs - (performance.now() - before.atMs));
    const after = await this.meter.read();
    const buffersAfter = await this.meter.buffersByStatement();
    const messages = (await this.handled()) - handledBefore;
    if (messages === 0) throw new Problem(`${this.name}: no report was handled.`);
    return phaseCost(costBetween(before, after, messages), buffersBefore, buffersAfter, messages);
  }

  /** Ends the reports, and fails where they were sent faster than they were handled. */
  async land(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    const endsMs = performance.now() + HANDLED_WITHIN_MS;
    // The first report of a flight is a decision, and not among those that are kept.
    const kept = this.sent - this.flights.length;
    for (;;) {
      const handled = await this.handled();
      if (handled >= kept) return;
      if (performance.now() > endsMs) throw new Problem(`${this.name}: ${handled} of ${kept} reports were handled.`);
      await pause(1_000);
    }
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all(this.clients.map((client) => client.endAsync(true)));
    await this.meter.close();
  }

  private async handled(): Promise<number> {
    const [row] = await this.meter.query<{ count: string }>(
      'SELECT sum(reports + gathered) AS count FROM mission.flight_live WHERE mission_id = ANY($1::uuid[])',
      [this.flights.map(({ missionId }) => missionId)],
    );
    return Number(row?.count);
  }
}

function phaseCost(
  cost: Cost,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  messages: number,
): PhaseCost {
  const grown = [...after].map(([statement, buffers]): [string, number] => [
    statement,
    (buffers - (before.get(statement) ?? 0)) / messages,
  ]);
  const hundredths = (value: number): number => Math.round(value * 100) / 100;
  return {
    messages,
    cpuMs: cost.cpuMs,
    cpuMsOfMissionsAndDatabase: (cost.cpuMsByProcess['mission-service'] ?? 0) + (cost.cpuMsByProcess['postgres'] ?? 0),
    statements: cost.statements,
    buffers: hundredths(grown.reduce((sum, [, buffers]) => sum + buffers, 0)),
    cpuMsByProcess: cost.cpuMsByProcess,
    buffersByStatement: Object.fromEntries(
      grown
        .sort(([, one], [, other]) => other - one)
        .slice(0, MOST)
        .map(([statement, buffers]) => [statement, hundredths(buffers)]),
    ),
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function readOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { flights: text, minutes: text, missions: text, burden: text, json: text },
    });
    const whole = (name: 'flights' | 'minutes' | 'missions', fallback: number, least: number, most: number): number => {
      const value = Number(values[name] ?? fallback);
      if (Number.isInteger(value) && value >= least && value <= most) return value;
      throw new Error(`--${name} must be a whole number from ${least} to ${most}, not "${values[name]}"`);
    };
    const burden = BURDENS.find((known) => known === (values.burden ?? 'both'));
    if (burden === undefined) throw new Error(`--burden must be one of ${BURDENS.join(', ')}, not "${values.burden}"`);
    return {
      ...values,
      burden: burden satisfies Burden,
      flights: whole('flights', 60, 1, 300),
      minutes: whole('minutes', 10, 1, 60),
      missions: whole('missions', 100_000, 0, 1_000_000),
    };
  } catch (error) {
    throw new Problem(`${(error as Error).message}\n${OPTIONS}`);
  }
}
