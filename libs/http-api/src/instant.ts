import { z } from 'zod';

/** An instant as a caller writes it: RFC 3339 with `Z` or an offset. PostgreSQL takes fewer offsets; it gets a Date. */
export const instantInput = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
