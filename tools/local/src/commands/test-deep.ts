import { spawnSync } from 'node:child_process';
import { Problem } from '../infrastructure/problem.js';

const DEFAULT_RUNS = 100_000;

/** The property tests of the pure parts (P1 to P10), 100,000 runs each, or as often as the argument says. */
export async function testDeep(root: string, args: readonly string[]): Promise<number> {
  const runs = args[0] === undefined ? DEFAULT_RUNS : Number(args[0]);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Problem('Usage: npm run test:deep [-- RUNS]');
  console.log(`Property tests, ${runs} runs each …`);
  const { status } = spawnSync(
    process.execPath,
    [
      ...['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--selectProjects=unit'],
      ...[
        '--testPathPatterns',
        'mission-core/.*(laws|replay)|log-core/.*laws|dji-protocol/.*(round-trip|garbage)',
        '--maxWorkers=2',
      ],
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, AERIE_DEEP_RUNS: String(runs) } },
  );
  return status ?? 1;
}
