import { z } from 'zod';
import { module, modules } from '../uploads/upload.input.js';
import { causeSchema } from '../uploads/store/upload.schema.js';

/** Body of POST /docks/{sn}/log-listings. */
export const newListing = z.strictObject({ modules: modules.optional().describe('Default: both.') });

export const listingSchema = z
  .strictObject({
    dockSn: z.string().describe('The dock.'),
    listedAt: z.iso.datetime().describe('When it has answered.'),
    modules: z
      .array(
        z.strictObject({
          module,
          problem: causeSchema.nullable().describe('Why it has none; null where it lists some.'),
          files: z
            .array(
              z.strictObject({
                bootIndex: z.int().describe('Number of the power cycle: what an upload asks for.'),
                startAt: z.iso.datetime().nullable().describe("When it began, by the dock's clock."),
                endAt: z.iso.datetime().nullable().describe('When it ended; null where the dock does not say.'),
                sizeBytes: z.number().describe('Bytes.'),
              }),
            )
            .describe('One for each power cycle.'),
        }),
      )
      .describe('What was asked for.'),
  })
  .describe('The logs that a dock has.');
