import { z } from 'zod';
import { readConfig } from './config.js';

const schema = z.object({ PORT: z.coerce.number().int(), URL: z.url() });

describe('the configuration', () => {
  it('is read from text', () => {
    expect(readConfig(schema, { PORT: '80', URL: 'nats://x' })).toEqual({ PORT: 80, URL: 'nats://x' });
  });

  it('is refused with every variable that is wrong, by name', () => {
    expect(() => readConfig(schema, { PORT: 'a' })).toThrow(/PORT: [^]*URL: /);
  });
});
