import { rmSync } from 'node:fs';
import path from 'node:path';
import { endAllLeftOvers, isAlive } from '../infrastructure/processes.js';
import { holderOf } from '../stack/run-lock.js';

const STOP_WITHIN_MS = 40_000;

/** Ends what a crashed run left behind, and a run that still goes on: by pid, and nothing else. */
export async function down(root: string): Promise<number> {
  const base = process.env['AERIE_DIRECTORY'] ?? path.join(root, '.aerie');
  const lockFile = path.join(base, 'start.lock');
  const ended: string[] = [];
  const holder = holderOf(lockFile);
  if (holder !== undefined) {
    process.kill(holder.pid, 'SIGTERM');
    for (let waited = 0; isAlive(holder.pid) && waited < STOP_WITHIN_MS; waited += 100) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    ended.push(`npm start (process ${holder.pid})`);
  }
  ended.push(...(await endAllLeftOvers(base)));
  rmSync(path.join(base, 'run.json'), { force: true });
  rmSync(lockFile, { force: true });
  console.log(ended.length === 0 ? 'Nothing was running.' : `Ended ${ended.join(', ')}.`);
  return 0;
}
