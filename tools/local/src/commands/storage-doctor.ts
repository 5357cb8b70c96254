import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Problem } from '../infrastructure/problem.js';
import { Api, good } from '../stack/api.js';

interface Step {
  readonly step: string;
  readonly verdict: string;
  readonly found: string;
  readonly change: string | null;
}

interface Report {
  readonly healthy: boolean;
  readonly chosenBy: string;
  readonly steps: readonly Step[];
}

const SIGN: Readonly<Record<string, string>> = { passed: 'ok', failed: 'FAILED', skipped: '-' };

/**
 * Tries a storage as a dock would: that of the environment (S3_ENDPOINT and the other variables of credential-service)
 * where it is set, else that of the Aerie which runs here. Exit code 0: nothing is wrong with it.
 */
export async function storageDoctor(root: string): Promise<number> {
  if (process.env['S3_ENDPOINT'] !== undefined) {
    const script = path.join(root, 'apps', 'credential-service', 'dist', 'doctor.js');
    return spawnSync(process.execPath, [script], { stdio: 'inherit' }).status ?? 1;
  }
  const runFile = path.join(root, '.aerie', 'run.json');
  if (!existsSync(runFile)) {
    throw new Problem(
      'Nothing runs here. Start it by `npm start`, or set S3_ENDPOINT and the other variables of credential-service ' +
        '(apps/credential-service/README.md) to examine a storage of yours.',
    );
  }
  const { apiUrl, apiKey } = JSON.parse(readFileSync(runFile, 'utf8')) as { apiUrl: string; apiKey: string };
  const { healthy, steps } = good(await new Api(apiUrl, apiKey).post<Report>('/storage/doctor', {}));
  for (const { step, verdict, found, change } of steps) {
    console.log(`${(SIGN[verdict] ?? verdict).padEnd(7)}${step.padEnd(20)}${found}`);
    if (change !== null) console.log(`${' '.repeat(27)}-> ${change}`);
  }
  return healthy ? 0 : 1;
}
