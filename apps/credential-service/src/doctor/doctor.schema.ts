import { z } from 'zod';
import { STEPS } from './step.js';

export const stepSchema = z
  .strictObject({
    step: z.enum(STEPS).describe('What was looked at.'),
    verdict: z.enum(['passed', 'failed', 'skipped']).describe('skipped: made no sense, `found` says why.'),
    found: z.string().describe('What was seen.'),
    change: z.string().nullable().describe('What to change; null where nothing is wrong.'),
    tookMs: z.int().describe('How long it took, ms.'),
  })
  .describe('One step of an examination.');

export const doctorReportSchema = z
  .strictObject({
    healthy: z.boolean().describe('No step has failed.'),
    chosenBy: z.enum(['organisation', 'deployment']).describe('Whose storage it is.'),
    startedAt: z.iso.datetime().describe('When it began.'),
    steps: z.array(stepSchema).describe('In the order in which they were taken.'),
  })
  .describe('What the doctor found when it did with the storage what a dock would do.');
export type DoctorReport = z.output<typeof doctorReportSchema>;
