import { readHerdOptions } from './options.js';

const read = (line: string) => readHerdOptions(line.split(' ').filter(Boolean), 1_760_000_000_000);

describe('the options of the herd', () => {
  it('have defaults, and give a larger herd more time and slower flights', () => {
    expect(read('')).toMatchObject({ missions: 500, silentPercent: 1, leadMs: 35_000, hurry: 10 });
    expect(read('--missions 5000')).toMatchObject({ leadMs: 215_000, hurry: 1 });
  });

  it('are what was asked for', () => {
    expect(read('--missions 20 --silent-percent 12.5 --seed 7 --lead 9')).toMatchObject({
      ...{ missions: 20, silentPercent: 12.5, seed: 7, leadMs: 9_000 },
    });
  });

  it.each(['--missions 5001', '--missions many', '--silent-percent 91', '--seed -1', '--lead 1', '--colour red'])(
    'refuse %s and name it',
    (line) => {
      expect(() => read(line)).toThrow(line.split(' ')[0]);
    },
  );
});
