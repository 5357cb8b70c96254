import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Problem } from '../infrastructure/problem.js';
import { beginningOf, isAlive } from '../infrastructure/processes.js';

interface Holder {
  readonly pid: number;
  readonly began: string;
}

/** Lets one `npm start` run in a checkout at a time. */
export class RunLock {
  private constructor(private readonly file: string) {}

  static take(base: string): RunLock {
    mkdirSync(base, { recursive: true, mode: 0o700 });
    const file = path.join(base, 'start.lock');
    const mine: Holder = { pid: process.pid, began: beginningOf(process.pid) };
    for (;;) {
      try {
        writeFileSync(file, JSON.stringify(mine), { flag: 'wx', mode: 0o600 });
        return new RunLock(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = holderOf(file);
      if (holder !== undefined) {
        throw new Problem(
          `Aerie is already running in this folder (process ${holder.pid}${addressOf(base)}).\n` +
            'Stop it with Ctrl-C in its terminal, or with `npm run down`.',
        );
      }
      // Left behind by a run that crashed.
      rmSync(file, { force: true });
    }
  }

  release(): void {
    rmSync(this.file, { force: true });
  }
}

/** Who holds the lock now, if that process still lives. */
export function holderOf(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Holder;
    return isAlive(holder.pid) && beginningOf(holder.pid) === holder.began ? holder : undefined;
  } catch {
    return undefined;
  }
}

function addressOf(base: string): string {
  try {
    const { apiUrl } = JSON.parse(readFileSync(path.join(base, 'run.json'), 'utf8')) as { apiUrl: string };
    return `, ${apiUrl}`;
  } catch {
    return '';
  }
}
