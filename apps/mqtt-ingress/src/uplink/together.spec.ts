import { jest } from '@jest/globals';
import { Together } from './together.js';

const WITHIN_MS = 20;

let handedOn: (readonly number[])[];
let together: Together<number>;
beforeEach(() => {
  jest.useFakeTimers();
  handedOn = [];
  together = new Together(WITHIN_MS, (items) => void handedOn.push(items));
});
afterEach(() => void jest.useRealTimers());

it('hands on all that came within its time together and in order, and then what comes next', () => {
  for (const item of [1, 2, 3]) together.add(item);
  expect(handedOn).toEqual([]);
  jest.advanceTimersByTime(WITHIN_MS);
  expect(handedOn).toEqual([[1, 2, 3]]);
  together.add(4);
  jest.advanceTimersByTime(WITHIN_MS);
  expect(handedOn).toEqual([[1, 2, 3], [4]]);
});

it('holds no more than a thousand', () => {
  for (let item = 0; item < 2_500; item++) together.add(item);
  expect(handedOn.map(({ length }) => length)).toEqual([1_000, 1_000]);
  together.flush();
  expect(handedOn[2]?.length).toBe(500);
});

it('hands on nothing twice, and nothing when there is nothing', () => {
  together.add(1);
  together.flush();
  together.flush();
  jest.advanceTimersByTime(WITHIN_MS);
  expect(handedOn).toEqual([[1]]);
});

it('gives each its whole time to wait for others', () => {
  for (const item of [1, 2]) together.add(item);
  jest.advanceTimersByTime(WITHIN_MS - 1);
  together.flush();
  together.add(3);
  jest.advanceTimersByTime(WITHIN_MS - 1);
  expect(handedOn).toEqual([[1, 2]]);
  jest.advanceTimersByTime(1);
  expect(handedOn).toEqual([[1, 2], [3]]);
});
