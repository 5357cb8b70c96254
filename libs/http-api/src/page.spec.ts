import { InvalidError } from '@aerie/kernel';
import { cursorParts, pageQuery, readCursor, toPage, writeCursor } from './page.js';

const at = (index: number) => ({
  createdAt: new Date(Date.UTC(2030, 0, 1, 0, 0, index)).toISOString(),
  id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
});
const page = (rows: readonly number[], limit: number) => toPage(rows, limit, at, (row) => `item ${row}`);
const encode = (text: string): string => Buffer.from(text).toString('base64url');

describe('a page', () => {
  it('shows as many as were asked for', () => {
    expect(page([1, 2, 3], 2).items).toEqual(['item 1', 'item 2']);
  });

  it('leads to the next one from its last row', () => {
    expect(readCursor(page([1, 2, 3], 2).nextCursor ?? undefined)).toEqual(at(2));
  });

  it.each([
    ['is full', [1, 2]],
    ['has room', [1]],
    ['is empty', []],
  ])('is the last one when no row is left over, whether it %s', (_what, rows) => {
    expect(page(rows, 2).nextCursor).toBeNull();
  });
});

describe('a cursor', () => {
  it('is nothing on the first page', () => {
    expect(readCursor(undefined)).toBeNull();
  });

  it.each([
    ['is empty', ''],
    ['is no base64', '%%%'],
    ['has no id', encode('2030-01-01T00:00:00Z')],
    ['has no time', encode(`yesterday|${at(1).id}`)],
    ['has another id', encode(`2030-01-01T00:00:00Z|' OR 1=1`)],
  ])('is refused when it %s', (_what, cursor) => {
    expect(() => readCursor(cursor)).toThrow(InvalidError);
  });
});

describe('a cursor of a list with an order of its own', () => {
  const cursor = writeCursor('docks', ['2030-01-01T00:00:00Z', '4TADL210020011']);

  it('is read by its list', () => {
    expect(cursorParts('docks', cursor)).toEqual(['2030-01-01T00:00:00Z', '4TADL210020011']);
  });

  it('is none of another list, and none when it was cut, prolonged or made up', () => {
    expect(cursorParts('campaign-docks', cursor)).toBeUndefined();
    for (const changed of [cursor.slice(0, -4), cursor.slice(5), `${cursor}AAAA`, '4TADL210020011', '']) {
      expect(cursorParts('docks', changed)).toBeUndefined();
    }
  });
});

describe('the query of a list', () => {
  it('asks for fifty when it does not say', () => {
    expect(pageQuery.parse({})).toEqual({ limit: 50 });
  });

  it.each(['0', '201', '-1', '1.5', 'many', ''])('may not ask for %j', (limit) => {
    expect(pageQuery.safeParse({ limit }).success).toBe(false);
  });
});
