import { readInput } from '@aerie/http-api';
import { InvalidError } from '@aerie/kernel';
import { readPolicy } from '@aerie/mission-core';
import { z } from 'zod';
import { NEVER_RESUME, type Policy } from '../store/policy.store.js';

/** More would be a flight that never ends well, or a list of everything. */
const MOST_RESUMES = 10;
const MOST_REASONS = 100;
const LONGEST_WAIT_MS = 24 * 60 * 60_000;

export const autoResume = z.strictObject({
  onBreakReasons: z
    .array(z.int().min(1).max(65_535))
    .max(MOST_REASONS)
    .describe("The dock's break reasons after which a flight goes on by itself, e.g. 773 low battery. Empty: never."),
  atMost: z.int().min(0).max(MOST_RESUMES).describe('How often in a row.'),
  afterMs: z.int().min(0).max(LONGEST_WAIT_MS).describe('How long after the end of the flight, ms.'),
});

export const policyInput = z.strictObject({
  preflight: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Limits of the rules, by the name of the rule, as GET shows them.'),
  autoResume: autoResume
    .default({ ...NEVER_RESUME, onBreakReasons: [] })
    .describe('When a flight that stopped goes on by itself, as a new mission.'),
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
  return { preflight: read.policy, autoResume: input.autoResume };
}
