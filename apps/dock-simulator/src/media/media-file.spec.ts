import { Prng } from '../prng.js';
import { contentOf, type MediaFile, mediaOf } from './media-file.js';

const LANDED_MS = Date.UTC(2026, 0, 31, 12, 0, 8);
const place = { latitude: 47, longitude: 8, elevationMeters: 60 };
const files = (flightId = 'a-flight', photos = 4): MediaFile[] =>
  mediaOf(flightId, 2, Array<typeof place>(photos).fill(place), LANDED_MS);
const first = (): MediaFile => files()[0] as MediaFile;

describe('the media of a flight', () => {
  it('are named as docks name them', () => {
    expect(files().map(({ name }) => name)).toEqual([
      'DJI_20260131120000_0001_V.jpeg',
      'DJI_20260131120002_0002_V.jpeg',
      'DJI_20260131120004_0003_V.jpeg',
      'DJI_20260131120006_0004_V.jpeg',
    ]);
  });

  it('lie in one folder of their flight', () => {
    expect(first().flight).toMatchObject({ folder: 'DJI_202601311200_002_a-flight', expectedCount: 4 });
  });

  it('stay below their prefix whatever the id of the flight is', () => {
    expect(files('../../x/\u0000')[0]?.flight.folder).toBe('DJI_202601311200_002_x');
  });

  it('hold the same for the same seed, and each something else', () => {
    const contents = files().map((file) => contentOf(file, new Prng(7), 1_001));
    expect(contents.map(({ length }) => length)).toEqual([1_001, 1_001, 1_001, 1_001]);
    expect(new Set(contents.map((content) => content.toString('hex'))).size).toBe(4);
    expect(contentOf(first(), new Prng(7), 1_001).equals(contents[0] as Buffer)).toBe(true);
    expect(contentOf(first(), new Prng(8), 1_001).equals(contents[0] as Buffer)).toBe(false);
  });
});
