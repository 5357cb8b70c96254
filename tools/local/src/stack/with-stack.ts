import { rmSync } from 'node:fs';
import { Problem } from '../infrastructure/problem.js';
import { endLeftOvers } from '../infrastructure/processes.js';
import { Stack, type StackOptions } from './stack.js';

/**
 * A fresh Aerie for one piece of work, and nothing of it afterwards: also when the start fails, when the work throws, and
 * when the person at the keyboard interrupts either.
 */
export async function withStack<Result>(
  options: Omit<StackOptions, 'signal'>,
  use: (stack: Stack) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const stopped = new Promise<never>((_resolve, reject) =>
    stop.signal.addEventListener('abort', () => reject(new Problem('Stopped.'))),
  );
  stopped.catch(() => undefined);
  await endLeftOvers(options.directory);
  rmSync(options.directory, { recursive: true, force: true });
  const stack = await Stack.up({ ...options, signal: stop.signal });
  try {
    return await Promise.race([use(stack), stopped]);
  } finally {
    await stack.stop();
    rmSync(options.directory, { recursive: true, force: true });
  }
}
