import { coordinatesOf } from './coordinates.js';

it.each([
  [46.5197, 6.6323],
  [-33.9, 18.4],
  [0, 6.6],
  [46.5, 0],
  [90, 180],
  [-90, -180],
])('reads the position %p, %p', (latitude, longitude) => {
  expect(coordinatesOf(latitude, longitude)).toEqual({ latitude, longitude });
});

it('reads numbers that a dock writes as text', () => {
  expect(coordinatesOf('46.5197', '-6.6323')).toEqual({ latitude: 46.5197, longitude: -6.6323 });
});

it.each([
  [0, 0],
  ['0', '0.0'],
  [90.1, 6],
  [46, 180.1],
  [32_767, 32_767],
  [NaN, 6],
  [46, Infinity],
  [46, undefined],
  [null, 6],
  ['north', 'east'],
  [[46], [6]],
  [true, true],
])('takes the position %p, %p for unknown', (latitude, longitude) => {
  expect(coordinatesOf(latitude, longitude)).toBeNull();
});
