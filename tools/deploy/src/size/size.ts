/** What somebody plans for. */
export interface Fleet {
  readonly docks: number;
  readonly flightsPerDay: number;
  readonly minutesPerFlight: number;
  readonly photosPerFlight: number;
  /** Missions that start at one instant: a plan "at 08:00" for the whole fleet is a herd. */
  readonly herd: number;
}

export interface Program {
  readonly name: string;
  readonly replicas: number;
  /** Busy, at the worst minute of a day. One core is 1. */
  readonly cores: number;
  readonly memoryMb: number;
}

export interface Size {
  readonly programs: readonly Program[];
  readonly postgres: {
    readonly cores: number;
    readonly memoryMb: number;
    readonly diskGb: number;
    readonly walGbPerDay: number;
  };
  readonly natsCores: number;
  readonly brokers: number;
  readonly inTheAir: number;
  readonly messagesPerSecond: number;
  /** What to know beyond numbers. */
  readonly notes: readonly string[];
}

/**
 * CPU milliseconds by program of one core, as `npm run bench:cost` and `npm run bench:air` measured them: a mission with its first
 * 39 reports; a second of a dock in the air, reports and telemetry together; a message of telemetry. docs/scaling.md tells the runs.
 */
export const MEASURED = {
  mission: {
    'mission-service': 16.6,
    'mqtt-ingress': 12.8,
    'fleet-service': 7.1,
    'credential-service': 4,
    'log-service': 2.6,
    postgres: 9.9,
    nats: 7.5,
  },
  air: {
    'mission-service': 0.19,
    'mqtt-ingress': 0.25,
    'fleet-service': 0.23,
    'credential-service': 0.03,
    'log-service': 0.04,
    postgres: 0.17,
    nats: 0.17,
  },
  telemetry: { 'mqtt-ingress': 0.27, 'fleet-service': 0.28, nats: 0.1 },
  /** At rest, without any dock. */
  restMsPerSecond: 6,
} as const;

/** A dock reports a flight every 2 s. */
const REPORTS_PER_SECOND = 0.5;
/** It tells its own state as often, and in the air that of its aircraft too. */
const TELEMETRY_PER_SECOND = { atRest: 0.5, inTheAir: 1 };
/** A replica that is busier than this has no room for a minute that is worse. */
const MOST_BUSY = 0.5;
/** Of two, one may be gone. */
const LEAST_REPLICAS = 2;
/** 500 starts of one instant were told within 2.2 s on two cores. Half of the start window of 20 s is left as room. */
const STARTS_PER_SECOND = 250;
/** As at rest with three docks, and room for a burst. What more docks add is an estimate: nobody has measured it. */
const MEMORY_MB = { program: 120, perThousandDocks: 20, postgres: 1_024, perDockPostgres: 0.4 };
/** docs/retention.md, "Bytes", with the default settings. */
const BYTES = {
  missionDetail: 16_800,
  missionForEver: 2_150,
  perPhoto: 680,
  trackPerMinute: 1_230,
  perDockAtRest: 33_000_000,
  walPerMission: 42_600,
  walPerReport: 186,
};
const DETAIL_DAYS = 400;
const TRACK_DAYS = 30;
const DAY_SECONDS = 86_400;
/** The share of a day's flights in its busiest hour. */
const BUSIEST_HOUR = 0.25;
/** One broker was tried with the users of 5,000 docks; above it several share them. */
const DOCKS_PER_BROKER = 5_000;

const PROGRAMS = ['mqtt-ingress', 'fleet-service', 'mission-service', 'log-service', 'credential-service'] as const;

/** Replicas, cores, memory and disk for a fleet, from measured costs and stated assumptions. */
export function sizeOf(fleet: Fleet): Size {
  const { docks, flightsPerDay, minutesPerFlight } = fleet;
  const missionsPerDay = docks * flightsPerDay;
  const missionsPerSecond = (missionsPerDay * BUSIEST_HOUR) / 3_600;
  const inTheAir = Math.min(docks, missionsPerSecond * minutesPerFlight * 60);
  const reports = inTheAir * REPORTS_PER_SECOND;
  const atRest = docks - inTheAir;
  const telemetry = inTheAir * TELEMETRY_PER_SECOND.inTheAir + atRest * TELEMETRY_PER_SECOND.atRest;
  const cores = (name: string): number => {
    const cost = (kind: 'mission' | 'air' | 'telemetry'): number =>
      (MEASURED[kind] as Readonly<Record<string, number>>)[name] ?? 0;
    const ofRest = atRest * TELEMETRY_PER_SECOND.atRest * cost('telemetry');
    const ms = missionsPerSecond * cost('mission') + inTheAir * cost('air') + ofRest;
    return (ms + MEASURED.restMsPerSecond) / 1_000;
  };
  const programs = PROGRAMS.map((name): Program => {
    const busy = cores(name);
    const forHerd = name === 'mission-service' ? Math.ceil(fleet.herd / (STARTS_PER_SECOND * 10)) : 0;
    const replicas = Math.max(LEAST_REPLICAS, Math.ceil(busy / MOST_BUSY) + 1, forHerd);
    const memoryMb = MEMORY_MB.program + Math.ceil((docks / 1_000 / replicas) * MEMORY_MB.perThousandDocks);
    return { name, replicas, cores: round(busy), memoryMb };
  });
  const forEver = missionsPerDay * 365 * BYTES.missionForEver;
  const detail = missionsPerDay * DETAIL_DAYS * (BYTES.missionDetail + fleet.photosPerFlight * BYTES.perPhoto);
  const track = missionsPerDay * TRACK_DAYS * minutesPerFlight * BYTES.trackPerMinute;
  const reportsPerDay = missionsPerDay * minutesPerFlight * 60 * REPORTS_PER_SECOND;
  return {
    programs,
    postgres: {
      cores: round(cores('postgres')),
      memoryMb: Math.ceil(MEMORY_MB.postgres + docks * MEMORY_MB.perDockPostgres),
      // After a year; twice, since tables have free space and a base backup needs room.
      diskGb: Math.ceil((2 * (forEver + detail + track + docks * BYTES.perDockAtRest)) / 1e9),
      walGbPerDay: round((missionsPerDay * BYTES.walPerMission + reportsPerDay * BYTES.walPerReport) / 1e9),
    },
    natsCores: round(cores('nats')),
    brokers: Math.ceil(docks / DOCKS_PER_BROKER),
    inTheAir: Math.round(inTheAir),
    messagesPerSecond: Math.round(reports + telemetry),
    notes: notesOf(fleet, reports + telemetry, missionsPerDay),
  };
}

function notesOf({ docks, herd }: Fleet, messagesPerSecond: number, missionsPerDay: number): string[] {
  return [
    ...(docks > DOCKS_PER_BROKER
      ? ['More than one broker: mosquitto does not share sessions, so it takes a clustered one, which was not tried.']
      : []),
    ...(herd > 500
      ? [`${herd} starts at one instant: 500 were measured within 2.2 s on two cores, more were not.`]
      : []),
    ...(messagesPerSecond > 5_000
      ? ['More messages a second than one ingress was measured with: streams want NATS servers of their own.']
      : []),
    ...(missionsPerDay > 500_000
      ? ['One PostgreSQL writes all missions: measure before you believe this figure.']
      : []),
    `A day has ${DAY_SECONDS / 3_600} hours, and the busiest was taken to hold ${BUSIEST_HOUR * 100} % of its flights.`,
  ];
}

const round = (value: number): number => Math.round(value * 100) / 100;
