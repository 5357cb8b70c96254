import { InvalidError } from '@aerie/kernel';
import { z } from 'zod';
import { readInput } from './read-input.js';

const schema = z.strictObject({
  name: z.string(),
  start: z.strictObject({ altitudeMeters: z.number() }).optional(),
  points: z.array(z.number()).optional(),
  more: z.record(z.string(), z.unknown()).optional(),
});

const fieldsOf = (input: unknown, what?: string): readonly string[] => {
  try {
    readInput(schema, input, what);
    return [];
  } catch (error) {
    if (error instanceof InvalidError) return error.fields.map(({ field }) => field);
    throw error;
  }
};

describe('reading an input', () => {
  it('gives what fits', () => {
    expect(readInput(schema, { name: 'a' })).toEqual({ name: 'a' });
  });

  it('names a field that is missing', () => {
    expect(fieldsOf({})).toEqual(['name']);
  });

  it('names a field by its whole path', () => {
    expect(fieldsOf({ name: 'a', start: { altitudeMeters: 'high' } })).toEqual(['start.altitudeMeters']);
  });

  it('names an entry of a list by its index', () => {
    expect(fieldsOf({ name: 'a', points: [1, 'two'] })).toEqual(['points.1']);
  });

  it('names every problem at once', () => {
    expect(fieldsOf({ name: 7, start: {} })).toEqual(['name', 'start.altitudeMeters']);
  });

  it('names each key that nobody knows, and not its parent', () => {
    expect(fieldsOf({ name: 'a', nmae: 'b', start: { altitudeMeters: 1, x: 1, y: 2 } })).toEqual([
      'start.x',
      'start.y',
      'nmae',
    ]);
  });

  it('names a text that holds a character which no database keeps', () => {
    expect(fieldsOf({ name: 'a\u0000b' })).toEqual(['name']);
    expect(fieldsOf({ name: 'a', more: { deep: [1, { text: '\u0000' }] } })).toEqual(['more.deep.1.text']);
  });

  it('refuses what is nested beyond all sense, also where anything may be', () => {
    const deep = JSON.parse(`${'['.repeat(30_000)}${']'.repeat(30_000)}`) as unknown;
    expect(fieldsOf({ name: 'a', more: { deep } })[0]).toMatch(/^more\.deep\.0\.0/);
  });

  it('says that a body is missing', () => {
    expect(fieldsOf(undefined)).toEqual(['body']);
  });

  it('names the query where the query is wrong as a whole', () => {
    expect(fieldsOf('text', 'query')).toEqual(['query']);
  });

  it('is not fooled by keys that mean something to JavaScript', () => {
    expect(fieldsOf(JSON.parse('{"name":"a","__proto__":{"admin":true},"constructor":1}'))).toContain('constructor');
  });
});
