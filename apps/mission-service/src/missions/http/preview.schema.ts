import { z } from 'zod';
import { preflightResultSchema } from './preflight.schema.js';
import { instant, instantOrNull, missionState } from '../views/fields.schema.js';

export const conflictSchema = z
  .strictObject({
    kind: z.enum(['mission', 'log_upload']).describe('What has the dock.'),
    id: z.uuid().describe('Its id.'),
    name: z.string().nullable().describe('Of a mission: its name.'),
    state: missionState.nullable().describe('Of a mission: its state.'),
    from: instant('The dock is taken from then on, with the time it takes to get ready.'),
    until: instant('The dock is taken until then.'),
  })
  .describe('Who has the dock at the time that was asked for.');

/** Said beside each conflict. */
export const EARLIEST_EXECUTE_AT =
  'The dock is taken: the earliest executeAt, not before the one asked for, at which it has room for this mission. Null: not taken, or nobody can say.';

export const previewSchema = z
  .strictObject({
    verdict: z.enum(['go', 'no_go']).describe('no_go if the dock is taken or a rule says no.'),
    conflicts: z.array(conflictSchema).describe('Who else has the dock at that time, soonest first; at most ten.'),
    earliestExecuteAt: instantOrNull(EARLIEST_EXECUTE_AT),
    preflight: preflightResultSchema.describe('As it would be judged now.'),
    plan: z
      .strictObject({
        prepareAt: instant('When the dock would first be told.'),
        executeAt: instantOrNull('When it would take off.'),
        deadline: instantOrNull('When it would be too late to start.'),
        plannedDurationSeconds: z
          .number()
          .describe('From take-off to landing, seconds; without the way there and back while the position is unknown.'),
        approveBy: instantOrNull('Until when another person would have to approve it. Null: it needs no approval.'),
      })
      .describe('When what would happen.'),
  })
  .describe('What would become of the mission, had it been accepted now. Nothing was written.');
