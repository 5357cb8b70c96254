/** What was seen of an installation at one time, and what it means. Nothing is asked from here. */

/** One number of `/metrics`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface SeenProgram {
  readonly name: string;
  /** Undefined where nobody answers. */
  readonly ready: { readonly isReady: boolean; readonly says: string; readonly clockAheadMs: number } | undefined;
  /** Why nobody does. */
  readonly problem?: string | undefined;
  readonly samples: readonly Sample[];
}

export interface SeenServer {
  readonly name: string;
  /** What stopped us from speaking to it. */
  readonly problem?: string | undefined;
  readonly upSince?: Date | undefined;
  readonly clockAheadMs?: number | undefined;
  /** Settings that are not as they should be, in words. */
  readonly risks?: readonly string[];
}

export interface SeenStorage {
  readonly isHealthy: boolean;
  /** What failed, with what to change where that is known. */
  readonly failures: readonly { readonly found: string; readonly change: string | null }[];
}

export interface Seen {
  readonly at: Date;
  readonly programs: readonly SeenProgram[];
  readonly servers: readonly SeenServer[];
  /** Undefined where nobody could be asked. */
  readonly storage?: SeenStorage | undefined;
}

export interface Finding {
  /** Whether somebody has to do something: `bad` now, `watch` soon. */
  readonly verdict: 'good' | 'watch' | 'bad';
  readonly what: string;
  readonly found: string;
  readonly toDo: string | null;
}

const DAY_SECONDS = 86_400;
/** Starts are judged by clocks: half a second is what the alert allows an ingress. */
const CLOCK_APART_MS = 500;
/** The clock of a program is told in whole seconds, and the answer takes its time. */
const TOLD_CLOCK_APART_MS = 2_500;

/** A number of which the largest one decides. */
interface Bound {
  readonly metric: string;
  readonly watch: number;
  readonly bad: number;
  readonly label?: string;
  readonly says: (value: number, label: string) => string;
  readonly toDo: string;
}

/** As the alerts of docker/alerts.yml have them, where one is. */
const BOUNDS: readonly Bound[] = [
  {
    ...{ metric: 'outbox_oldest_seconds', watch: 10, bad: 60, label: 'service' },
    says: (value, service) => `the oldest fact of ${service} waits for ${Math.round(value)} s to be published`,
    toDo: 'Nothing is lost. Look whether NATS answers and whether stream FACTS takes messages.',
  },
  {
    ...{ metric: 'consumer_unhandled_messages', watch: 200, bad: 1_000, label: 'consumer' },
    says: (value, consumer) => `lane ${consumer} has ${value} messages before it`,
    toDo: 'Look at the service that reads it and at PostgreSQL; add replicas of the service.',
  },
  {
    ...{ metric: 'sweep_behind_seconds', watch: 30, bad: 120, label: 'chore' },
    says: (value, chore) => `the sweep ${chore} is ${Math.round(value)} s behind`,
    toDo: 'What no wake finds is found late. Look at the log of the service and at PostgreSQL.',
  },
  {
    ...{ metric: 'stream_full_ratio', watch: 0.6, bad: 0.8, label: 'stream' },
    says: (value, stream) => `stream ${stream} is ${Math.round(value * 100)} % full`,
    toDo: 'A full stream takes no messages of docks. Look at the service that reads it.',
  },
  {
    ...{ metric: 'ingress_links_down', watch: 1, bad: 1 },
    says: (value) => `${value} connections of an ingress to the broker are not there`,
    toDo: 'Look whether the broker runs and takes the user of the ingress; the log of mqtt-ingress says what it answers.',
  },
  {
    ...{ metric: 'ingress_broker_dropped_messages', watch: 1, bad: Number.POSITIVE_INFINITY },
    says: (value) => `the broker has thrown ${value} messages away since it started`,
    toDo: 'A queue of it was full. Look at the ingresses, and at whether the number still grows.',
  },
  {
    ...{ metric: 'fleet_ingress_clock_ahead_seconds', watch: 0.2, bad: 0.5 },
    says: (value) => `the clock of an ingress is ${value.toFixed(1)} s ahead`,
    toDo: 'Set the clocks right (NTP on each host).',
  },
];

/** What to do where a program waits for a server, by what `/readyz` calls it. */
const WAITS: readonly (readonly [RegExp, string])[] = [
  [/PostgreSQL/i, 'Look whether PostgreSQL runs and whether DATABASE_URL leads there.'],
  [/NATS|JetStream/i, 'Look whether NATS runs and whether NATS_URL leads there.'],
  [/schema/i, 'Run `migrate.js` of the service, as docs/upgrading.md says.'],
  [/broker|MQTT|session/i, 'Look whether the broker runs and whether MQTT_URL leads there.'],
  [/storage/i, 'Examine it by `npm run storage:doctor`.'],
];
const LOOK_AT_LOG = 'Look at its log: it says what it waits for and since when.';

