import { spawnSync } from 'node:child_process';
import type { Place } from '../infrastructure/place.js';
import { Problem } from '../infrastructure/problem.js';

/** Each is a network namespace of its own, as a host would be. `outside` has the bridge, the docks and the judge. */
export const HOST_NAMES = ['a', 'b', 'c'] as const;
export type HostName = (typeof HOST_NAMES)[number];
type Member = HostName | 'outside';

const MEMBERS: readonly Member[] = ['outside', ...HOST_NAMES];
/** Of these namespaces alone: nothing of it is seen on the machine, and nothing leaves it. */
const ADDRESSES: Readonly<Record<Member, string>> = {
  outside: '10.77.0.1',
  a: '10.77.0.11',
  b: '10.77.0.12',
  c: '10.77.0.13',
};
const BRIDGE = 'aerie0';

export const addressOf = (member: Member): string => ADDRESSES[member];
export const namespaceOf = (member: Member): string => `aerie-${member}`;

/** Commands run there, and servers listen on its address. */
export const placeOf = (member: Member): Place => ({
  address: addressOf(member),
  command: ({ program, args, env }) => ({
    program: 'ip',
    args: ['netns', 'exec', namespaceOf(member), program, ...args],
    ...(env === undefined ? {} : { env }),
  }),
});

/** Why there can be no hosts here; undefined when there can. */
export function whyNoHosts(): string | undefined {
  if (process.platform !== 'linux') return 'Three hosts on one machine are network namespaces, which only Linux has.';
  for (const tool of ['ip', 'iptables']) {
    if (spawnSync(tool, ['-V']).status !== 0)
      return `There is no \`${tool}\` here. On Debian: apt-get install iproute2 iptables`;
  }
  if (process.getuid?.() !== 0) return 'Only root may make network namespaces. Run it as root, e.g. in a container.';
  const probe = spawnSync('unshare', ['--net', 'true'], { encoding: 'utf8' });
  if (probe.status !== 0)
    return `This machine lets even root make no network namespace: ${probe.stderr.trim() || String(probe.error)}`;
  return undefined;
}

/** Three hosts and the outside on one bridge. What an earlier run left is taken away first. */
export function makeNetwork(): void {
  removeNetwork();
  for (const member of MEMBERS) {
    run('ip', 'netns', 'add', namespaceOf(member));
    inside(member, 'ip', 'link', 'set', 'lo', 'up');
  }
  inside('outside', 'ip', 'link', 'add', BRIDGE, 'type', 'bridge');
  inside('outside', 'ip', 'address', 'add', `${addressOf('outside')}/24`, 'dev', BRIDGE);
  inside('outside', 'ip', 'link', 'set', BRIDGE, 'up');
  for (const host of HOST_NAMES) {
    const cable = `to-${host}`;
    const peer = ['peer', 'name', 'eth0', 'netns', namespaceOf(host)];
    inside('outside', 'ip', 'link', 'add', cable, 'type', 'veth', ...peer);
    inside('outside', 'ip', 'link', 'set', cable, 'master', BRIDGE, 'up');
    inside(host, 'ip', 'address', 'add', `${addressOf(host)}/24`, 'dev', 'eth0');
    inside(host, 'ip', 'link', 'set', 'eth0', 'up');
    // As docs/operate.md asks for on the host of the broker.
    inside(host, 'sysctl', '-q', '-w', 'net.ipv4.tcp_retries2=5');
  }
}

/** Programs that still run there go on, with nobody to talk to. */
export function removeNetwork(): void {
  const present = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout ?? '';
  for (const member of MEMBERS) {
    const name = namespaceOf(member);
    if (present.split('\n').some((line) => line.split(' ')[0] === name)) run('ip', 'netns', 'delete', name);
  }
}

/**
 * Packets between this host and all others vanish, with `ports` those of servers that listen there, wherever they are.
 * Nobody is told: no connection is closed and none is refused. Takes what is to be done to heal it.
 */
export function cutOff(host: HostName, ports: readonly number[] = []): () => void {
  const others = MEMBERS.filter((member) => member !== host);
  // The one that receives drops, at both ends: to its sender a packet that is dropped there has left.
  const rules: (readonly [Member, readonly string[]])[] =
    ports.length === 0
      ? [[host, ['!', '-i', 'lo']], ...others.map((other) => [other, ['-s', addressOf(host)]] as const)]
      : ports.flatMap((port) =>
          [`--dport ${port}`, `--sport ${port}`].flatMap((end) => {
            const match = ['-p', 'tcp', ...end.split(' ')];
            return [[host, match] as const, ...others.map((o) => [o, ['-s', addressOf(host), ...match]] as const)];
          }),
        );
  for (const [member, match] of rules) inside(member, 'iptables', '-w', '-I', 'INPUT', ...match, '-j', 'DROP');
  return () => {
    for (const [member, match] of rules) inside(member, 'iptables', '-w', '-D', 'INPUT', ...match, '-j', 'DROP');
  };
}

function inside(member: Member, program: string, ...args: readonly string[]): void {
  run('ip', 'netns', 'exec', namespaceOf(member), program, ...args);
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Problem(`\`${program} ${args.join(' ')}\` failed: ${error?.message ?? stderr.trim()}`);
}
