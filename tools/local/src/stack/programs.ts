// How a program of ours is run on this machine, of whichever release it is.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { Problem } from '../infrastructure/problem.js';

/**
 * Most of what a program would hold at rest is room for short-lived objects that it needed once, while it loaded its
 * modules: 16 MiB in each of three parts. A service fills 4 MiB a few times a second at most.
 */
export const NODE_FLAGS = ['--max-semi-space-size=4'] as const;
/** Threads that allocate seldom share their arenas instead of holding one each. Only glibc knows it. */
export const LESS_MEMORY = { MALLOC_ARENA_MAX: '2' } as const;

/** Those that have a database. */
export const MIGRATED = ['fleet-service', 'mission-service', 'credential-service', 'log-service'] as const;

/** Readable by this user alone, like everything that opens something. */
export function makeKeyFile(file: string): void {
  if (existsSync(file)) return;
  writeFileSync(file, `local ${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
}

/** Services get what they are given, and nothing that happens to be set in this terminal. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'LANG', 'TZ', 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'];
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => names.includes(name)));
}

export interface Script {
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly what: string;
  readonly input?: string;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
}

const SCRIPT_SAY_EVERY_MS = 10_000;

export function runScript({ script, args = [], env, what, input = '', say, signal }: Script): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { env: { ...cleanEnvironment(), ...env } });
    let output = '';
    let complaint = '';
    const stop = (): void => void child.kill();
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
    const timer = setInterval(() => {
      const [last] = complaint.trimEnd().split('\n').slice(-1);
      say(`Waiting to ${what}${last ? `: ${last}` : ''}`);
    }, SCRIPT_SAY_EVERY_MS);
    const finish = (): void => {
      clearInterval(timer);
      signal?.removeEventListener('abort', stop);
    };
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('close', (code) => {
      finish();
      if (code === 0) resolve(output);
      else if (signal?.aborted === true) reject(new Problem(`Stopped before it could ${what}.`));
      else reject(new Problem(`Could not ${what}:\n${complaint || output}`));
    });
  });
}
