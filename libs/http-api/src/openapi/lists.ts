import { z } from 'zod';

/** A list of everything there is, without pages. */
export const listSchema = <Item extends z.ZodType>(item: Item, says: string) =>
  z.strictObject({ items: z.array(item).describe(says) }).describe('A whole list.');

/** One page, as `toPage` makes it. */
export const pageSchema = <Item extends z.ZodType>(item: Item, says: string) =>
  z
    .strictObject({
      items: z.array(item).describe(says),
      nextCursor: z.string().nullable().describe('`cursor` of the next page; null on the last one.'),
    })
    .describe('One page of a list.');
