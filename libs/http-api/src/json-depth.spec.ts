import { InvalidError } from '@aerie/kernel';
import { refuseDeep } from './json-depth.js';

const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

it('lets through what is nested like any input, however much of it there is', () => {
  for (const body of [nested(32), Array.from({ length: 1_000 }, () => nested(31)), { a: { b: 'c' } }, 'text', null]) {
    expect(() => refuseDeep(body)).not.toThrow();
  }
});

it('refuses what is nested deeper, also where anything else would run out of its stack', () => {
  for (const body of [nested(33), nested(30_000), { a: [nested(31)] }]) {
    expect(() => refuseDeep(body)).toThrow(InvalidError);
  }
});
