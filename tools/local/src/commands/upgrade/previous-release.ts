import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Problem } from '../../infrastructure/problem.js';

export interface ReleaseNote {
  readonly version: string;
  readonly commit: string;
}

const HEADING = /^## (\d+\.\d+\.\d+)$/;
const COMMIT = /^Commit: `([0-9a-f]{7,40})`\.?$/;

/** The newest release that names its commit. The one that is being made cannot name its own. */
export function lastRelease(changelog: string): ReleaseNote {
  let version: string | undefined;
  for (const line of changelog.split('\n')) {
    version = HEADING.exec(line)?.[1] ?? version;
    const commit = COMMIT.exec(line)?.[1];
    if (commit === undefined) continue;
    if (version === undefined) throw new Problem(`CHANGELOG.md has "${line}" above the heading of any release.`);
    return { version, commit };
  }
  throw new Problem(
    'CHANGELOG.md names no commit of a release: a line "Commit: `<hash>`" below its heading is missing.',
  );
}

/**
 * The programs of the last release, built from its commit in a folder of their own, where they stay for the next run.
 * Returns that folder.
 */
export async function buildRelease(root: string, { version, commit }: ReleaseNote, say: (text: string) => void) {
  const directory = path.join(root, '.aerie', 'releases', version);
  const stamp = path.join(directory, '.aerie-built');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === commit) return directory;
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const known = git('cat-file', '-e', `${commit}^{commit}`);
  if (known.error !== undefined) throw new Problem(`git is needed to get release ${version}: ${known.error.message}`);
  if (known.status !== 0) {
    throw new Problem(
      `The history of this folder does not have commit ${commit}, which is release ${version}. ` +
        'A clone with all of its history has it: `git fetch --unshallow`, or on a CI `fetch-depth: 0`.',
    );
  }
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(path.dirname(directory), { recursive: true });
  git('worktree', 'prune');
  const added = git('worktree', 'add', '--force', '--detach', directory, commit);
  if (added.status !== 0) throw new Problem(`Could not get release ${version}:\n${added.stderr}`);
  say(`Installing the packages of release ${version} …`);
  await npm(directory, ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  say(`Building release ${version} …`);
  await npm(directory, ['run', 'build']);
  writeFileSync(stamp, commit);
  return directory;
}

function npm(directory: string, args: readonly string[]): Promise<void> {
  const program = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: directory, stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Problem(`npm ${args.join(' ')} in ${directory} ended with ${code}.`)),
    );
  });
}
