import { listSchema, pageSchema, problemSchema } from '@aerie/http-api';
import { LOG_MODULES, STATES } from '@aerie/log-core';
import { z } from 'zod';
import { instant, instantOrNull } from './fields.schema.js';

export const causeSchema = z
  .strictObject({
    code: z.string().describe('Stable word, e.g. `aircraft_off`.'),
    dockResult: z.int().nullable().describe("The dock's own result code, where it gave one."),
    dockError: z
      .strictObject({ en: z.string().describe('In English.'), zh: z.string().describe('In Chinese.') })
      .nullable()
      .describe("What the vendor's list says of the code."),
    advice: z.string().nullable().describe('What to do about it.'),
  })
  .describe('Why something ended, or waits.');

const module = z.enum(LOG_MODULES).describe('Whose logs.');
const modules = z.array(module).describe('Whose logs.');

export const windowSchema = z
  .strictObject({ from: instant('From.'), until: instant('Until.'), modules })
  .nullable()
  .describe('The span that was asked for.');
export const latestSchema = z
  .strictObject({ count: z.int().describe('How many power cycles of each module.'), modules })
  .nullable()
  .describe('The newest ones were asked for.');

const upload = {
  id: z.uuid().describe('Id of the upload.'),
  dockSn: z.string().describe('Its dock.'),
  origin: z.enum(['person', 'mission', 'campaign']).describe('Who began it; `mission`: the failure of one.'),
  missionId: z.uuid().nullable().describe('The mission that it is attached to.'),
  campaignId: z.uuid().nullable().describe('The campaign that it belongs to.'),
  files: z
    .array(z.strictObject({ module, bootIndex: z.int().describe('Number of the power cycle.') }))
    .nullable()
    .describe('The files that were asked for by number.'),
  window: windowSchema,
  latest: latestSchema,
  state: z.enum(STATES).describe('Where it stands; docs/logs.md tells about each state.'),
  version: z.int().describe('Grows with every decision; for `If-Match`.'),
  archives: z
    .array(
      z.strictObject({
        module,
        bootIndexes: z.array(z.int()).describe('What goes into it.'),
        expectedBytes: z.number().describe('Sum of the listed sizes, bytes.'),
        state: z
          .enum(['wanted', 'stored', 'unavailable'])
          .describe('`wanted`: not in the storage. `stored`: seen there. `unavailable`: the dock has none.'),
        problem: causeSchema.nullable().describe('Why the dock has none.'),
        percent: z.number().nullable().describe('Of the present phase, as the dock told last.'),
        reportedBytes: z.number().nullable().describe('Size of the archive as the dock told, bytes.'),
      }),
    )
    .describe('One for each module, once the dock has listed.'),
  attempt: z.int().describe('How often the dock was asked to begin.'),
  failures: z.int().describe('How many of them ended without every file; at three it has failed.'),
  cause: causeSchema.nullable().describe('Why it ended, or waits.'),
  final: z.boolean().describe('Whether it is over.'),
  yieldsToMissions: z.boolean().describe('Whether a mission may take its dock.'),
  deadline: instant('After this it is given up.'),
  nextActionAt: instantOrNull('When it is looked at next.'),
  createdBy: z.string().describe('`key:<id of an API key>`, `person:<id>`, `campaign:<id>` or `policy`.'),
  createdAt: instant('When it was asked for.'),
  updatedAt: instant('When it last changed.'),
};

export const uploadSchema = z.strictObject(upload).describe('One request for logs of one dock.');
export const uploadPageSchema = pageSchema(uploadSchema, 'Newest first.');

export const uploadDetailSchema = z
  .strictObject({
    ...upload,
    attempts: z
      .array(
        z.strictObject({
          number: z.int().describe('From 1.'),
          startedAt: instant('When the dock was asked.'),
          endedAt: instantOrNull('When it was over.'),
          cause: causeSchema.nullable().describe('Why it brought not every file.'),
        }),
      )
      .describe('Each start, with keys and a folder of its own.'),
    fileIds: z.array(z.uuid()).describe('What it has stored: see /log-files.'),
  })
  .describe('A log upload with its attempts.');

export const timelineEntrySchema = z
  .strictObject({
    at: instant('When.'),
    kind: z.enum(['decision', 'refusal', 'message_in', 'message_out', 'note']).describe('What kind of entry it is.'),
    what: z.string().describe('Name of the event or message.'),
    from: z.string().nullable().describe('State before.'),
    to: z.string().nullable().describe('State after.'),
    version: z.int().nullable().describe('Version after.'),
    detail: z
      .unknown()
      .describe(
        'What belongs to it. Never a key. Beyond 16 384 characters its beginning, with `cut` and `characters`.',
      ),
  })
  .describe('One thing that happened to an upload.');

export const timelineSchema = listSchema(
  timelineEntrySchema,
  'Oldest first; the latest 10,000 entries where there are more. Of reports that an export goes on it has those that tell ' +
    'something new; the note `messagesLeftOut` says that the dock has told more than is kept.',
)
  .extend({
    prunedAt: instantOrNull(
      'When retention deleted the timeline of the upload; what is shown is what is left. Null: nothing was deleted.',
    ),
  })
  .describe('A whole list, as far as it is kept.');

/** What a 409 says beside what every problem says. */
export const uploadConflictSchema = problemSchema
  .extend({ state: z.enum(STATES).optional().describe('The state that forbids it.') })
  .describe('The state of the upload forbids it.');
