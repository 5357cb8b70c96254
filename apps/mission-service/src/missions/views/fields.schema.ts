import { STATES } from '@aerie/mission-core';
import { z } from 'zod';

/** Fields that several answers have. */
export const instant = (says: string) => z.iso.datetime().describe(`${says} RFC 3339, UTC.`);
export const instantOrNull = (says: string) => z.iso.datetime().nullable().describe(`${says} RFC 3339, UTC.`);
export const millisOrNull = (says: string) => z.int().nullable().describe(says);
export const missionState = z
  .enum(STATES)
  .describe('Where the mission is in its life; docs/missions.md has the table.');
export const missionKind = z
  .enum(['immediate', 'timed', 'conditional'])
  .describe('When it starts: as soon as the dock has it, at executeAt, or when its conditions hold within window.');

/** What a dock's number means, for people and for schedulers. */
export const dockErrorSchema = z
  .strictObject({
    en: z.string().describe('What it means, in English.'),
    zh: z.string().describe('What it means, in Chinese.'),
    retry: z
      .enum(['now', 'later', 'fix_request', 'fix_route', 'on_site', 'never'])
      .describe(
        'Whether the same may be tried again: now; later, since it is blocked for the moment; after a change of the ' +
          'request or of the wayline; after somebody was at the dock; never.',
      ),
    advice: z
      .strictObject({
        en: z.string().describe('One sentence, in English.'),
        zh: z.string().describe('One sentence, in Chinese.'),
      })
      .describe('What the operator can do.'),
  })
  .describe("A dock's number in words.");

/** The dock's number in words; null for 0 and for what nobody has published. */
export const dockErrorOrNull = dockErrorSchema
  .nullable()
  .describe('The number in words. Null for 0 and for a number that nobody has published.');
