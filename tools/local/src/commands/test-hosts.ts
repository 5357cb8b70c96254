import { spawn } from 'node:child_process';
import path from 'node:path';
import { makeNetwork, placeOf, removeNetwork, whyNoHosts } from '../hosts/network.js';
import { Problem } from '../infrastructure/problem.js';
import { endAllLeftOvers } from '../infrastructure/processes.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The stories of three hosts, each a network namespace, of which one after the other is cut off. */
export async function testHosts(root: string, [seconds]: readonly string[]): Promise<number> {
  const problem = whyNoHosts();
  if (problem !== undefined) throw new Problem(problem);
  const base = path.join(root, '.aerie', 'hosts');
  await endAllLeftOvers(base);
  makeNetwork();
  try {
    return await jest(root, seconds === undefined ? {} : { AERIE_CUT_SECONDS: seconds });
  } finally {
    await endAllLeftOvers(base);
    removeNetwork();
  }
}

function jest(root: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { program, args } = placeOf('outside').command({
    program: process.execPath,
    args: [
      ...['--experimental-vm-modules', '--no-warnings', path.join(root, 'node_modules/jest/bin/jest.js')],
      ...['--selectProjects=hosts', '--runInBand'],
    ],
  });
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, AERIE_ROOT: root, ...env },
    });
    // What was started is stopped in either way, so the story is told to end and is waited for.
    const stop = (): void => void child.kill('SIGTERM');
    for (const signal of SIGNALS) process.on(signal, stop);
    child.once('error', reject);
    child.once('close', (code) => {
      for (const signal of SIGNALS) process.off(signal, stop);
      resolve(code ?? 1);
    });
  });
}
