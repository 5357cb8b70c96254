import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Problem } from './problem.js';

/** The programs that run beside our own, and where to find them. */
export interface Binaries {
  readonly valkey: string;
  readonly nats: string;
  readonly mosquitto: string;
  readonly dynamicSecurityPlugin: string;
  /** Environment for all three: where fetched packages keep their libraries. */
  readonly env: NodeJS.ProcessEnv;
}

interface Wanted {
  readonly names: readonly string[];
  readonly versionArgs: readonly string[];
  /** The first version that has what we rely on. */
  readonly atLeast: readonly [number, number, number];
}

const WANTED = {
  valkey: { names: ['valkey-server', 'redis-server'], versionArgs: ['--version'], atLeast: [7, 0, 0] },
  // Several filter subjects on one consumer came with 2.10.
  nats: { names: ['nats-server'], versionArgs: ['--version'], atLeast: [2, 10, 0] },
  // 2.0.11 does not honour Receive Maximum and loses queued messages; 2.0.21 is the oldest that was tried and held.
  mosquitto: { names: ['mosquitto'], versionArgs: ['-h'], atLeast: [2, 0, 21] },
} satisfies Record<string, Wanted>;

const PLUGIN = 'mosquitto_dynamic_security.so';

/** Programs from PATH when they are new enough; else from Debian packages unpacked below `directory`; else advice. */
export function findBinaries(directory: string, say: (text: string) => void): Binaries {
  const onPath = {
    valkey: fromPath(WANTED.valkey),
    nats: fromPath(WANTED.nats),
    mosquitto: fromPath(WANTED.mosquitto),
  };
  const systemPlugin = findFile(['/usr/lib', '/usr/local/lib', '/opt/homebrew/lib'], PLUGIN, 2);
  const { valkey, nats, mosquitto } = onPath;
  if (valkey !== undefined && nats !== undefined && mosquitto !== undefined && systemPlugin !== undefined) {
    return { valkey, nats, mosquitto, dynamicSecurityPlugin: systemPlugin, env: process.env };
  }

  const root = path.join(directory, 'packages');
  if (fromPackages(root) === undefined) fetchDebianPackages(directory, root, say);
  const fetched = fromPackages(root);
  if (fetched === undefined) {
    throw new Problem(`The fetched packages are not complete. Remove ${root} and start again.`);
  }
  return {
    ...fetched,
    // A program of the system is preferred, but mosquitto and its plugin have to be of one version.
    valkey: valkey ?? fetched.valkey,
    nats: nats ?? fetched.nats,
  };
}

function fromPath({ names, versionArgs, atLeast }: Wanted): string | undefined {
  for (const name of names) {
    const { status, stdout, stderr } = spawnSync(name, versionArgs, { encoding: 'utf8' });
    if (status === null) continue;
    const found = /(\d+)\.(\d+)\.(\d+)/.exec(`${stdout}${stderr}`)?.slice(1).map(Number) ?? [];
    if (isAtLeast(found, atLeast)) return name;
  }
  return undefined;
}

function isAtLeast(found: readonly number[], wanted: readonly number[]): boolean {
  for (const [index, want] of wanted.entries()) {
    const have = found[index] ?? 0;
    if (have !== want) return have > want;
  }
  return true;
}

function fromPackages(root: string): Binaries | undefined {
  const find = (name: string): string | undefined =>
    ['usr/bin', 'usr/sbin'].map((folder) => path.join(root, folder, name)).find(existsSync);
  const valkey = find('valkey-server');
  const nats = find('nats-server');
  const mosquitto = find('mosquitto');
  const plugin = findFile([path.join(root, 'usr/lib')], PLUGIN, 2);
  if (!valkey || !nats || !mosquitto || !plugin) return undefined;
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => {
    const base = path.join(root, folder);
    return existsSync(base)
      ? readdirSync(base)
          .filter((name) => name.endsWith('-linux-gnu'))
          .map((name) => path.join(base, name))
      : [];
  });
  return {
    valkey,
    nats,
    mosquitto,
    dynamicSecurityPlugin: plugin,
    env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') },
  };
}

