import { problemSchema } from '@aerie/http-api';
import { z } from 'zod';
import { EARLIEST_EXECUTE_AT, conflictSchema } from './preview.schema.js';
import { instantOrNull, missionState } from '../views/fields.schema.js';
import { missionSchema } from '../views/mission.schema.js';
import { CHOICE_ACTIONS } from '../control/controls.js';

export const controlAcceptedSchema = z
  .strictObject({
    mission: missionSchema.describe('The mission as it is now; a command itself changes no state.'),
    command: z
      .strictObject({
        id: z.uuid().describe("Its id in the mission's list of commands."),
        method: z.string().describe("The vendor's name of it, e.g. flighttask_pause."),
      })
      .nullable()
      .describe(
        'The command that was recorded and is on its way. Null: the start had not left yet and was withdrawn, so the dock ' +
          'needs no command; the mission is called off.',
      ),
  })
  .describe('A command was recorded. What became of it shows in the list of commands.');

export const choiceSchema = z
  .strictObject({
    action: z
      .enum(CHOICE_ACTIONS)
      .describe('A command of /missions/{id}/…, or cancel, approve, refuse, reschedule or resolve.'),
    method: z.enum(['POST', 'PATCH']).describe('How to ask for it.'),
    says: z.string().describe('What it does, for people.'),
    href: z.string().describe('Path to ask at.'),
  })
  .describe('Something that can be asked of the mission now.');

/** What a 409 says beside what every problem says. */
export const missionConflictSchema = problemSchema
  .extend({
    state: missionState.optional(),
    choices: z
      .array(choiceSchema)
      .min(1)
      .optional()
      .describe('What can be asked of the mission instead; left out where that is nothing.'),
    conflicts: z.array(conflictSchema).optional().describe('Who has the dock at that time.'),
    earliestExecuteAt: instantOrNull(EARLIEST_EXECUTE_AT).optional(),
    flightId: z.string().optional().describe('The flight that the dock says it flies.'),
  })
  .describe('The present state forbids it.');
