import { EVENT_TYPES, decide } from './mission.machine.js';
import { DEFAULT_TIMING, type Mission, type MissionEvent, type Timing } from './mission.types.js';

/** One entry of an exported timeline, as the API writes it. */
export interface ReplayEntry {
  readonly kind: string;
  readonly what: string;
  readonly to: string | null;
  readonly version: number | null;
  readonly detail: unknown;
}

export interface Difference {
  /** Number of the entry, from 1: the line of an exported file. */
  readonly entry: number;
  readonly event: string;
  /** What of the decision differs: `kind`, `state`, `version`, `effects` or `nextActionAtMs`. */
  readonly field: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

export type Replay =
  | { readonly kind: 'same'; readonly decisions: number; readonly mission: Mission }
  | { readonly kind: 'different'; readonly decisions: number; readonly difference: Difference }
  /** It is no timeline, or one that begins without its plan, or that retention has deleted. */
  | { readonly kind: 'unreadable'; readonly entry: number; readonly reason: string };

interface Recorded {
  readonly event: MissionEvent;
  readonly nowMs: number;
  readonly effects?: readonly string[];
  readonly nextActionAtMs?: number | null;
  /** When the dock was last heard, where that was kept beside the mission. */
  readonly heardAtMs?: number | null;
}

/**
 * Runs every decision of a recorded mission through the core as it is now, at the recorded instants, and compares what
 * comes out with what was written down then.
 */
export function replay(entries: readonly ReplayEntry[]): Replay {
  const pruned = entries.findIndex(({ kind, what }) => kind === 'note' && what === DETAIL_PRUNED);
  if (pruned !== -1) {
    const reason = 'retention has deleted the timeline of this mission, so there is nothing to replay';
    return { kind: 'unreadable', entry: pruned + 1, reason };
  }
  const first = entries.findIndex(({ what }) => what === 'created');
  const begun = first === -1 ? null : readPlan(entries[first]?.detail);
  if (begun === null) {
    return { kind: 'unreadable', entry: Math.max(1, first + 1), reason: 'there is no "created" entry with a plan' };
  }
  let { mission } = begun;
  let decisions = 0;
  for (const [index, entry] of entries.entries()) {
    if (entry.what === POSTPONED)
      mission = { ...mission, nextActionAtMs: postponedTo(entry) ?? mission.nextActionAtMs };
    if (entry.kind !== 'decision' && entry.kind !== 'refusal') continue;
    const recorded = readRecorded(entry.detail);
    if (recorded === null) return { kind: 'unreadable', entry: index + 1, reason: `${entry.what} has no event` };
    if (typeof recorded.heardAtMs === 'number') mission = { ...mission, heardAtMs: recorded.heardAtMs };
    const decision = decide(mission, recorded.event, recorded.nowMs, begun.timing);
    const difference = compare(entry, recorded, decision);
    if (difference !== null) {
      const what = { entry: index + 1, event: recorded.event.type, ...difference };
      return { kind: 'different', decisions, difference: what };
    }
    if (decision.kind !== 'refused') mission = decision.mission;
    decisions++;
  }
  return { kind: 'same', decisions, mission };
}

function compare(
  entry: ReplayEntry,
  recorded: Recorded,
  decision: ReturnType<typeof decide>,
): Pick<Difference, 'field' | 'recorded' | 'replayed'> | null {
  const refused = decision.kind === 'refused';
  if ((entry.kind === 'refusal') !== refused) {
    return { field: 'kind', recorded: entry.kind, replayed: refused ? `refusal: ${decision.reason}` : 'decision' };
  }
  if (refused) return null;
  const pairs: readonly (readonly [field: string, recorded: unknown, replayed: unknown])[] = [
    ['state', entry.to, decision.mission.state],
    ['version', entry.version, decision.mission.revision],
    ['effects', recorded.effects, decision.effects],
    ['nextActionAtMs', recorded.nextActionAtMs, decision.mission.nextActionAtMs],
  ];
  const differs = pairs.find(([, then, now]) => then !== undefined && JSON.stringify(then) !== JSON.stringify(now));
  return differs === undefined ? null : { field: differs[0], recorded: differs[1], replayed: differs[2] };
}

/** The one entry of a timeline whose others retention has deleted. */
export const DETAIL_PRUNED = 'detailPruned';

/** A mission that was due and could not be decided was put off; that is no decision. */
const POSTPONED = 'postponed';

function postponedTo({ detail }: ReplayEntry): number | null {
  const { nextActionAtMs } = objectOf(detail) ?? {};
  return typeof nextActionAtMs === 'number' ? nextActionAtMs : null;
}

/** What missions of earlier releases, and those that need no approval, do not say of themselves. */
const OF_FIRST_RELEASE = {
  delivery: 'prepare',
  edition: 1,
  readyFromMs: null,
  pausedMs: 0,
  flownAtMs: null,
  restingSinceMs: null,
  plannedDurationMs: 0,
  approval: null,
} as const satisfies Partial<Mission>;

const objectOf = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;

const STATES_OF_PLANS: readonly unknown[] = ['scheduled', 'awaiting_approval'];

function readPlan(detail: unknown): { readonly mission: Mission; readonly timing: Timing } | null {
  const { plan, timing } = objectOf(detail) ?? {};
  const mission = objectOf(plan);
  // Safe enough: the core bears any mission without throwing, and a wrong one shows as a difference.
  if (mission === null || !STATES_OF_PLANS.includes(mission['state'])) return null;
  return {
    mission: { ...OF_FIRST_RELEASE, ...(mission as unknown as Mission) },
    timing: { ...DEFAULT_TIMING, ...objectOf(timing) },
  };
}

function readRecorded(detail: unknown): Recorded | null {
  const { event, nowMs } = objectOf(detail) ?? {};
  const { type } = objectOf(event) ?? {};
  const isKnown = (EVENT_TYPES as readonly unknown[]).includes(type);
  return isKnown && typeof nowMs === 'number' ? (detail as Recorded) : null;
}
