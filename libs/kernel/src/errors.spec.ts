import { ConflictError, InvalidError, errorChain } from './errors.js';

describe('the chain of an error', () => {
  it('tells its causes, outermost first', () => {
    const error = new ConflictError('busy', 'failed to start', {
      cause: new Error('failed to lock', { cause: 'timeout' }),
    });
    expect(errorChain(error)).toBe('failed to start: failed to lock: timeout');
  });

  it('ends where causes form a ring', () => {
    const error = new Error('again');
    error.cause = error;
    expect(errorChain(error).split(': ')).toHaveLength(8);
  });

  it('shows something of an error without a message', () => {
    expect(errorChain(new RangeError())).toBe('RangeError');
  });

  it('shows what was thrown that is no error', () => {
    expect(errorChain({ code: 7 })).toBe('{"code":7}');
  });

  it('does not fail on what cannot be written as JSON', () => {
    const ring: Record<string, unknown> = {};
    ring['self'] = ring;
    expect(() => errorChain(ring)).not.toThrow();
  });

  it('shows a thrown bigint', () => {
    expect(errorChain(7n)).toBe('7');
  });

  it('shows a thrown null', () => {
    expect(errorChain(null)).toBe('null');
  });
});

describe('an error of ours', () => {
  it('carries the name of its kind, for logs', () => {
    expect(new InvalidError('invalid_input', 'the body is not valid').name).toBe('InvalidError');
  });

  it('has no cause where none was given', () => {
    expect('cause' in new InvalidError('invalid_input', 'the body is not valid')).toBe(false);
  });
});
