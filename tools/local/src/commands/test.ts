import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Infrastructure } from '../infrastructure/infrastructure.js';
import { programs } from '../infrastructure/postgres.js';
import { endLeftOvers } from '../infrastructure/processes.js';
import { makeDatabaseTemplate } from '../stack/migrate.js';
import { Parts } from './test-parts.js';
import { type StorageUnderTest, startObjectStore } from './test-storage.js';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const SUITES = ['unit', 'int', 'scenario', 'storage'] as const;

/**
 * Lint, then unit, integration, scenario and storage tests, the last ones on our own object-store. Arguments choose:
 * suite names, `--no-lint`, and anything else is handed to jest, e.g. `npm test -- int mission-service`.
 */
export async function test(root: string, args: readonly string[]): Promise<number> {
  const chosen = SUITES.filter((suite) => args.includes(suite));
  const suites = chosen.length > 0 ? chosen : SUITES;
  const jestArgs = args.filter((arg) => !SUITES.some((suite) => suite === arg) && arg !== '--no-lint');
  const parts = new Parts();

  if (!args.includes('--no-lint') && chosen.length === 0) {
    console.log('Format and lint …');
    parts.run('format', () =>
      run(root, 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']),
    );
    parts.run('lint', () => lint(root));
  }

  const directory = path.join(root, '.aerie', 'test');
  await endLeftOvers(directory);
  rmSync(directory, { recursive: true, force: true });
  // Worlds of scenarios that were cut off in the middle.
  const worlds = path.join(root, '.aerie', 'scenarios');
  for (const world of existsSync(worlds) ? readdirSync(worlds) : []) await endLeftOvers(path.join(worlds, world));
  rmSync(worlds, { recursive: true, force: true });
  const packagesDirectory = path.join(root, '.aerie', 'bin');
  const infrastructure = suites.includes('int')
    ? await Infrastructure.up({ directory, packagesDirectory, openBroker: true, say: console.log })
    : undefined;
  const postgres = suites.includes('int') ? await programs() : undefined;
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  let storage: StorageUnderTest | undefined;
  try {
    const template = suites.includes('scenario')
      ? await makeDatabaseTemplate({
          root,
          directory: path.join(directory, 'begin'),
          packagesDirectory,
          say: console.log,
        })
      : undefined;
    if (suites.includes('storage')) storage = await startObjectStore(root, directory);
    for (const suite of suites) {
      console.log(`\n${suite} tests …`);
      const env = {
        ...process.env,
        AERIE_ROOT: root,
        AERIE_TEST_DATABASE_TEMPLATE: template,
        AERIE_TEST_DATABASE_URL: infrastructure?.databaseUrl,
        AERIE_TEST_DATABASE_PASSWORDS: infrastructure && JSON.stringify(infrastructure.databasePasswords),
        AERIE_TEST_REDIS_URL: infrastructure?.redisUrl,
        AERIE_TEST_NATS_URL: infrastructure?.natsUrl,
        AERIE_TEST_MQTT_URL: infrastructure?.mqttUrl,
        // For tests that kill or fill a server: they start one of their own.
        AERIE_TEST_BIN_NATS: infrastructure?.binaries.nats,
        AERIE_TEST_BIN_MOSQUITTO: infrastructure?.binaries.mosquitto,
        AERIE_TEST_BIN_VALKEY: infrastructure?.binaries.valkey,
        AERIE_TEST_BIN_INITDB: postgres?.initdb,
        AERIE_TEST_BIN_POSTGRES: postgres?.postgres,
        AERIE_TEST_BIN_LIBRARY_PATH: infrastructure?.binaries.env['LD_LIBRARY_PATH'],
        ...storage?.env,
      };
      parts.run(suite, () => jest(root, suite, jestArgs, env, counts));
    }
  } finally {
    await storage?.stop();
    await infrastructure?.stop();
  }
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
  console.log(parts.summary());
  return parts.healthy && counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

/**
 * One process for the whole tree: it reads each file and each type once, in a fifth of the time that one for each project
 * takes. First the canary, through nx: it leaves the project graph without which the rule of module boundaries is silent,
 * and fails when that rule does not bite.
 */
function lint(root: string): boolean {
  const canary = ['run', 'lint-canary:lint', '--outputStyle=static', '--skip-nx-cache'];
  if (!run(root, 'node_modules/nx/dist/bin/nx.js', canary)) return false;
  const wholeTree = ['apps', 'libs', 'tools'];
  return run(root, 'node_modules/eslint/bin/eslint.js', wholeTree, process.env, ['--max-old-space-size=6144']);
}

function jest(root: string, suite: string, args: readonly string[], env: NodeJS.ProcessEnv, counts: Counts): boolean {
  const report = path.join(root, '.aerie', `report-${suite}.json`);
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const ok = run(
    root,
    'node_modules/jest/bin/jest.js',
    [
      ...[`--selectProjects=${suite}`, '--json', '--outputFile', report, '--passWithNoTests=false'],
      // A scenario starts every program and then waits for flights more than it computes: two go on two cores.
      '--maxWorkers=2',
      ...args.flatMap((arg) => (arg.startsWith('-') ? [arg] : ['--testPathPatterns', arg])),
    ],
    env,
    ['--experimental-vm-modules', '--no-warnings'],
  );
  try {
    const result = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
    counts.passed += result['numPassedTests'] ?? 0;
    counts.failed += (result['numFailedTests'] ?? 0) + (result['numRuntimeErrorTestSuites'] ?? 0);
    counts.skipped += (result['numPendingTests'] ?? 0) + (result['numTodoTests'] ?? 0);
  } catch {
    console.error(`jest left no report for the ${suite} tests`);
    return false;
  }
  return ok;
}

function run(
  root: string,
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  nodeArgs: readonly string[] = [],
): boolean {
  const { status } = spawnSync(process.execPath, [...nodeArgs, path.join(root, script), ...args], {
    cwd: root,
    env: { ...env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' },
    // jest's --json prints the report on standard output too; progress and failures come on standard error.
    stdio: ['ignore', script.includes('jest') ? 'ignore' : 'inherit', 'inherit'],
  });
  return status === 0;
}
