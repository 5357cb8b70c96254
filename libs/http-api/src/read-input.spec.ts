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

  it('says in our words what was sent and what is allowed', () => {
    const strict = z.strictObject({
      text: z.string(),
      count: z.coerce.number().int().min(1).max(9),
      word: z.enum(['red', 'blue']),
      id: z.uuid(),
      own: z.string().refine((text) => text === 'x', 'must be x'),
      either: z.union([z.string(), z.number()]),
      names: z.array(z.string().min(2)).min(1),
      secret: z.string().min(40),
      shape: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('round') }),
        z.object({ kind: z.literal('flat') }),
      ]),
    });
    const messagesOf = (input: unknown): Record<string, string> => {
      try {
        readInput(strict, input);
        return {};
      } catch (error) {
        return Object.fromEntries((error as InvalidError).fields.map(({ field, message }) => [field, message]));
      }
    };
    expect(messagesOf({})).toMatchObject({
      text: 'is required: a text',
      word: 'is required: one of red, blue',
      names: 'is required: a list',
      shape: 'is required: an object',
    });
    const wrong = { text: 7, count: 'many', word: 'green', id: '17', own: 'y', either: true, names: [''] };
    expect(messagesOf({ ...wrong, secret: 'hunter2', shape: { kind: 'square' } })).toEqual({
      text: 'must be a text, not 7',
      count: 'must be a number, not "many"',
      word: 'must be one of red, blue, not "green"',
      id: 'must be a UUID, like 0b6f6c2a-5b0e-4d53-9c0e-6f6f0a4b7d11, not "17"',
      own: 'must be x; sent was "y"',
      either: 'must be a text or a number, not true',
      'names.0': 'must be a text of at least 2 characters, not ""',
      secret: 'must be a text of at least 40 characters, not what was sent',
      'shape.kind': 'must be one of round, flat, not "square"',
    });
    expect(messagesOf({ ...wrong, count: '10', names: [] })).toMatchObject({
      count: 'must be at most 9, not "10"',
      names: 'must be a list of at least 1 entries, not a list of 0',
    });
  });

  it('says which fields are known, and which one was meant', () => {
    const messageOf = (input: unknown): string => {
      try {
        readInput(schema, input);
        return '';
      } catch (error) {
        return (error as InvalidError).fields[0]?.message ?? '';
      }
    };
    expect(messageOf({ name: 'a', colour: 1 })).toBe('is not a known field; known are name, start, points, more');
    expect(messageOf({ name: 'a', start: { altitudeMeters: 1, altitude_meters: 2 } })).toBe(
      'is not a known field; did you mean altitudeMeters? known are altitudeMeters',
    );
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
