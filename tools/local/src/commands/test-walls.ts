import { test } from './test.js';

const DEFAULT_PAIRS = 500;
const TRIPLES = 20_000;

/** The walls between organisations, by time as well, and those of the broker by 20,000 cases: too long for `npm test`. */
export async function testWalls(root: string, [pairs]: readonly string[]): Promise<number> {
  process.env['AERIE_WALL_PAIRS'] = pairs ?? String(DEFAULT_PAIRS);
  process.env['AERIE_WALL_TRIPLES'] = String(TRIPLES);
  const codes = [
    await test(root, ['scenario', 'organisations.scenario']),
    await test(root, ['scenario', 'isolation.scenario']),
  ];
  return Math.max(...codes);
}
