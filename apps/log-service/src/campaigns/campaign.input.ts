import { cursorParts, instantInput, isReadInstant, pastMessage, readInput, writeCursor } from '@aerie/http-api';
import { CAMPAIGN_STATES, type Selection } from '@aerie/log-core';
import { dockModel } from '@aerie/bus-contract';
import { isSerialNumber } from '@aerie/kernel';
import { z } from 'zod';
import { dockSn, campaignSelection, oneSelection, selectionOf } from '../uploads/upload.input.js';

/** Which docks: all of the organisation that fit every part. */
const filter = z
  .strictObject({
    sns: z.array(dockSn).min(1).max(900).optional().describe('Only these. Default: all.'),
    models: z.array(dockModel).min(1).max(3).optional().describe('Only these models. Default: all.'),
    nameContains: z.string().min(1).max(100).optional().describe('Only docks whose name holds this text, in any case.'),
  })
  .describe('Which docks; `{}` means all of the organisation.');

const clock = (says: string) =>
  z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:30')
    .describe(says);

/** Body of POST /log-campaigns. */
export const newCampaign = z.strictObject({
  name: z.string().trim().min(1).max(200).describe('For people.'),
  docks: filter,
  logs: campaignSelection,
  docksPerMinute: z.int().min(1).max(600).default(10).describe('How many docks begin in a minute at most.'),
  concurrent: z.int().min(1).max(500).default(10).describe('How many docks export at once at most.'),
  maxMegabitsPerSecond: z
    .number()
    .min(0.1)
    .max(100_000)
    .optional()
    .describe('No further dock begins while those that export upload faster than this together. Default: no limit.'),
  hours: z
    .strictObject({
      from: clock('From this time of day, UTC.'),
      until: clock('Until this time of day, UTC; before `from` it spans midnight.'),
    })
    .optional()
    .describe('When docks may begin, each day. Default: always.'),
  until: instantInput
    .optional()
    .describe('No dock begins at or after this instant. RFC 3339. Default: a week from now.'),
  stopAtFailedPercent: z
    .int()
    .min(0)
    .max(100)
    .default(20)
    .describe('It stops by itself once more than this share of the docks that have ended failed.'),
  stopNotBeforeDocks: z.int().min(1).max(5_000).default(10).describe('But not before so many docks have ended.'),
});

export type NewCampaign = z.output<typeof newCampaign>;

export function readNewCampaign(body: unknown, nowMs: number): NewCampaign & { readonly selection: Selection } {
  const checked = newCampaign.check((context) => {
    const { logs, until } = context.value;
    const issues: z.core.$ZodRawIssue[] = [];
    oneSelection({ value: logs, issues });
    for (const issue of issues) {
      const path = issue.path?.[0] === 'files' ? ['logs'] : ['logs', ...(issue.path ?? [])];
      const message = issue.path?.[0] === 'files' ? 'give exactly one of window and latest' : (issue.message ?? '');
      context.issues.push({ code: 'custom', path, message, input: logs });
    }
    if (isReadInstant(until) && until.getTime() <= nowMs) {
      context.issues.push({ code: 'custom', path: ['until'], message: pastMessage(until, nowMs), input: until });
    }
  });
  const input = readInput(checked, body);
  return { ...input, selection: selectionOf(input.logs) };
}

/** Query of GET /log-campaigns. */
export const campaignQuery = z.object({
  state: z.enum(CAMPAIGN_STATES).optional().describe('Only campaigns in this state.'),
});

/** Where a dock of a campaign is. */
export const CAMPAIGN_DOCK_STATES = ['waiting', 'running', 'done', 'failed', 'skipped'] as const;

/** Query of GET /log-campaigns/{id}/docks. */
export const campaignDockQuery = z.object({
  state: z.enum(CAMPAIGN_DOCK_STATES).optional().describe('Only docks in this state.'),
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('How many one page holds at most.'),
  cursor: z
    .string()
    .max(200)
    .refine(
      (cursor) => dockAtCursor(cursor) !== undefined,
      'is no cursor of this list; begin at the first page without it',
    )
    .optional()
    .describe('`nextCursor` of the page before; none for the first page.'),
});

const DOCKS_OF_CAMPAIGN = 'campaign-docks';

export const cursorAfterDock = (sn: string): string => writeCursor(DOCKS_OF_CAMPAIGN, [sn]);

/** The serial number after which a page begins; undefined: it is no cursor of this list. */
export function dockAtCursor(cursor: string): string | undefined {
  const [sn = '', ...more] = cursorParts(DOCKS_OF_CAMPAIGN, cursor) ?? [];
  return more.length === 0 && isSerialNumber(sn) ? sn : undefined;
}
