import { InvalidError, isSerialNumber } from '@aerie/kernel';
import { pastMessage, queryFlag, queryList, readInput, spanInOrder } from '@aerie/http-api';
import { STATES, type Timing } from '@aerie/mission-core';
import { z } from 'zod';
import type { NewMission } from '../planning/new-mission.js';
import { type MissionFilter, SORTS, type Sort } from '../views/mission.read-model.js';

/** RFC 3339 with an offset: without one nobody knows which instant is meant. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/;
/** An epoch in milliseconds has 13 digits from 2001 to 2286; ten digits are seconds. */
const EARLIEST_EPOCH_MS = 1_000_000_000_000;
const LATEST_EPOCH_MS = 9_999_999_999_999;
/** Nobody plans further; a year typed wrong is found at once. */
const FURTHEST_AHEAD_MS = 366 * 24 * 60 * 60_000;
/** The prepare of a conditional mission is with its dock all this time; docks hold a task for a day. */
const LONGEST_WINDOW_MS = 24 * 60 * 60_000;

type Issues = z.RefinementCtx;

function instantOf(value: string | number, context: Issues): number {
  const problem = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < EARLIEST_EPOCH_MS || value > LATEST_EPOCH_MS) {
      return problem('as a number must be milliseconds since the epoch, 13 digits; this looks like another unit');
    }
    return value;
  }
  if (!RFC_3339.test(value)) {
    return problem('must be an RFC 3339 date and time with an offset, like 2026-05-01T08:30:00+02:00');
  }
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) || !isInCalendar(value) ? problem('is not a date and time that exists') : atMs;
}

/** Date.parse reads the 30th of February as the 2nd of March, and 24:00 as the next day: the mission would fly on another day. */
function isInCalendar(text: string): boolean {
  const day = text.slice(0, 'yyyy-mm-dd'.length);
  return new Date(Date.parse(day)).toISOString().startsWith(day) && !text.startsWith('24', day.length + 1);
}

/** An instant: RFC 3339 with an offset, or milliseconds since the epoch. */
export const instant = z
  .union([z.string(), z.number()])
  .describe('RFC 3339 date and time with an offset, or milliseconds since the epoch')
  .transform(instantOf);

const rthAltitudeMeters = z
  .int('must be a whole number of metres')
  .min(20, 'must be 20 to 1500 metres above take-off')
  .max(1500, 'must be 20 to 1500 metres above take-off')
  .describe('Return altitude in metres above the take-off point, 20 to 1500.');

const missionName = z.string().trim().min(1).max(100).describe('For people. Default: the name of the wayline.');

const simulate = z
  .strictObject({
    latitude: z.number().min(-90).max(90).describe('Degrees, WGS 84.'),
    longitude: z.number().min(-180).max(180).describe('Degrees, WGS 84.'),
    altitudeMeters: z.number().min(-9999.9).max(9999.9).optional().describe('Metres; Dock 3 only.'),
  })
  .describe('Indoor test: where the aircraft pretends to take off. Remove the propellers.');

const window = z
  .strictObject({
    from: instant.describe('The dock may start after this instant.'),
    until: instant.describe('The dock may start before this instant.'),
    batteryAbovePercent: z.int().min(0).max(99).default(0).describe('The dock starts only above this charge, percent.'),
  })
  .describe('Conditional missions: when the dock may start by itself.');

