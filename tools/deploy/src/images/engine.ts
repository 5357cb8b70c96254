import { spawn, spawnSync } from 'node:child_process';

/** Something that builds images and runs containers on this machine. */
export interface Engine {
  readonly program: 'docker' | 'podman';
  /** What starts a Compose file with it, and the arguments before those of Compose. */
  readonly compose: readonly [string, ...string[]];
  readonly version: string;
}

const succeeds = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;

/** The first engine that answers, with a program for Compose files. A text that says what is missing otherwise. */
export function findEngine(): Engine | string {
  for (const program of ['docker', 'podman'] as const) {
    if (!succeeds(program, 'info')) continue;
    const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim();
    const candidates: (readonly [string, ...string[]])[] = [
      [program, 'compose'],
      program === 'docker' ? ['docker-compose'] : ['podman-compose'],
    ];
    const compose = candidates.find(([first, ...rest]) => succeeds(first, ...rest, 'version'));
    if (compose === undefined) {
      return `${version} answers, but nothing starts Compose files with it: install ${program}'s compose plugin or ${program}-compose.`;
    }
    return { program, compose, version };
  }
  return 'No container engine answers here: neither `docker info` nor `podman info` succeeds. What needs none: npm run test:images -- --static';
}

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end, within a time. What it prints is kept, its last megabyte at most. */
export function run(
  program: string,
  args: readonly string[],
  { withinMs, env, cwd }: { readonly withinMs: number; readonly env?: NodeJS.ProcessEnv; readonly cwd?: string },
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, cwd });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(() => {
      output += `\nended after ${withinMs / 1_000} s`;
      child.kill('SIGKILL');
    }, withinMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: error.message });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 137, output });
    });
  });
}

const MAX_OUTPUT = 1_048_576;
