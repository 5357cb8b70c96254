import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { endLeftOvers } from '../infrastructure/processes.js';

/** Ends what a crashed run left behind, by pid, and nothing else. */
export async function down(root: string): Promise<number> {
  const base = path.join(root, '.aerie');
  const folders = existsSync(base) ? readdirSync(base, { withFileTypes: true }).filter((entry) => entry.isDirectory()) : [];
  const ended: string[] = [];
  for (const folder of folders) ended.push(...(await endLeftOvers(path.join(base, folder.name))));
  rmSync(path.join(base, 'run.json'), { force: true });
  console.log(ended.length === 0 ? 'Nothing was running.' : `Ended ${ended.join(', ')}.`);
  return 0;
}
