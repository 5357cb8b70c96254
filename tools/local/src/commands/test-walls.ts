import { test } from './test.js';

const DEFAULT_PAIRS = 500;

/** The walls between organisations, by time as well: figures of time are no part of `npm test`. */
export function testWalls(root: string, [pairs]: readonly string[]): Promise<number> {
  process.env['AERIE_WALL_PAIRS'] = pairs ?? String(DEFAULT_PAIRS);
  return test(root, ['scenario', 'organisations.scenario']);
}
