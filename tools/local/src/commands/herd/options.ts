import { parseArgs } from 'node:util';
import { Problem } from '../../infrastructure/problem.js';

export interface HerdOptions {
  /** And docks: one each. */
  readonly missions: number;
  readonly silentPercent: number;
  readonly seed: number;
  /** From the first request to the instant at which all are due; long enough to plan and prepare them. */
  readonly leadMs: number;
  /** Simulated seconds per second once all have started; they start in real time. */
  readonly hurry: number;
}

const MISSIONS_MAX = 5_000;
/** What a small machine plans and prepares in any case, with a rest for the last ones. */
const LEAD_PER_MISSION_MS = 40;
const LEAD_LEAST_MS = 15_000;
/** What all flights together report in a second is bounded, or their end would take longer than their flights. */
const FLYING_SPEED_SUM = 5_000;

export function readHerdOptions(args: readonly string[], nowMs: number): HerdOptions {
  const values = readFlags(args);
  const missions = whole('missions', values.missions, 1, MISSIONS_MAX) ?? 500;
  const leadSeconds = whole('lead', values.lead, 5, 3_600);
  return {
    missions,
    silentPercent: percent(values['silent-percent']) ?? 1,
    seed: whole('seed', values.seed, 0, 2 ** 32 - 1) ?? nowMs % 2 ** 32,
    leadMs: leadSeconds === undefined ? LEAD_LEAST_MS + missions * LEAD_PER_MISSION_MS : leadSeconds * 1_000,
    hurry: Math.min(10, Math.max(1, Math.floor(FLYING_SPEED_SUM / missions))),
  };
}

function readFlags(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({
      args: [...args],
      options: { missions: text, 'silent-percent': text, seed: text, lead: text },
    }).values;
  } catch (error) {
    throw new Problem(
      `${(error as Error).message}\nOptions: --missions N, --silent-percent P, --seed S, --lead SECONDS`,
    );
  }
}

function whole(name: string, text: string | undefined, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= low && value <= high) return value;
  throw new Problem(`--${name} must be a whole number from ${low} to ${high}`);
}

function percent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 90) return value;
  throw new Problem('--silent-percent must be a number from 0 to 90');
}
