import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { when } from './when.js';

/** What is wrong with the Dockerfile and the Compose file, one sentence each. No engine is needed. */
export function staticFindings(root: string): string[] {
  const read = (name: string): string => readFileSync(path.join(root, 'docker', name), 'utf8');
  return [
    ...aboutDockerfile(read('Dockerfile')).map((text) => `docker/Dockerfile: ${text}`),
    ...aboutCompose(parse(read('compose.yml'), { merge: true }) as ComposeFile, read('.env.example')).map(
      (text) => `docker/compose.yml: ${text}`,
    ),
  ];
}

/** A version, at least its first number, or a hash; `latest` and nothing at all move. */
const IS_PINNED = /@sha256:[0-9a-f]{64}$|:v?\d[\w.-]*$/;

export function aboutDockerfile(text: string): string[] {
  const lines = text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const of = (word: string): string[] => lines.filter((line) => line.startsWith(`${word} `));
  const defaults = new Map(
    of('ARG').map((line): [string, string] => {
      const [name = '', value = ''] = line.slice('ARG '.length).split('=');
      return [name, value];
    }),
  );
  const stages = new Set(of('FROM').flatMap((line) => / AS (\S+)$/.exec(line)?.[1] ?? []));
  const bases = of('FROM').map((line) => line.split(' ')[1] ?? '');
  const resolved = bases.map((base) => base.replace(/^\$\{(\w+)\}$/, (_, name: string) => defaults.get(name) ?? ''));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const lastOf = (word: string): string | undefined => last.findLast((line) => line.startsWith(`${word} `));
  return [
    ...resolved.flatMap((base) =>
      when(base !== 'scratch' && !stages.has(base) && !IS_PINNED.test(base), `${base || 'a base'} is not pinned`),
    ),
    ...when(!/^USER [1-9]\d*(:[1-9]\d*)?$/.test(lastOf('USER') ?? ''), 'the last stage has no numeric USER above 0'),
    ...when(!/^ENTRYPOINT \[/.test(lastOf('ENTRYPOINT') ?? ''), 'ENTRYPOINT is no list: a shell would run it'),
    ...when(lastOf('RUN') !== undefined, 'the last stage runs something: its tools would stay in it'),
    ...of('RUN').flatMap((line) =>
      when(/npm (ci|install)/.test(line) && !line.includes('--ignore-scripts'), 'npm runs scripts of packages'),
    ),
    ...of('RUN').flatMap((line) =>
      when(/npm install\b/.test(line), 'npm install does not keep to the lockfile: use npm ci'),
    ),
    ...when(of('ADD').length > 0, 'ADD fetches and unpacks: use COPY'),
    ...when(/<<[A-Z]/.test(text), 'has a heredoc, which older engines refuse'),
    ...of('COPY').flatMap((line) => when(line.includes('--link'), 'has COPY --link, which older engines refuse')),
    ...[...of('ARG'), ...of('ENV')].flatMap((line) =>
      when(/PASSWORD|SECRET|TOKEN/.test(line), `holds a secret: ${line.split('=')[0]}`),
    ),
  ];
}

interface ComposeService {
  readonly image?: string;
  readonly build?: unknown;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly logging?: unknown;
  readonly restart?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** It gives files away, so it is root, and it ends. */
const ROOT_ONCE = 'setup';
/** Images that write to folders of their own. */
const WRITES = new Set(['postgres', 'grafana']);

export function aboutCompose({ services, volumes }: ComposeFile, example: string): string[] {
  const findings = Object.entries(services).flatMap(([name, service]) => aboutService(name, service, volumes));
  const asked = new Set(
    [...JSON.stringify(services).matchAll(/\$\{(AERIE_\w+)/g)].map(([, variable = '']) => variable),
  );
  const explained = new Set([...example.matchAll(/^(?:# )?(AERIE_\w+)=/gm)].map(([, variable = '']) => variable));
  return [
    ...findings,
    ...[...asked].flatMap((one) => when(!explained.has(one), `${one} is not explained in .env.example`)),
    ...[...explained].flatMap((one) => when(!asked.has(one), `${one} of .env.example is not used`)),
  ];
}

function aboutService(name: string, service: ComposeService, volumes: ComposeFile['volumes']): string[] {
  const { image = '', user = '', environment = {}, restart } = service;
  const plain = image.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  const about = [
    ...when(
      !IS_PINNED.test(plain) && !/^aerie\/[\w-]+:local$/.test(plain),
      `runs ${plain || 'no image'}, which is not pinned`,
    ),
    ...when(name !== ROOT_ONCE && !/^[1-9]\d*:\d+$/.test(user), `runs as "${user}": say a user by number`),
    ...when(service.read_only !== true && !WRITES.has(name), 'can write to its image'),
    ...when(!(service.cap_drop ?? []).includes('ALL') && !WRITES.has(name), 'keeps capabilities'),
    ...when(service.privileged === true || service.network_mode === 'host', 'has the rights of the machine'),
    ...when(service.logging === undefined, 'writes logs without end'),
    ...when(name !== ROOT_ONCE && restart === undefined, 'stays down after it ended'),
    ...Object.entries(environment).flatMap(([key, value]) =>
      when(/PASSWORD|SECRET|TOKEN/.test(key) && !/_FILE$/.test(key) && String(value) !== '', `holds ${key} in clear`),
    ),
    ...(service.volumes ?? []).flatMap((volume) => {
      const [source = ''] = volume.split(':');
      return when(
        !source.startsWith('./') && !(source in volumes),
        `mounts ${source}, which is no volume of this file`,
      );
    }),
    ...when(
      name !== ROOT_ONCE &&
        (service.volumes ?? []).some((volume) => /^(?:site-|authority)/.test(volume) && !volume.endsWith(':ro')),
      'could change its own certificates and passwords: mount them read-only',
    ),
  ];
  return about.map((text) => `${name} ${text}`);
}
