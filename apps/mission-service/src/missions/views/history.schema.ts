import { listSchema } from '@aerie/http-api';
import { z } from 'zod';
import { dockErrorOrNull, dockErrorSchema, instant, instantOrNull, missionState } from './fields.schema.js';

/** What happened to a mission, as the API shows it. */

export const prunedAt = instantOrNull(
  'When retention deleted the detail of the mission: its timeline, its commands and its preflight, and the places where ' +
    'nobody can go on any more. What is shown is what is left. Null: nothing was deleted.',
);

const keptList = <Item extends z.ZodType>(item: Item, says: string) =>
  listSchema(item, says).extend({ prunedAt }).describe('A whole list, as far as it is kept.');

export const timelineEntrySchema = z
  .strictObject({
    at: instant('When it was written down.'),
    kind: z
      .enum(['decision', 'refusal', 'message_in', 'message_out', 'note'])
      .describe('An event that was decided on or refused, a message of or to the dock, or something to know.'),
    what: z.string().describe("Name of the event, or the vendor's name of the message."),
    from: missionState.nullable().describe('State before, where there was a decision.'),
    to: missionState.nullable().describe('State after, where there was a decision.'),
    version: z.int().nullable().describe('Version of the mission after it.'),
    detail: z
      .record(z.string(), z.unknown())
      .describe('All that the decision rested on. For people and for `npm run replay`; it differs by event.'),
  })
  .describe('One thing that happened to a mission.');

export const timelineSchema = keptList(
  timelineEntrySchema,
  'All that happened, oldest first; at most 20 000 entries. Where retention has deleted them, the first entry is the ' +
    'note `detailPruned`.',
);
export const timelineTextSchema = z
  .string()
  .describe('One entry of the timeline as JSON on each line: a file for `npm run replay`.');

export const trackPointSchema = z
  .strictObject({
    at: instant('When it came in.'),
    attempt: z.int().describe('Which start of the mission it belongs to.'),
    status: z.string().describe("The dock's own word, e.g. in_progress."),
    percent: z.number().nullable().describe('Of the whole job, 0 to 100; real docks stay at 90 while they fly.'),
    currentStep: z.number().nullable().describe("The dock's own number; its meaning differs by model and firmware."),
    waypointIndex: z.number().nullable().describe('Waypoint that is being flown, from 0.'),
    mediaCount: z.number().nullable().describe('Photos and videos made; told with the end of a flight.'),
  })
  .describe('One report of a flight.');

export const trackSchema = listSchema(trackPointSchema, 'All reports, oldest first; at most 20 000.')
  .extend({
    keptFrom: instantOrNull('Reports from before this are not kept any more, or never were. Null: none are kept.'),
  })
  .describe('A whole list, as far as it is kept.');

export const commandSchema = z
  .strictObject({
    id: z.uuid().describe('Also the `tid` on the wire.'),
    method: z.string().describe("The vendor's name of the command, e.g. flighttask_execute."),
    attempt: z.int().describe('Which start of the mission it belongs to; 0 for all other commands.'),
    requestedBy: z
      .string()
      .nullable()
      .describe('Who asked for it: the id of an API key, or `person:<id>`. Null: nobody, it came of itself.'),
    reason: z.string().nullable().describe('Why, in the words of whoever asked.'),
    decidedAt: instant('When it was decided, before it was sent.'),
    notAfter: instant('It is not sent at or after this.'),
    outcome: z
      .enum(['refused', 'written', 'unknown'])
      .nullable()
      .describe(
        '`refused`: proven not to be sent. `written`: the broker has it. `unknown`: only the dock can tell. ' +
          'Null: not known yet.',
      ),
    outcomeReason: z.string().nullable().describe('Why it was refused, or why it is unknown.'),
    sentAt: instantOrNull('When its outcome was written down.'),
    reply: z
      .strictObject({
        result: z.int().describe("The dock's result code; 0 is success."),
        error: dockErrorOrNull,
        at: instant('When the first answer came.'),
      })
      .nullable()
      .describe("The dock's first answer. Null: none yet."),
  })
  .describe('A command that was sent to the dock, what became of it, and the answer.');

export const commandsSchema = keptList(commandSchema, 'All commands, oldest first; at most 1000.');

export const breakPointSchema = z
  .strictObject({
    id: z.string().describe('For `breakPointId` of resume-from-breakpoint.'),
    at: instant('When it was reported.'),
    breakReason: z.int().nullable().describe("The dock's number for why it stopped, e.g. 773. Null: not told."),
    meaning: dockErrorSchema
      .nullable()
      .describe(
        'The reason in words: 321000 plus the reason is the published code of it. Null: no reason, or none known.',
      ),
    resumable: z.boolean().describe('Whether a new mission can begin there.'),
    waypointIndex: z.int().nullable().describe('Waypoint, or the one at which the segment begins, from 0.'),
    waylineId: z.int().nullable().describe('Number of the wayline inside the KMZ; null where none had begun.'),
    segmentShare: z.number().nullable().describe('Share of the segment that was flown, 0 to 1.'),
    latitude: z.number().nullable().describe('Degrees, WGS 84.'),
    longitude: z.number().nullable().describe('Degrees, WGS 84.'),
    heightMeters: z.number().nullable().describe('Metres above the ellipsoid.'),
  })
  .describe('A place where the flight stopped.');

export const breakPointsSchema = keptList(breakPointSchema, 'All places, oldest first.');
