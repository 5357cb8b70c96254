import { eventually } from './eventually.js';

describe('eventually', () => {
  it('gives the first value that holds', async () => {
    const values = [undefined, null, false, 0];
    expect(await eventually('a value', () => values.shift())).toBe(0);
  });

  it('tries again after an error', async () => {
    let reads = 0;
    const read = (): number => {
      if (++reads < 3) throw new Error('not yet');
      return reads;
    };
    expect(await eventually('a read without an error', read)).toBe(3);
  });

  it('says what it waited for, and what went wrong last', async () => {
    const cause = new Error('no such thing');
    await expect(eventually('the thing is there', () => Promise.reject(cause), 1)).rejects.toMatchObject({
      message: 'waited 1 ms for this to hold: the thing is there',
      cause,
    });
  });
});
