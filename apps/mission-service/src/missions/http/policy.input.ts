import { readInput } from '@aerie/http-api';
import { InvalidError } from '@aerie/kernel';
import { readPolicy } from '@aerie/mission-core';
import { z } from 'zod';
import { APPROVAL_OF, NEVER_RESUME, NO_APPROVAL, type Policy } from '../store/policy.store.js';

/** More would be a flight that never ends well, or a list of everything. */
const MOST_RESUMES = 10;
const MOST_REASONS = 100;
/** A month: who has not approved by then will not. */
const LONGEST_LIFETIME_HOURS = 720;
const LONGEST_WAIT_MS = 24 * 60 * 60_000;

export const autoResume = z.strictObject({
  onBreakReasons: z
    .array(z.int().min(1).max(65_535))
    .max(MOST_REASONS)
    .describe("The dock's break reasons after which a flight goes on by itself, e.g. 773 low battery. Empty: never."),
  atMost: z.int().min(0).max(MOST_RESUMES).describe('How often in a row.'),
  afterMs: z.int().min(0).max(LONGEST_WAIT_MS).describe('How long after the end of the flight, ms.'),
});

export const approval = z.strictObject({
  missions: z
    .enum(APPROVAL_OF)
    .describe(
      'Which missions need the approval of another person. `none`; `planned`: those that a person or a key plans; `all`: ' +
        'also those with which a flight that stopped goes on by itself.',
    ),
  lifetimeHours: z
    .int()
    .min(1)
    .max(LONGEST_LIFETIME_HOURS)
    .nullable()
    .default(null)
    .describe('How long a request for approval waits, hours. Null: until the mission can start no more.'),
});

export const policyInput = z.strictObject({
  preflight: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Limits of the rules, by the name of the rule, as GET shows them.'),
  autoResume: autoResume
    .default({ ...NEVER_RESUME, onBreakReasons: [] })
    .describe('When a flight that stopped goes on by itself, as a new mission.'),
  approval: approval
    .default({ ...NO_APPROVAL })
    .describe('Which missions need the approval of another person. Counts for missions that are planned from now on.'),
});

/** Checks the body of `PUT /mission-policy`. */
export function readPolicyInput(body: unknown): Omit<Policy, 'version'> {
  const input = readInput(policyInput, body);
  const read = readPolicy(input.preflight);
  if ('problems' in read) {
    throw new InvalidError('invalid_input', 'the body is not valid', {
      fields: read.problems.map(({ field, message }) => ({
        field: field === '' ? 'preflight' : `preflight.${field}`,
        message,
      })),
    });
  }
  return { preflight: read.policy, autoResume: input.autoResume, approval: input.approval };
}
