import { z } from 'zod';
import { instant } from '../views/fields.schema.js';
import { prunedAt } from '../views/history.schema.js';
import { ruleName } from '../views/mission.schema.js';

const shown = z.union([z.number(), z.string(), z.boolean()]).nullable();

export const ruleResultSchema = z
  .strictObject({
    rule: ruleName,
    hard: z.boolean().describe('No policy switches it off.'),
    verdict: z
      .enum(['go', 'no_go', 'unknown', 'off'])
      .describe('`unknown`: there is no input, and that passes. `off`: the policy does not ask.'),
    input: shown.describe('What was found, in `unit`. Null: nothing, so a no_go is for want of it.'),
    limit: shown.describe('What is allowed, in `unit`. Null: there is no limit.'),
    margin: z
      .number()
      .nullable()
      .describe('How far inside the limit, or below zero outside, in `unit`. Null where that makes no sense.'),
    unit: z
      .enum(['percent', 'metersPerSecond', 'celsius', 'milliseconds', 'megabytes', 'meters', 'level'])
      .nullable()
      .describe('Unit of input, limit and margin; level is a step of the rain gauge. Null: they have none.'),
    message: z.string().describe('For people. Where the verdict is no_go it says what to change.'),
  })
  .describe('What one rule says.');

const members = {
  verdict: z.enum(['go', 'no_go']).describe('no_go if at least one rule says so.'),
  rules: z.array(ruleResultSchema).describe('Every rule once.'),
};

export const preflightResultSchema = z.strictObject(members).describe('Whether the mission may fly, rule by rule.');

const stored = z.strictObject({ ...members, at: instant('When it was judged.') });

export const preflightStagesSchema = z
  .strictObject({
    plan: stored.optional().describe('As it was planned.'),
    prepare: stored.optional().describe('Before the dock was told.'),
    execute: stored.optional().describe('The last word before take-off.'),
    prunedAt,
  })
  .describe('The last result of each stage that was judged.');
