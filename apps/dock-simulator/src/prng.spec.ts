import { Prng } from './prng.js';

const draws = (prng: Prng): number[] => Array.from({ length: 5 }, () => prng.next());

describe('the generator', () => {
  it('gives the same numbers for the same seed', () => {
    expect(draws(new Prng(42))).toEqual(draws(new Prng(42)));
    expect(draws(new Prng(42))).not.toEqual(draws(new Prng(43)));
  });

  it('gives the numbers of mulberry32', () => {
    expect(new Prng(1).next()).toBeCloseTo(0.6270739405881613, 15);
  });

  it('gives each label a stream that does not depend on what was drawn before', () => {
    const root = new Prng(7);
    const early = draws(root.derive('dock-1'));
    root.next();
    expect(draws(root.derive('dock-1'))).toEqual(early);
    expect(draws(root.derive('dock-2'))).not.toEqual(early);
  });

  it('draws also for a certain answer, so that a changed probability shifts nothing', () => {
    const certain = new Prng(3);
    const never = new Prng(3);
    expect([certain.chance(1), never.chance(0)]).toEqual([true, false]);
    expect(certain.next()).toBe(never.next());
  });

  it('makes ids in the shape of a UUID', () => {
    expect(new Prng(5).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
