import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Problem } from '../problem.js';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks packages of Debian 12, with all that they need and this machine lacks, below `root`: by apt's own resolver and
 * signature checks, but with a private state, so that nothing of the system is touched and no root is needed.
 * `root` is there as a whole or not at all.
 */
export function unpackDebianPackages(root: string, packages: readonly string[]): void {
  const mirror = debianMirror();
  if (mirror === undefined || !existsSync(KEYRING)) {
    throw new Problem(
      `${packages.join(', ')} come as packages of Debian 12 through apt, and this is no Debian 12 with apt. Nothing was tested.`,
    );
  }
  const unfinished = `${root}.unfinished`;
  const apt = `${root}.apt`;
  for (const folder of [unfinished, apt]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const aptGet = privateApt(apt, mirror);
  aptGet(['update']);
  const plan = aptGet(['-y', '--no-install-recommends', '--print-uris', 'install', ...packages]);
  const closure = [...plan.matchAll(/^'[^']+' ([^_]+)_([^_]+)_/gm)].map(
    ([, name, version]) => `${name}=${decodeURIComponent(version ?? '')}`,
  );
  // What the system has already is not in the plan; it is fetched all the same, so that one folder holds all programs.
  const present = packages.filter((name) => !closure.some((entry) => entry.startsWith(`${name}=`)));
  aptGet(['download', ...closure, ...present]);
  for (const file of readdirSync(apt).filter((name) => name.endsWith('.deb'))) {
    const unpacked = spawnSync('dpkg', ['-x', path.join(apt, file), unfinished], { encoding: 'utf8' });
    if (unpacked.status !== 0) throw new Problem(`Could not unpack ${file}: ${unpacked.stderr}`);
  }
  rmSync(root, { recursive: true, force: true });
  renameSync(unfinished, root);
  rmSync(apt, { recursive: true, force: true });
}

function privateApt(apt: string, mirror: string): (args: readonly string[]) => string {
  for (const folder of ['lists/partial', 'cache/archives/partial', 'etc/sources.list.d', 'etc/preferences.d']) {
    mkdirSync(path.join(apt, folder), { recursive: true });
  }
  writeFileSync(path.join(apt, 'etc/sources.list'), `deb [signed-by=${KEYRING}] ${mirror} bookworm main\n`);
  copyFileSync('/var/lib/dpkg/status', path.join(apt, 'status'));
  writeFileSync(
    path.join(apt, 'apt.conf'),
    `Dir::State "${apt}"; Dir::State::Lists "${apt}/lists"; Dir::State::status "${apt}/status"; Dir::Cache "${apt}/cache";
Dir::Etc "${apt}/etc"; Dir::Etc::sourcelist "${apt}/etc/sources.list"; Dir::Etc::sourceparts "${apt}/etc/sources.list.d";
Debug::NoLocking "1"; APT::Sandbox::User "root"; Acquire::Languages "none";\n`,
  );
  const env = { ...process.env, APT_CONFIG: path.join(apt, 'apt.conf') };
  return (args) => {
    const result = spawnSync('apt-get', ['-qq', ...args], { cwd: apt, env, encoding: 'utf8', maxBuffer: 64 << 20 });
    if (result.status === 0) return result.stdout;
    throw new Problem(`apt-get ${args[0]} failed: ${(result.stderr || String(result.error)).trim()}`);
  };
}

/** The Debian mirror that this machine is set up with; undefined where it is no Debian 12. */
function debianMirror(): string | undefined {
  try {
    if (!/^VERSION_CODENAME=bookworm$/m.test(readFileSync('/etc/os-release', 'utf8'))) return undefined;
  } catch {
    return undefined;
  }
  const folder = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : []),
  ];
  for (const file of files.filter(existsSync)) {
    const mirror = /^[^#\n]*?(https?:\/\/\S+\/debian)\/?(?=\s|$)/m.exec(readFileSync(file, 'utf8'))?.[1];
    if (mirror !== undefined) return mirror;
  }
  return undefined;
}
