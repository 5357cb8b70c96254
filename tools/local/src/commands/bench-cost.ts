import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Problem } from '../infrastructure/problem.js';
import { withStack } from '../stack/with-stack.js';
import { TraceCollector } from '../traces/trace-collector.js';
import { COST_SETTINGS, Meter } from './cost/meter.js';
import {
  type Measured,
  measureAccept,
  measureBatch,
  measureFlown,
  measureOsd,
  measureProgress,
  measureRest,
  measureResting,
  measureTrickle,
  warmUp,
} from './cost/stories.js';
import { tracedTo } from './docs-trace.js';

const OPTIONS = 'Options: --json FILE, --product DIR, --messages N, --docks N, --flown N, --traces';
const REST_MS = 20_000;
/** As many as `npm start` brings. */
const RESTING_DOCKS = 3;
/** What the docks that have left lead to, and compiling, is over then. */
const SETTLED_AFTER_MS = 10_000;
const POSTS = 300;
const BATCH = 500;
const FLOWN = 100;
/** Flown before anything is measured: what each program does once, as compiling what it runs often, is not the cost of a mission. */
const WARM_UP = 10;
const TRICKLE = 50;
const OSD_ROUNDS = 20;

/**
 * What things cost, in CPU time, statements, commits, rows and WAL: one progress message out of a fixed backlog, and one
 * that comes alone, through to the commit; one accepted and one flown mission; one message of telemetry; and the programs
 * at rest, with a few docks and without, of which the latter is taken off all others. Full-page images are off, so the WAL is that of the rows.
 * `--product DIR` measures another checkout, which must be built; figures of one machine are compared only with others of
 * the same machine and the same minutes. `--traces`: with all of it traced, to a collector that costs nothing here.
 */
export async function benchCost(root: string, args: readonly string[]): Promise<number> {
  const { product = root, json, messages, docks, flown, traces = false } = readOptions(args);
  const collector = traces ? await TraceCollector.listen({ keeps: false }) : undefined;
  const options = {
    ...(collector === undefined ? {} : { env: tracedTo(collector.url) }),
    root: path.resolve(product),
    anonymous: product !== root,
    directory: path.join(root, '.aerie', 'bench-cost'),
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    postgresSettings: COST_SETTINGS,
    say: (text: string): void => console.error(text),
  };
  return withStack(options, async (stack) => {
    const meter = await Meter.open(stack);
    try {
      console.error('Warming up …');
      await warmUp(stack, meter, WARM_UP);
      await settle();
      console.error('At rest …');
      const rest = await measureRest(meter, REST_MS);
      const measured: Measured = { stack, meter, rest };
      console.error('At rest with docks …');
      const resting = await measureResting(stack, meter, RESTING_DOCKS, REST_MS);
      const memory = meter.serviceBytes();
      const idle = {
        docks: RESTING_DOCKS,
        cpuPercent: Math.round(resting.cpuMs) / 10,
        cpuPercentWithoutDocks: Math.round(rest.cpuMs) / 10,
        rssMb: Math.round(memory.resident / 1_000_000),
        pssMb: Math.round(memory.proportional / 1_000_000),
      };
      console.error('Accepting …');
      const single = await measureAccept(measured, POSTS);
      // An earlier release has no such request.
      const batchPerSecond = product === root ? await measureBatch(measured, BATCH) : null;
      const accept = { ...single, batchPerSecond };
      console.error('Flying …');
      const perFlownMission = await measureFlown(measured, flown);
      console.error('A backlog of progress …');
      const perProgress = await measureProgress(measured, docks, messages);
      console.error('Progress one by one …');
      const perProgressAlone = await measureTrickle(measured, TRICKLE);
      console.error('Telemetry …');
      const perOsd = await measureOsd(measured, docks, OSD_ROUNDS);
      const figures = { perFlownMission, perProgress, perProgressAlone, perOsd, accept, idle };
      console.log(JSON.stringify(figures, null, 2));
      if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
      return 0;
    } finally {
      await meter.close();
      await collector?.close();
    }
  });
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLED_AFTER_MS));

function readOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { json: text, product: text, messages: text, docks: text, flown: text, traces: { type: 'boolean' } },
    });
    const whole = (name: 'messages' | 'docks' | 'flown', fallback: number, most: number): number => {
      const value = Number(values[name] ?? fallback);
      if (Number.isInteger(value) && value >= 1 && value <= most) return value;
      throw new Error(`--${name} must be a whole number from 1 to ${most}, not "${values[name]}"`);
    };
    return {
      ...values,
      messages: whole('messages', 3_000, 100_000),
      docks: whole('docks', 40, 500),
      flown: whole('flown', FLOWN, 500),
    };
  } catch (error) {
    throw new Problem(`${(error as Error).message}\n${OPTIONS}`);
  }
}
