import { z } from 'zod';

/** An instant as a caller writes it: RFC 3339 with `Z` or an offset. PostgreSQL takes fewer offsets; it gets a Date. */
export const instantInput = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/**
 * Says of an instant that it lies in the past: what was sent, and what time it is here. Often one of the two clocks is
 * wrong, or a time zone.
 */
export function pastMessage(at: Date | number, nowMs: number): string {
  const now = new Date(nowMs).toISOString();
  return `is ${new Date(at).toISOString()}, which lies in the past; here it is ${now}: choose a later time`;
}