/** A length of time in milliseconds; what lies outside is told with the value that was sent. */
function millis(min: number, max: number) {
  const error = ({ input }: { readonly input?: unknown }): string =>
    `must be a whole number of milliseconds from ${min} to ${max}, not ${JSON.stringify(input) ?? 'nothing'}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export const newMission = z.strictObject({
  dockSn: z
    .string()
    .refine(isSerialNumber, 'must have 1 to 64 letters, digits, "-" or "_"')
    .describe('Serial number of the dock.'),
  waylineId: z.uuid('must be the id of a wayline').describe('The wayline to fly.'),
  kind: z.enum(['immediate', 'timed', 'conditional']).describe('When it starts: now, at executeAt, or within window.'),
  executeAt: instant.optional().describe('Timed missions: the instant of take-off.'),
  window: window.optional(),
  rthAltitudeMeters,
  exitOnRcLost: z
    .enum(['continue', 'executeLostAction'])
    .optional()
    .describe('What the aircraft does when it loses its link; must agree with the wayline. Default: as the wayline.'),
  positioning: z
    .enum(['gps', 'rtk'])
    .default('rtk')
    .describe('rtk: the aircraft hovers after take-off until RTK has converged.'),
  name: missionName.optional(),
  simulate: simulate.optional(),
  storageNeededMegabytes: z.int().min(0).max(10_000_000).optional().describe('Free storage that the start needs, MB.'),
  flightAreaCheck: z.boolean().default(false).describe('The dock compares custom flight areas before take-off.'),
  startWithinMs: millis(5_000, 300_000)
    .optional()
    .describe('Immediate missions: starts within this time after it was accepted or is missed, ms. Default: 60 s.'),
  startWindowMs: millis(5_000, 30_000).optional().describe('How late it may start, ms. Docks allow 30 s.'),
  executeLeadMs: millis(0, 120_000)
    .optional()
    .describe('How long before executeAt the dock is told to start, ms; it powers on meanwhile.'),
  prepareLeadMs: millis(0, 24 * 60 * 60_000)
    .optional()
    .describe('How long before executeAt the dock gets the mission, ms; 24 h at most.'),
});

const { kind: _kind, executeAt: _executeAt, window: _window, ...OF_ALL_KINDS } = newMission.shape;
const { startWithinMs, startWindowMs, executeLeadMs, prepareLeadMs, ...common } = OF_ALL_KINDS;

export const immediateMission = z
  .strictObject({ kind: z.literal('immediate').describe('It starts now.'), ...common, startWithinMs, startWindowMs })
  .describe('A mission that starts now.');
export const timedMission = z
  .strictObject({
    kind: z.literal('timed').describe('It takes off at executeAt.'),
    executeAt: instant.describe('The instant of take-off.'),
    ...{ ...common, startWindowMs, executeLeadMs, prepareLeadMs },
  })
  .describe('A mission that takes off at an instant.');
export const conditionalMission = z
  .strictObject({
    kind: z.literal('conditional').describe('Its dock starts it by itself, within window.'),
    ...{ window, ...common, prepareLeadMs },
  })
  .describe('A mission that its dock starts by itself.');

/**
 * The body of a new mission for the document: which kind needs which member. `newMission` reads it, because a member of
 * another kind is told better than as one that nobody knows.
 */
export const newMissionOfKinds = z
  .discriminatedUnion('kind', [immediateMission, timedMission, conditionalMission])
  .describe('A mission to plan.');

/** Query of `POST /missions`. */
export const createQuery = z.object({
  dryRun: queryFlag.optional().describe('true: all checks, and nothing is written; the answer is a preview.'),
});

type Input = z.output<typeof newMission>;

/** Checks the body of `POST /missions`; every problem names its field. */
export function readNewMission(body: unknown, nowMs: number): NewMission {
  const input = readInput(newMission, body);
  checkWhen(input, nowMs);
  return {
    dockSn: input.dockSn,
    waylineId: input.waylineId,
    kind: input.kind,
    executeAtMs: input.executeAt ?? null,
    window: input.window
      ? {
          fromMs: input.window.from,
          untilMs: input.window.until,
          batteryAbovePercent: input.window.batteryAbovePercent,
        }
      : null,
    rthAltitudeMeters: input.rthAltitudeMeters,
    exitOnRcLost: input.exitOnRcLost ?? null,
    positioning: input.positioning,
    name: input.name ?? null,
    simulate: input.simulate ? placeOf(input.simulate) : null,
    storageNeededMegabytes: input.storageNeededMegabytes ?? null,
    flightAreaCheck: input.flightAreaCheck,
    timing: timingFrom(input),
  };
}

const placeOf = ({ latitude, longitude, altitudeMeters }: z.output<typeof simulate>) => ({
  latitude,
  longitude,
  ...(altitudeMeters === undefined ? {} : { altitudeMeters }),
});

function timingFrom({ startWithinMs, startWindowMs, executeLeadMs, prepareLeadMs }: Input): Partial<Timing> {
  return {
    ...(startWithinMs === undefined ? {} : { startWithinMs }),
    ...(startWindowMs === undefined ? {} : { startWindowMs }),
    ...(executeLeadMs === undefined ? {} : { executeLeadMs }),
    ...(prepareLeadMs === undefined ? {} : { prepareLeadMs }),
  };
}

/** The kinds of which each rule of time means something; for others it would be ignored in silence. */
const TIMING_OF_KINDS = {
  startWithinMs: ['immediate'],
  startWindowMs: ['immediate', 'timed'],
  executeLeadMs: ['timed'],
  prepareLeadMs: ['timed', 'conditional'],
} as const satisfies Readonly<Record<string, readonly Input['kind'][]>>;

/** Each kind has its own way to say when, and no other. */
function checkWhen(input: Input, nowMs: number): void {
  const { kind, executeAt, window: span } = input;
  const problems: { field: string; message: string }[] = [];
  const problem = (field: string, message: string): unknown => problems.push({ field, message });
  if (kind === 'timed' && executeAt === undefined) problem('executeAt', 'is required for a timed mission');
  if (kind !== 'timed' && executeAt !== undefined) problem('executeAt', 'is only for timed missions');
  if (kind === 'conditional' && span === undefined) problem('window', 'is required for a conditional mission');
  if (kind !== 'conditional' && span !== undefined) problem('window', 'is only for conditional missions');
  for (const [field, kinds] of Object.entries(TIMING_OF_KINDS)) {
    if (input[field as keyof typeof TIMING_OF_KINDS] !== undefined && !(kinds as readonly string[]).includes(kind)) {
      problem(field, `is only for ${kinds.join(' and ')} missions; this one is ${kind}`);
    }
  }
  if (executeAt !== undefined) checkAhead('executeAt', executeAt, nowMs, problem);
  if (span !== undefined) {
    checkAhead('window.until', span.until, nowMs, problem);
    if (span.until <= span.from) problem('window.until', 'must be after window.from');
    else if (span.until - span.from > LONGEST_WINDOW_MS)
      problem('window.until', 'must be 24 h after window.from at most');
  }
  if (problems.length > 0) throw new InvalidError('invalid_input', 'the body is not valid', { fields: problems });
}

function checkAhead(
  field: string,
  atMs: number,
  nowMs: number,
  problem: (field: string, message: string) => void,
): void {
  if (atMs <= nowMs) problem(field, pastMessage(atMs, nowMs));
  else if (atMs > nowMs + FURTHEST_AHEAD_MS) {
    const furthest = new Date(nowMs + FURTHEST_AHEAD_MS).toISOString();
    problem(field, `is ${new Date(atMs).toISOString()}, more than a year ahead; the furthest is ${furthest}`);
  }
}

/** Body of `PATCH /missions/{id}`. */
export const reschedule = z.strictObject({ executeAt: instant.describe('The new instant of take-off.') });

export function readReschedule(body: unknown, nowMs: number): number {
  const { executeAt } = readInput(reschedule, body);
  const problems: { field: string; message: string }[] = [];
  checkAhead('executeAt', executeAt, nowMs, (field, message) => problems.push({ field, message }));
  if (problems.length > 0) throw new InvalidError('invalid_input', 'the body is not valid', { fields: problems });
  return executeAt;
}

const reason = z.string().trim().min(1).max(500).describe('Why; kept with who asked.');

/** Body of a cancel or a command in flight; it may be left out. */
export const why = z.strictObject({ reason: reason.optional() });
/** Body of `POST /missions/{id}/return-to-dock`. */
export const returnToDock = z.strictObject({
  dockSn: z
    .string()
    .refine(isSerialNumber, 'must have 1 to 64 letters, digits, "-" or "_"')
    .describe('Serial number of the dock to land on.'),
  reason: reason.optional(),
});

/** Body of `POST /missions/{id}/resume-from-breakpoint`. */
export const resumeFromBreakPoint = z.strictObject({
  breakPointId: z
    .string()
    .regex(/^\d{1,18}$/, 'must be the id of a breakpoint')
    .optional()
    .describe('Where to begin. Default: where it stopped last.'),
  executeAt: instant.optional().describe('Default: now.'),
  name: missionName.optional(),
  rthAltitudeMeters: rthAltitudeMeters.optional(),
});

/** What a person found. */
export const resolution = z.strictObject({
  note: z.string().trim().min(1).max(1_000).describe('What was found at the dock.'),
});

export const missionQuery = z
  .object({
    dockSn: z.string().max(64).optional().describe('Only missions of this dock.'),
    state: queryList(STATES).optional().describe('One state or several, separated by commas.'),
    kind: z.enum(['immediate', 'timed', 'conditional']).optional().describe('Only missions of this kind.'),
    waylineId: z.uuid().optional().describe('Only missions that fly this wayline.'),
    from: instant.optional().describe('Only missions whose executeAt, or else creation, is at or after this.'),
    until: instant.optional().describe('Only missions whose executeAt, or else creation, is before this.'),
    sort: z
      .enum(SORTS)
      .default('-createdAt')
      .describe('By creation, or by time: executeAt, or else creation. A minus means newest first.'),
  })
  .check(spanInOrder);

export function readMissionQuery(query: unknown): { readonly filter: MissionFilter; readonly sort: Sort } {
  const { dockSn, state, kind, waylineId, from, until, sort } = readInput(missionQuery, query, 'query');
  return { sort, filter: { dockSn, states: state, kind, waylineId, fromMs: from, untilMs: until } };
}
