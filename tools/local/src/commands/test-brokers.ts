import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { OTHER_BROKER, type OtherBroker } from '../infrastructure/other-broker.js';
import { Problem } from '../infrastructure/problem.js';
import { test } from './test.js';

const FETCH_LIMIT_MS = 600_000;

/** What shows whether a broker carries us: docks kept apart, and two ingresses that share. */
const STORIES = '/(isolation|replicas-of-all)\\.scenario';

const TOOLS = [
  ['java', '-version'],
  ['mvn', '-version'],
] as const;

/** Stories that other suites tell on mosquitto, on a broker that asks fleet-service over HTTP. Outside CI: it needs Java. */
export async function testBrokers(root: string): Promise<number> {
  for (const [program, versionArg] of TOOLS) {
    if (spawnSync(program, [versionArg], { stdio: 'ignore' }).status !== 0)
      throw new Problem(`HiveMQ needs ${program}, which is not on this machine: nothing was tried.`);
  }
  const folder = path.join(root, '.aerie', 'brokers', 'hivemq');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  console.log('Fetching HiveMQ …');
  process.env[OTHER_BROKER] = JSON.stringify(
    fetchHiveMq(path.join(root, 'tools', 'local', 'brokers', 'hivemq'), folder),
  );
  return test(root, ['scenario', STORIES]);
}

/** By Maven, in the version that its file names. */
function fetchHiveMq(source: string, folder: string): OtherBroker {
  const list = path.join(folder, 'libraries');
  const maven = ['--batch-mode', '--quiet', '--file', path.join(source, 'pom.xml')];
  run('mvn', [...maven, 'dependency:build-classpath', `-Dmdep.outputFile=${list}`], source);
  const libraries = readFileSync(list, 'utf8').trim();
  return { program: 'java', args: ['-Xmx512m', '-cp', libraries, path.join(source, 'Broker.java')] };
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: FETCH_LIMIT_MS });
  if (status !== 0)
    throw new Problem(`The broker could not be fetched (${program} ${args.join(' ')}):\n${stdout}${stderr}`);
}
