import { MAX_PAYLOAD_BYTES, readPayload } from './payload.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const reason = (payload: unknown): string => {
  const result = readPayload(payload);
  return result.accepted ? 'accepted' : result.reason;
};
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

describe('payload', () => {
  it.each([
    ['bytes', bytes('{"a":"ü"}')],
    ['a text', '{"a":"ü"}'],
    ['an object', { a: 'ü' }],
  ])('reads %s', (_kind, payload) => {
    expect(readPayload(payload)).toEqual({ accepted: true, body: { a: 'ü' } });
  });

  it.each([
    ['an array', '[]'],
    ['a number', '1'],
    ['null', 'null'],
    ['a text', '"a"'],
    ['a function', () => 1],
    ['undefined', undefined],
    ['a big integer', 1n],
  ])('refuses %s where an object is expected', (_kind, payload) => {
    expect(reason(payload)).toBe('payload: expected a JSON object');
  });

  it.each(['', '{', '{"a":1}}', "{'a':1}", 'NaN'])('refuses %j, which is not JSON', (payload) => {
    expect(reason(payload)).toBe('payload is not JSON');
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(reason(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toBe('payload is not valid UTF-8');
  });

  it('reads a payload of exactly the largest size', () => {
    expect(reason(bytes(`{"a":"${'x'.repeat(MAX_PAYLOAD_BYTES - 8)}"}`))).toBe('accepted');
  });

  it('refuses one byte more', () => {
    expect(reason(bytes(`{"a":"${'x'.repeat(MAX_PAYLOAD_BYTES - 7)}"}`))).toContain('larger than');
  });

  it('counts bytes and not characters of a text', () => {
    expect(reason(`{"a":"${'ü'.repeat(MAX_PAYLOAD_BYTES / 2)}"}`)).toContain('larger than');
  });

  it('reads 64 levels', () => {
    expect(reason(nested(64))).toBe('accepted');
  });

  it.each([65, 20_000])('refuses %i levels', (depth) => {
    expect(reason(nested(depth))).toBe('payload nests deeper than 64 levels');
  });

  it('refuses 65 levels of an object that was parsed before', () => {
    expect(reason(JSON.parse(nested(65)))).toBe('payload nests deeper than 64 levels');
  });

  it('refuses an object that contains itself', () => {
    const ring: Record<string, unknown> = {};
    ring['self'] = ring;
    expect(reason(ring)).toBe('payload: expected a JSON object');
  });

  it.each(['{"a":["\\u0000"]}', '{"a\\u0000":1}'])('refuses NUL in %s, since PostgreSQL cannot store it', (payload) => {
    expect(reason(payload)).toBe('payload contains the NUL character');
  });

  it('reads an escaped backslash before u0000, which is no NUL', () => {
    expect(reason('{"a":"\\\\u0000"}')).toBe('accepted');
  });

  it('refuses half a surrogate pair, since PostgreSQL cannot store it', () => {
    expect(reason('{"a":"\\ud800"}')).toBe('payload contains half a surrogate pair');
  });

  it('reads a whole surrogate pair', () => {
    expect(readPayload('{"a":"\\ud83d\\ude80"}')).toEqual({ accepted: true, body: { a: '🚀' } });
  });

  it.each(['{"__proto__":{"evil":1},"a":1}', '{"\\u005f_proto__":{"evil":1},"a":1}', '{"constructor":1,"a":1}'])(
    'drops the key of %s that could change a prototype',
    (payload) => {
      const result = readPayload(payload);
      expect(result.accepted && Object.keys(result.body)).toEqual(['a']);
    },
  );

  it('drops such a key from a deep level too', () => {
    const result = readPayload('{"a":[{"__proto__":{"evil":1}}]}');
    expect(JSON.stringify(result.accepted && result.body)).toBe('{"a":[{}]}');
  });
});
