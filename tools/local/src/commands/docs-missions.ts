import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lifecycleMatrix } from '@aerie/mission-core';
import { Problem } from '../infrastructure/problem.js';

const PAGE = 'docs/missions.md';
const BEGIN = '<!-- lifecycle:begin -->';
const END = '<!-- lifecycle:end -->';

/** The page with the matrix as the table of the lifecycle is now. */
export function withMatrix(page: string, matrix: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin === -1 || end < begin) throw new Problem(`${PAGE} must have the lines ${BEGIN} and ${END}, in this order.`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${matrix}\n\n${page.slice(end)}`;
}

/** Writes the lifecycle matrix into docs/missions.md. `--check` only compares, for CI. */
export async function docsMissions(root: string, args: readonly string[]): Promise<number> {
  const file = path.join(root, PAGE);
  const present = readFileSync(file, 'utf8');
  const wanted = withMatrix(present, lifecycleMatrix());
  if (args.includes('--check')) {
    if (present === wanted) return 0;
    console.error(
      `${PAGE} does not show the lifecycle as it is. Run \`npm run docs:missions\` and commit the difference.`,
    );
    return 1;
  }
  if (present !== wanted) writeFileSync(file, wanted);
  console.log(present === wanted ? `${PAGE} is up to date.` : `Wrote ${PAGE}.`);
  return 0;
}