export function judge(seen: Seen): Finding[] {
  return [
    ...seen.servers.flatMap((server) => judgeServer(server)),
    ...seen.programs.flatMap((program) => judgeProgram(program)),
    ...judgeNumbers(seen.programs),
    ...judgeCertificates(seen),
    ...(seen.storage === undefined ? [] : judgeStorage(seen.storage)),
  ];
}

export const isHealthy = (findings: readonly Finding[]): boolean => findings.every(({ verdict }) => verdict !== 'bad');

function judgeServer({ name, problem, upSince, clockAheadMs, risks = [] }: SeenServer): Finding[] {
  if (problem !== undefined) {
    const toDo = `Start ${name}, or mend what it says. What depends on it waits, and goes on by itself.`;
    return [{ verdict: 'bad', what: name, found: `cannot be used: ${problem}`, toDo }];
  }
  const since = upSince === undefined ? '' : `, up since ${upSince.toISOString()}`;
  return [
    { verdict: 'good', what: name, found: `answers${since}`, toDo: null },
    ...judgeClock(name, clockAheadMs, CLOCK_APART_MS),
    ...risks.map((risk): Finding => {
      return { verdict: 'watch', what: name, found: risk, toDo: 'docs/operate/boot-checks.md says what it has to be.' };
    }),
  ];
}

function judgeClock(what: string, aheadMs: number | undefined, mostMs: number): Finding[] {
  if (aheadMs === undefined || Math.abs(aheadMs) <= mostMs) return [];
  const found = `its clock is ${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`;
  return [{ verdict: 'bad', what, found, toDo: 'Set the clocks right (NTP on each host): starts are judged by them.' }];
}

function judgeProgram({ name, ready, problem, samples }: SeenProgram): Finding[] {
  if (ready === undefined) {
    const why = problem === undefined ? '' : `: ${problem}`;
    const toDo = 'Look at its log, and whether it restarts again and again.';
    return [{ verdict: 'bad', what: name, found: `does not answer${why}`, toDo }];
  }
  const clock = judgeClock(name, ready.clockAheadMs, TOLD_CLOCK_APART_MS);
  const begun = samples.find((sample) => sample.name === 'process_start_time_seconds');
  const since = begun === undefined ? '' : `, up since ${new Date(begun.value * 1_000).toISOString()}`;
  if (ready.isReady) return [{ verdict: 'good', what: name, found: `is ready${since}`, toDo: null }, ...clock];
  const [, toDo = LOOK_AT_LOG] = WAITS.find(([word]) => word.test(ready.says)) ?? [];
  return [{ verdict: 'bad', what: name, found: `says: ${ready.says}`, toDo }, ...clock];
}

function judgeNumbers(programs: readonly SeenProgram[]): Finding[] {
  const samples = programs.flatMap((program) => program.samples);
  return BOUNDS.map(({ metric, watch, bad, label = '', says, toDo }): Finding | undefined => {
    // What a program cannot tell is NaN, and larger than nothing.
    const told = samples.filter(({ name, value }) => name === metric && !Number.isNaN(value));
    const [first, ...others] = told;
    if (first === undefined) return undefined;
    const worst = others.reduce((one, other) => (other.value > one.value ? other : one), first);
    if (worst.value < watch) return { verdict: 'good', what: metric, found: 'is as it should be', toDo: null };
    const found = says(worst.value, worst.labels[label] ?? '');
    return { verdict: worst.value >= bad ? 'bad' : 'watch', what: metric, found, toDo };
  }).filter((finding) => finding !== undefined);
}

/** As the alert has it. */
const CERTIFICATE_DAYS = 14;

function judgeCertificates({ at, programs }: Seen): Finding[] {
  const samples = programs.flatMap((program) => program.samples);
  const told = samples.filter(({ name }) => name === 'certificate_not_after_seconds');
  const findings = told.flatMap(({ labels, value }): Finding[] => {
    const daysLeft = (value - at.getTime() / 1_000) / DAY_SECONDS;
    if (daysLeft >= CERTIFICATE_DAYS) return [];
    const what = `certificate of ${labels['service']}`;
    const ends = daysLeft < 0 ? 'has ended' : `ends in ${Math.floor(daysLeft)} days`;
    const toDo = 'Make a new one, and start the program again: files are read once.';
    return [{ verdict: 'bad', what, found: `${labels['setting']} ${ends}`, toDo }];
  });
  if (told.length === 0 || findings.length > 0) return findings;
  return [{ verdict: 'good', what: 'certificates', found: `none ends within ${CERTIFICATE_DAYS} days`, toDo: null }];
}

function judgeStorage({ isHealthy: isGood, failures }: SeenStorage): Finding[] {
  if (isGood) return [{ verdict: 'good', what: 'storage', found: 'takes what docks upload', toDo: null }];
  return failures.map(({ found, change }) => ({
    ...{ verdict: 'bad', what: 'storage', found },
    toDo: change ?? 'Examine it by `npm run storage:doctor`.',
  }));
}

const SAMPLE = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** The text form of Prometheus. */
export function samplesIn(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, label = '', is = '']): [string, string] => [label, is]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value === '+Inf' ? Infinity : value) }];
  });
}
