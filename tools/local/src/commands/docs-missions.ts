import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as logs from '@aerie/log-core';
import * as missions from '@aerie/mission-core';
import { Problem } from '../infrastructure/problem.js';

const BEGIN = '<!-- lifecycle:begin -->';
const END = '<!-- lifecycle:end -->';

/** The pages with a lifecycle, and the matrix that each of them shows. */
const PAGES: Readonly<Record<string, () => string>> = {
  'docs/missions.md': missions.lifecycleMatrix,
  'docs/logs.md': logs.lifecycleMatrix,
};

/** The text of a page with the matrix as the table of the lifecycle is now. */
export function withMatrix(page: string, text: string, matrix: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Problem(`${page} must have the lines ${BEGIN} and ${END}, in this order.`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${matrix}\n\n${text.slice(end)}`;
}

/** Writes the lifecycle matrices into their pages. `--check` only compares, for CI. */
export async function docsMissions(root: string, args: readonly string[]): Promise<number> {
  const check = args.includes('--check');
  const pages = Object.entries(PAGES).map(([page, matrix]) => {
    const present = readFileSync(path.join(root, page), 'utf8');
    return { page, present, wanted: withMatrix(page, present, matrix()) };
  });
  for (const { page, present, wanted } of pages) {
    if (present === wanted) console.log(`${page} is up to date.`);
    else if (check) console.error(`${page} does not show the lifecycle as it is.`);
    else {
      writeFileSync(path.join(root, page), wanted);
      console.log(`Wrote ${page}.`);
    }
  }
  const stale = check && pages.some(({ present, wanted }) => present !== wanted);
  if (stale) console.error('Run `npm run docs:missions` and commit the difference.');
  return stale ? 1 : 0;
}
