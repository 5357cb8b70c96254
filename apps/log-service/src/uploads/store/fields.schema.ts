import { z } from 'zod';

/** Fields that several answers have. */
export const instant = (says: string) => z.iso.datetime().describe(`${says} RFC 3339, UTC.`);
export const instantOrNull = (says: string) => z.iso.datetime().nullable().describe(`${says} RFC 3339, UTC.`);
