import { InvalidError } from '@aerie/kernel';
import { z } from 'zod';

/** How a list is asked for: newest first, `limit` at a time, `cursor` as the last page returned it. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});

export interface Position {
  readonly createdAt: string;
  readonly id: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

export function readCursor(cursor: string | undefined): Position | null {
  if (cursor === undefined) return null;
  const [createdAt, id] = Buffer.from(cursor, 'base64url').toString('utf8').split('|');
  if (
    createdAt === undefined ||
    id === undefined ||
    Number.isNaN(Date.parse(createdAt)) ||
    !/^[0-9a-f-]{36}$/.test(id)
  ) {
    throw new InvalidError('invalid_input', 'the query is not valid', {
      fields: [{ field: 'cursor', message: 'is no cursor of this list' }],
    });
  }
  return { createdAt, id };
}

/** `rows` holds one more than `limit` where there is a next page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => Position,
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    items: shown.map(toItem),
    nextCursor: more ? Buffer.from(`${positionOf(last).createdAt}|${positionOf(last).id}`).toString('base64url') : null,
  };
}
