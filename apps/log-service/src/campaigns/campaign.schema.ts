import { dockModel } from '@aerie/bus-contract';
import { pageSchema, problemSchema } from '@aerie/http-api';
import { CAMPAIGN_STATES } from '@aerie/log-core';
import { z } from 'zod';
import { instant, instantOrNull } from '../uploads/store/fields.schema.js';
import { latestSchema, windowSchema } from '../uploads/store/upload.schema.js';
import { CAMPAIGN_DOCK_STATES } from './campaign.input.js';

const count = (says: string) => z.int().describe(says);

export const campaignSchema = z
  .strictObject({
    id: z.uuid().describe('Id of the campaign.'),
    name: z.string().describe('For people.'),
    state: z
      .enum(CAMPAIGN_STATES)
      .describe(
        '`stopped`: too many docks failed, or its time was over; it can be resumed. `finished`: every dock has ended.',
      ),
    version: z.int().describe('Grows with every change of its state; for `If-Match`.'),
    cause: z.string().nullable().describe('Why it stopped, in a stable word, e.g. `too_many_failed`.'),
    final: z.boolean().describe('Whether it is over and cannot be resumed.'),
    filter: z
      .strictObject({
        sns: z.array(z.string()).optional().describe('Only these.'),
        models: z.array(dockModel).optional().describe('Only these models.'),
        nameContains: z.string().optional().describe('Only docks whose name holds this text.'),
      })
      .describe('Which docks were asked for; those that fitted when it was made take part.'),
    logs: z.strictObject({ window: windowSchema, latest: latestSchema }).describe('Which logs of each dock.'),
    docksPerMinute: count('How many docks begin in a minute at most.'),
    concurrent: count('How many docks export at once at most.'),
    maxMegabitsPerSecond: z
      .number()
      .nullable()
      .describe('No further dock begins while those that export upload faster than this together; null: no limit.'),
    hours: z
      .strictObject({
        from: z.string().describe('From this time of day, UTC.'),
        until: z.string().describe('Until this time of day, UTC; before `from` it spans midnight.'),
      })
      .nullable()
      .describe('When docks may begin, each day; null: always.'),
    until: instantOrNull('No dock begins at or after this instant.'),
    stopAtFailedPercent: count('It stops once more than this share of the docks that have ended failed.'),
    stopNotBeforeDocks: count('But not before so many docks have ended.'),
    progress: z
      .strictObject({
        docks: count('All that take part.'),
        waiting: count('Their turn has not come.'),
        running: count('They export now.'),
        done: count('Their logs are stored, or a part of them.'),
        failed: count('They brought nothing.'),
        skipped: count('They were left out.'),
        megabitsPerSecond: z.number().describe('How fast those that export upload together, as they told.'),
      })
      .describe('How many docks are where.'),
    nextActionAt: instantOrNull('When it is looked at next.'),
    createdBy: z.string().describe('`key:<id of an API key>` or `person:<id>`.'),
    createdAt: instant('When it was made.'),
    updatedAt: instant('When its state last changed.'),
  })
  .describe('One request for logs of many docks.');
export const campaignPageSchema = pageSchema(campaignSchema, 'Newest first.');

export const campaignDockSchema = z
  .strictObject({
    dockSn: z.string().describe('The dock.'),
    state: z.enum(CAMPAIGN_DOCK_STATES).describe('Where it is.'),
    uploadId: z.uuid().nullable().describe('Its log upload; null before its turn.'),
    cause: z.string().nullable().describe('Why it failed or was left out, in a stable word.'),
    endedAt: instantOrNull('When it was over.'),
  })
  .describe('What became of one dock of a campaign.');
export const campaignDocksSchema = pageSchema(campaignDockSchema, 'In the order of their serial numbers.');

/** What a 409 says beside what every problem says. */
export const campaignConflictSchema = problemSchema
  .extend({ state: z.enum(CAMPAIGN_STATES).optional().describe('The state that forbids it.') })
  .describe('The state of the campaign forbids it.');
