import { spawn } from 'node:child_process';
import path from 'node:path';

/** Runs simulated docks against any broker; all arguments are the simulator's own. */
export function sim(root: string, args: readonly string[]): Promise<number> {
  const script = path.join(root, 'apps', 'dock-simulator', 'dist', 'main.js');
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  // Ctrl-C reaches the simulator too; it says goodbye, and then we end.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
