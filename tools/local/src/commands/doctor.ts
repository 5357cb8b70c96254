import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Finding, isHealthy, judge } from '../doctor/judge.js';
import { lookAtPrograms, lookAtRun } from '../doctor/look.js';
import { Problem } from '../infrastructure/problem.js';
import type { Run } from '../stack/run.js';

const SIGN: Readonly<Record<Finding['verdict'], string>> = { good: 'ok', watch: 'WATCH', bad: 'BAD' };

/**
 * Examines a running installation: the Aerie of this folder, or the programs that are named. Exit code 0: nothing has to be
 * done now.
 */
export async function doctor(root: string, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false }, programs: { type: 'string' }, ca: { type: 'string' } },
  });
  const findings = judge(await look(root, values));
  const healthy = isHealthy(findings);
  if (values.json) console.log(JSON.stringify({ healthy, findings }, null, 2));
  else print(findings);
  return healthy ? 0 : 1;
}

function look(root: string, { programs, ca }: { readonly programs?: string; readonly ca?: string }) {
  if (programs !== undefined) {
    return lookAtPrograms({ programs: addressesIn(programs), ca: ca && readFileSync(ca, 'utf8') });
  }
  const runFile = path.join(process.env['AERIE_DIRECTORY'] ?? path.join(root, '.aerie'), 'run.json');
  if (!existsSync(runFile)) {
    throw new Problem(
      'Nothing runs here. Start it by `npm start`, or name programs: --programs edge=http://host:port,…',
    );
  }
  return lookAtRun(JSON.parse(readFileSync(runFile, 'utf8')) as Run);
}

function addressesIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [, name, url = ''] = /^([\w-]+)=(https?:\/\/[^/\s]+)$/.exec(part.trim()) ?? [];
      if (name === undefined) throw new Problem(`--programs holds "${part}", which is not NAME=http://host:port`);
      return [name, url];
    }),
  );
}

function print(findings: readonly Finding[]): void {
  for (const { verdict, what, found, toDo } of findings) {
    console.log(`${SIGN[verdict].padEnd(7)}${what.padEnd(36)}${found}`);
    if (toDo !== null) console.log(`${' '.repeat(43)}-> ${toDo}`);
  }
  const left = findings.filter(({ verdict }) => verdict === 'bad').length;
  console.log(left === 0 ? '\nNothing has to be done now.' : `\n${left} of ${findings.length} have to be mended.`);
}
