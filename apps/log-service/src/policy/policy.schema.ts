import { z } from 'zod';
import { modules } from '../uploads/upload.input.js';

const fields = {
  collectOnFailure: z
    .boolean()
    .describe('Whether the logs of a mission that failed are collected and attached to it by themselves.'),
  collectWhenEndedByPerson: z
    .boolean()
    .describe('Whether that also holds for a flight that a person ended, e.g. by return-home.'),
  collectModules: modules.describe('Whose logs are collected then.'),
  missionsFirst: z
    .boolean()
    .describe(
      'Whether a mission that needs a dock interrupts the upload of its logs; else the upload refuses the mission.',
    ),
  retentionDays: z
    .int()
    .min(1)
    .max(36_500)
    .nullable()
    .describe('After so many days the content of a file is deleted; null keeps it for ever.'),
};

/** Body of PUT /log-policy. */
export const policyInput = z.strictObject({
  ...fields,
  collectWhenEndedByPerson: fields.collectWhenEndedByPerson.default(false),
  collectModules: fields.collectModules.default(['dock', 'aircraft']),
  missionsFirst: fields.missionsFirst.default(true),
  retentionDays: fields.retentionDays.default(null),
});

export const policySchema = z
  .strictObject({ ...fields, version: z.int().describe('Grows with every change; for `If-Match`. 0: never changed.') })
  .describe('What the organisation has decided for all its logs.');
