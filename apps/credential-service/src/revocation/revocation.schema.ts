import { isSerialNumber } from '@aerie/kernel';
import { z } from 'zod';

/** The body of `POST /storage/revoke`. */
export const revokeInput = z.strictObject({
  dockSn: z
    .string()
    .refine(isSerialNumber, 'must have 1 to 64 letters, digits, "-" or "_"')
    .optional()
    .describe('The dock whose keys are called back. Default: those of all docks of the organisation.'),
  formerDock: z
    .boolean()
    .default(false)
    .describe('Also for a dock that is not registered any more; else an unknown one is refused.'),
  reason: z.string().trim().min(1).max(500).describe('Why, for the record.'),
});

export const revocationSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the revocation.'),
    dockSn: z.string().nullable().describe('Whose keys; null: those of all docks of the organisation.'),
    state: z
      .enum(['pending', 'denied', 'abandoned'])
      .describe(
        'pending: Aerie gives the keys out no more, and tells the storage until it takes it. denied: it has. abandoned: ' +
          'it was replaced, or had not taken it when the keys had ended by themselves.',
      ),
    storageVersion: z.int().describe('`version` of the storage that is told; 0: that of the deployment.'),
    untold: z
      .array(
        z.strictObject({
          storageVersion: z.int().describe('`version` of a storage that was used before.'),
          keysUntil: z.iso.datetime().describe('When the last of its keys ends.'),
        }),
      )
      .describe('Storages that were used before, whose keys still live: they are not told, call them back there.'),
    notBefore: z.iso.datetime().describe('Keys that were made before this instant do nothing any more.'),
    reason: z.string().describe('Why, as it was said.'),
    revokedBy: z.string().describe('`key:<id of an API key>` or `person:<id>`.'),
    revokedAt: z.iso.datetime().describe('When it was asked for.'),
    deniedAt: z.iso.datetime().nullable().describe('When the storage took it; null: not yet.'),
    attempts: z.int().describe('How often the storage was told.'),
    lastError: z
      .string()
      .nullable()
      .describe('What the storage said the last time it did not take it, in its own code.'),
  })
  .describe('Keys that were called back.');
export type RevocationView = z.output<typeof revocationSchema>;
