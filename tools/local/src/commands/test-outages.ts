import { test } from './test.js';

const DEFAULT_OUTAGES = 20;

/** The outages story at its full length: ten missions to an outage. Seeds and what the witnesses heard stay in `.aerie/outages`. */
export function testOutages(root: string, [outages]: readonly string[]): Promise<number> {
  process.env['AERIE_OUTAGES'] = outages ?? String(DEFAULT_OUTAGES);
  return test(root, ['scenario', 'outages']);
}
