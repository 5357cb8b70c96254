/** One mission of a round, as the one who measures knows it. */
export interface Observed {
  readonly missionId: string;
  /** Its dock was made silent, so nothing is expected of it. */
  readonly silent: boolean;
  readonly acceptedAtMs: number;
  readonly acceptMs: number;
  readonly preparedAtMs: number | undefined;
  /** When each execute was seen on the wire. */
  readonly executesAtMs: readonly number[];
  readonly state: string;
}

export interface Round {
  readonly executeAtMs: number;
  readonly startWindowMs: number;
  readonly planningMs: number;
  /** Requests that the API did not accept. */
  readonly refused: number;
  readonly missions: readonly Observed[];
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface Figures {
  readonly missions: number;
  readonly refused: number;
  readonly acceptedPerSecond: number;
  readonly accept: Spread;
  /** From the first request to the last prepare that a dock said yes to. */
  readonly preparedWithinMs: number;
  /** From the answer of the API to the yes of the dock. */
  readonly prepare: Spread;
  readonly unprepared: number;
  /** Of the docks that answer, relative to the planned instant. */
  readonly skew: Spread;
  readonly executes: number;
  readonly doubles: number;
  readonly early: number;
  readonly late: number;
  readonly missing: number;
  readonly silent: number;
  readonly silentExecutes: number;
  readonly silentDoubles: number;
  readonly states: ReadonlyMap<string, number>;
}

export function figuresOf({ executeAtMs, startWindowMs, planningMs, refused, missions }: Round): Figures {
  const answering = missions.filter(({ silent }) => !silent);
  const silent = missions.filter((mission) => mission.silent);
  const skews = answering.flatMap(({ executesAtMs }) => executesAtMs.map((atMs) => atMs - executeAtMs));
  const prepared = missions.flatMap(({ preparedAtMs }) => (preparedAtMs === undefined ? [] : [preparedAtMs]));
  const startedMs = Math.min(...missions.map(({ acceptedAtMs, acceptMs }) => acceptedAtMs - acceptMs));
  const states = new Map<string, number>();
  for (const { state } of missions) states.set(state, (states.get(state) ?? 0) + 1);
  return {
    missions: missions.length,
    refused,
    acceptedPerSecond: missions.length / (planningMs / 1_000),
    accept: spreadOf(missions.map(({ acceptMs }) => acceptMs)),
    preparedWithinMs: prepared.length === 0 ? NaN : maxOf(prepared) - startedMs,
    // A dock may say yes before the answer of the API has reached us.
    prepare: spreadOf(
      missions.flatMap(({ preparedAtMs, acceptedAtMs }) =>
        preparedAtMs === undefined ? [] : [Math.max(preparedAtMs - acceptedAtMs, 0)],
      ),
    ),
    unprepared: answering.filter(({ preparedAtMs }) => preparedAtMs === undefined).length,
    skew: spreadOf(skews),
    executes: skews.length,
    doubles: doublesAmong(answering),
    early: skews.filter((skew) => skew < 0).length,
    late: skews.filter((skew) => skew > startWindowMs).length,
    missing: answering.filter(({ executesAtMs }) => executesAtMs.length === 0).length,
    silent: silent.length,
    silentExecutes: silent.reduce((sum, { executesAtMs }) => sum + executesAtMs.length, 0),
    silentDoubles: doublesAmong(silent),
    states,
  };
}

/** Whether every dock that answers got its mission, and was told to start it exactly once and in time. */
export function isSound({ refused, doubles, early, late, missing }: Figures): boolean {
  return refused + doubles + early + late + missing === 0;
}

const doublesAmong = (missions: readonly Observed[]): number =>
  missions.reduce((sum, { executesAtMs }) => sum + Math.max(executesAtMs.length - 1, 0), 0);

/** Nearest rank: each figure is one that was measured. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (percent: number): number => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? NaN;
  return { p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) };
}

const maxOf = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), -Infinity);

type Row = readonly [what: string, of: (figures: Figures) => string, ratioOf?: (figures: Figures) => number];

const whole = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(0));
const skewRow = (name: keyof Spread): Row => [
  `skew ${name}, ms`,
  ({ skew }) => whole(skew[name]),
  ({ skew }) => skew[name],
];

const ROWS: readonly Row[] = [
  ['missions', ({ missions }) => whole(missions)],
  ['refused by the API', ({ refused }) => whole(refused)],
  ['accepted per second', ({ acceptedPerSecond }) => whole(acceptedPerSecond)],
  ['accept p50 / p99, ms', ({ accept }) => `${whole(accept.p50)} / ${whole(accept.p99)}`],
  ['prepared within, s', ({ preparedWithinMs }) => (preparedWithinMs / 1_000).toFixed(1)],
  ['prepare p50 / p99, ms', ({ prepare }) => `${whole(prepare.p50)} / ${whole(prepare.p99)}`],
  ['not prepared', ({ unprepared }) => whole(unprepared)],
  ['executes on the wire', ({ executes }) => whole(executes)],
  skewRow('p50'),
  skewRow('p95'),
  skewRow('p99'),
  skewRow('max'),
  ['double', ({ doubles }) => whole(doubles)],
  ['before the time', ({ early }) => whole(early)],
  ['after the deadline', ({ late }) => whole(late)],
  ['missing', ({ missing }) => whole(missing)],
  ['silent docks', ({ silent }) => whole(silent)],
  [
    'their executes (double)',
    ({ silent, silentExecutes, silentDoubles }) => (silent === 0 ? '-' : `${silentExecutes} (${silentDoubles})`),
  ],
];

/** All figures of both rounds side by side, with the second round's skew as a ratio of the first's. */
export function tableOf(first: Figures, second: Figures): string {
  const stateNames = [...new Set([...first.states.keys(), ...second.states.keys()])].sort();
  const stateRows = stateNames.map((name): Row => [`state ${name}`, ({ states }) => whole(states.get(name) ?? 0)]);
  const lines = [...ROWS, ...stateRows].map(([what, of, ratioOf]) => {
    const ratio = ratioOf === undefined ? NaN : ratioOf(second) / ratioOf(first);
    return line(what, of(first), of(second), Number.isFinite(ratio) ? ratio.toFixed(2) : '');
  });
  return [line('', 'all answer', 'some silent', 'ratio'), ...lines].join('\n');
}

const line = (what: string, first: string, second: string, ratio: string): string =>
  `${what.padEnd(28)}${first.padStart(16)}${second.padStart(16)}${ratio.padStart(9)}`.trimEnd();
