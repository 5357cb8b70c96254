import { InvalidError, isUuid } from '@aerie/kernel';
import { z } from 'zod';

/** How a list is asked for: `limit` at a time, `cursor` as the last page returned it. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many items one page holds at most.'),
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before; none for the first page.'),
});

export interface Position {
  /** What the list is sorted by: when a thing was created, where the list says nothing else. */
  readonly createdAt: string;
  readonly id: string;
}

/** As the lists write it: RFC 3339 in UTC, with up to microseconds. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/;

/** Whether a part of a cursor is an instant that PostgreSQL reads. */
export const isCursorInstant = (text: string): boolean => INSTANT.test(text) && !Number.isNaN(Date.parse(text));

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** `order` names how the list is sorted: a cursor of another order means nothing in this one. */
export function readCursor(cursor: string | undefined, order = ''): Position | null {
  if (cursor === undefined) return null;
  const [createdAt, id, sortedBy = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split('|');
  if (createdAt === undefined || id === undefined || sortedBy !== order || !isCursorInstant(createdAt) || !isUuid(id)) {
    throw new InvalidError('invalid_input', 'the query is not valid', {
      fields: [
        { field: 'cursor', message: 'is no cursor of this list in this order; begin at the first page without it' },
      ],
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
  order = '',
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  const items = shown.map(toItem);
  if (!more) return { items, nextCursor: null };
  const { createdAt, id } = positionOf(last);
  const parts = order === '' ? [createdAt, id] : [createdAt, id, order];
  return { items, nextCursor: Buffer.from(parts.join('|')).toString('base64url') };
}

/** A cursor of a list that is not sorted by `Position`. It names its list, so that a changed one is not taken for another. */
export const writeCursor = (list: string, parts: readonly string[]): string =>
  Buffer.from([...parts, list].join('|')).toString('base64url');

/** The parts of a cursor of this list; undefined: it is none. What the parts say is for the list to check. */
export function cursorParts(list: string, cursor: string): readonly string[] | undefined {
  const parts = Buffer.from(cursor, 'base64url').toString('utf8').split('|');
  return parts.pop() === list ? parts : undefined;
}
