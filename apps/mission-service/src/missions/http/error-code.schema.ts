import { listSchema } from '@aerie/http-api';
import { z } from 'zod';
import { dockErrorSchema } from '../views/fields.schema.js';

export const errorCodeSchema = dockErrorSchema
  .extend({
    code: z
      .int()
      .describe('The number as docks send it: six digits, the first for the source, the next two the module.'),
    resumable: z
      .literal(true)
      .optional()
      .describe('The flight was cut short and can go on from its breakpoint, as a new mission.'),
  })
  .describe('What a result code of a dock means, and what can be done about it.');

export const errorCodesSchema = listSchema(errorCodeSchema, 'By number.');
