import { inspect } from 'node:util';
import { Secret } from './secret.js';

const secret = new Secret('hunter2');

describe('a secret', () => {
  it.each([
    ['as text', () => String(secret)],
    ['in a template', () => `${secret.toString()}`],
    ['as JSON', () => JSON.stringify({ secret })],
    ['in the console', () => inspect({ secret }, { depth: 5, showHidden: true })],
    ['by its properties', () => JSON.stringify(Object.getOwnPropertyNames(secret)) + '[secret]'],
  ])('does not show %s', (_way, print) => {
    expect(print()).toContain('[secret]');
    expect(print()).not.toContain('hunter2');
  });

  it('is revealed where it is asked for by name', () => {
    expect(secret.reveal()).toBe('hunter2');
  });
});
