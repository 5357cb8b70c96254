import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSampleKmz } from './sample-kmz.js';

const samples = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../docs/samples');

it.each([
  ['dock1', 'M30'],
  ['dock2', 'M3TD'],
  ['dock3', 'M4TD'],
] as const)(
  'the sample route of a %s in docs/samples is the one that a %s of `npm start` can fly',
  async (model, aircraft) => {
    // Where the docks of `npm start` stand.
    const made = await makeSampleKmz({ originLatitude: 46.5197, originLongitude: 6.6323, aircraft });

    expect(readFileSync(path.join(samples, `${model}.kmz`)).equals(made)).toBe(true);
  },
);
