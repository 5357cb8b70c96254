import { z } from 'zod';
import { readConfig } from './config.js';

const schema = z.object({ PORT: z.coerce.number().int(), URL: z.url() });

function errorOf(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('the configuration', () => {
  it('is read from text', () => {
    expect(readConfig(schema, { PORT: '80', URL: 'nats://x' })).toEqual({ PORT: 80, URL: 'nats://x' });
  });

  it('is refused in words for operators, and without what may hold a password', () => {
    const { message } = errorOf(() => readConfig(schema, { PORT: 'a', URL: 'hunter2' }));
    expect(message).toContain('PORT: must be a number, not "a"');
    expect(message).toContain('URL: must be a URL with its scheme');
    expect(message).not.toContain('hunter2');
    expect(errorOf(() => readConfig(schema, { URL: 'nats://x' })).message).toContain('PORT: is required: a number');
  });

  it('is refused with every variable that is wrong, by name', () => {
    expect(() => readConfig(schema, { PORT: 'a' })).toThrow(/PORT: [^]*URL: /);
  });
});