function findFile(folders: readonly string[], name: string, depth: number): string | undefined {
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    const direct = path.join(folder, name);
    if (existsSync(direct)) return direct;
    if (depth === 0) continue;
    const inside = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, entry.name));
    const found = findFile(inside, name, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const ADVICE = `Aerie needs valkey-server (or redis-server >= 7), nats-server >= 2.10 and mosquitto >= 2.0.21 with its
dynamic security plugin. Put them on PATH and start again:
  macOS           brew install valkey nats-server mosquitto
  Fedora          dnf install valkey mosquitto; nats-server from https://github.com/nats-io/nats-server/releases
  other systems   https://valkey.io/download, https://nats.io/download, https://mosquitto.org/download`;

const PACKAGES = [
  'valkey-server/bookworm-backports',
  'nats-server/trixie',
  'mosquitto/bookworm-backports',
  'libmosquitto1/bookworm-backports',
];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks Debian packages below our own folder: with apt's own resolver and signature checks, but a private state, so
 * that nothing of the system is touched and no root is needed.
 */
function fetchDebianPackages(directory: string, root: string, say: (text: string) => void): void {
  const mirror = debianMirror();
  if (mirror === undefined || !existsSync(KEYRING)) {
    throw new Problem(`No usable binaries on PATH, and this is no Debian 12 with apt.\n${ADVICE}`);
  }
  say('Fetching valkey, nats-server and mosquitto as Debian packages …');
  const apt = path.join(directory, 'apt');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'etc/sources.list.d', 'etc/preferences.d']) {
    mkdirSync(path.join(apt, folder), { recursive: true });
  }
  const source = `[signed-by=${KEYRING}] ${mirror}`;
  writeFileSync(
    path.join(apt, 'etc/sources.list'),
    ['bookworm', 'bookworm-backports', 'trixie'].map((suite) => `deb ${source} ${suite} main\n`).join(''),
  );
  writeFileSync(
    path.join(apt, 'etc/preferences'),
    'Package: *\nPin: release n=trixie\nPin-Priority: 50\n\nPackage: *\nPin: release n=bookworm-backports\nPin-Priority: 60\n',
  );
  copyFileSync('/var/lib/dpkg/status', path.join(apt, 'status'));
  writeFileSync(
    path.join(apt, 'apt.conf'),
    `Dir::State "${apt}"; Dir::State::Lists "${apt}/lists"; Dir::State::status "${apt}/status"; Dir::Cache "${apt}/cache";
Dir::Etc "${apt}/etc"; Dir::Etc::sourcelist "${apt}/etc/sources.list"; Dir::Etc::sourceparts "${apt}/etc/sources.list.d";
Debug::NoLocking "1"; APT::Sandbox::User "root"; Acquire::Languages "none";\n`,
  );
  const env = { ...process.env, APT_CONFIG: path.join(apt, 'apt.conf') };
  const aptGet = (args: readonly string[]): string => {
    const result = spawnSync('apt-get', ['-qq', ...args], { cwd: apt, env, encoding: 'utf8' });
    if (result.status === 0) return result.stdout;
    throw new Problem(`apt-get ${args[0]} failed: ${(result.stderr || String(result.error)).trim()}\n${ADVICE}`);
  };
  aptGet(['update']);
  // What this very machine lacks, worked out by apt; packages that it already has are fetched too, by name.
  const plan = aptGet(['-y', '--no-install-recommends', '--print-uris', 'install', ...PACKAGES]);
  const closure = [...plan.matchAll(/^'[^']+' ([^_]+)_([^_]+)_/gm)].map(
    ([, name, version]) => `${name}=${decodeURIComponent(version ?? '')}`,
  );
  const missing = PACKAGES.filter((wanted) => !closure.some((entry) => entry.startsWith(`${wanted.split('/')[0]}=`)));
  aptGet(['download', ...closure, ...missing]);
  mkdirSync(root, { recursive: true });
  for (const file of readdirSync(apt).filter((name) => name.endsWith('.deb'))) {
    const unpacked = spawnSync('dpkg', ['-x', path.join(apt, file), root], { encoding: 'utf8' });
    if (unpacked.status !== 0) throw new Problem(`could not unpack ${file}: ${unpacked.stderr}`);
  }
  rmSync(apt, { recursive: true, force: true });
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
