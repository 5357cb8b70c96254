import { InvalidError, isSerialNumber } from '@aerie/kernel';
import { readInput } from '@aerie/http-api';
import { STATES } from '@aerie/mission-core';
import { z } from 'zod';
import type { NewMission } from './create-mission.js';

/** RFC 3339 with an offset: without one nobody knows which instant is meant. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/;
/** An epoch in milliseconds has 13 digits from 2001 to 2286; ten digits are seconds. */
const EARLIEST_EPOCH_MS = 1_000_000_000_000;
const LATEST_EPOCH_MS = 9_999_999_999_999;
/** Nobody plans further; a year typed wrong is found at once. */
const FURTHEST_AHEAD_MS = 366 * 24 * 60 * 60_000;

const executeAt = z.union([z.string(), z.number()]).transform((value, context): number => {
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
  return Number.isNaN(atMs) ? problem('is no date that exists') : atMs;
});

const newMission = z.strictObject({
  dockSn: z.string().refine(isSerialNumber, 'must have 1 to 64 letters, digits, "-" or "_"'),
  waylineId: z.uuid('must be the id of a wayline'),
  kind: z.enum(['immediate', 'timed']),
  executeAt: executeAt.optional(),
  rthAltitudeMeters: z
    .int('must be a whole number of metres')
    .min(20, 'must be 20 to 1500 metres above take-off')
    .max(1500, 'must be 20 to 1500 metres above take-off'),
  exitOnRcLost: z.enum(['continue', 'executeLostAction']).optional(),
  positioning: z.enum(['gps', 'rtk']).default('rtk'),
  name: z.string().trim().min(1).max(100).optional(),
});

/** Checks the body of `POST /missions`; every problem names its field. */
export function readNewMission(body: unknown, nowMs: number): NewMission {
  const input = readInput(newMission, body);
  const refuse = (message: string): InvalidError =>
    new InvalidError('invalid_input', 'the body is not valid', { fields: [{ field: 'executeAt', message }] });
  if (input.kind === 'timed' && input.executeAt === undefined) throw refuse('is required for a timed mission');
  if (input.kind === 'immediate' && input.executeAt !== undefined) throw refuse('is only for timed missions');
  if (input.executeAt !== undefined && input.executeAt <= nowMs) throw refuse('lies in the past');
  if (input.executeAt !== undefined && input.executeAt > nowMs + FURTHEST_AHEAD_MS) {
    throw refuse('lies more than a year ahead');
  }
  return {
    dockSn: input.dockSn,
    waylineId: input.waylineId,
    kind: input.kind,
    executeAtMs: input.executeAt ?? null,
    rthAltitudeMeters: input.rthAltitudeMeters,
    exitOnRcLost: input.exitOnRcLost ?? null,
    positioning: input.positioning,
    name: input.name ?? null,
  };
}

/** What a person found. */
export const resolution = z.strictObject({ note: z.string().trim().min(1).max(1_000) });

export const missionFilter = z.object({
  dockSn: z.string().max(64).optional(),
  state: z.enum(STATES).optional(),
});
