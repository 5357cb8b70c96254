import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Problem } from '../infrastructure/problem.js';

const DEFAULT_MAJOR = '24';
const FETCH_LIMIT_MS = 300_000;
/** What depends on the version of Node.js alone. Scenarios run what these are made of. */
const SUITES = ['unit', 'int'];

/** Runs unit and int suites on another Node.js, which the npm registry ships as a package. */
export async function testNode(root: string, args: readonly string[]): Promise<number> {
  const major = args[0] ?? DEFAULT_MAJOR;
  const node = fetchNode(path.join(root, '.aerie', 'node', major), major);
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`Node.js ${version}`);
  for (const suite of SUITES) {
    // Programs that a suite starts are started by the Node.js that runs it.
    const { status } = spawnSync(node, [path.join(root, 'tools', 'bootstrap.mjs'), 'test', suite], {
      stdio: 'inherit',
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

function fetchNode(folder: string, major: string): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const node = path.join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', [...args, `${name}@${major}`], {
    encoding: 'utf8',
    timeout: FETCH_LIMIT_MS,
  });
  if (status !== 0) throw new Problem(`Node.js ${major} could not be fetched (${name}@${major}):\n${stderr}`);
  return node;
}
