import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { aboutCompose, aboutDockerfile, staticFindings } from './static-findings.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const dockerfile = readFileSync(path.join(root, 'docker/Dockerfile'), 'utf8');
const compose = readFileSync(path.join(root, 'docker/compose.yml'), 'utf8');
const example = readFileSync(path.join(root, 'docker/.env.example'), 'utf8');

it('finds nothing wrong with our Dockerfile and our Compose file', () => {
  expect(staticFindings(root)).toEqual([]);
});

it.each([
  ['a base that moves', ':24-bookworm-slim', ':latest', 'is not pinned'],
  ['root', 'USER 10001:10001', 'USER root', 'no numeric USER'],
  ['no user', 'USER 10001:10001', '', 'no numeric USER'],
  [
    'a shell that runs the program',
    'ENTRYPOINT ["/usr/local/bin/node", ',
    'ENTRYPOINT /usr/local/bin/node #',
    'no list',
  ],
  ['scripts of packages', ' --ignore-scripts', '', 'scripts of packages'],
  ['an install that does not keep to the lockfile', 'npm ci', 'npm install', 'use npm ci'],
  ['a download', 'COPY . .', 'ADD https://example.org/a.tar /', 'use COPY'],
  ['a secret', 'ARG VERSION=', 'ARG NPM_TOKEN=', 'holds a secret'],
  ['tools in the last stage', 'STOPSIGNAL', 'RUN apt-get install curl\nSTOPSIGNAL', 'the last stage runs something'],
])('tells %s in a Dockerfile', (_, right, wrong, told) => {
  expect(dockerfile).toContain(right);
  expect(aboutDockerfile(dockerfile.replace(right, wrong)).join('\n')).toContain(told);
});

it.each([
  ['an image that moves', 'nats:2.12.3-alpine', 'nats:latest', 'is not pinned'],
  ['an image without a version', 'docker.io/prom/prometheus:v3.7.3', 'docker.io/prom/prometheus', 'is not pinned'],
  ['a user by name', "user: '10001:10001'", 'user: root', 'say a user by number'],
  ['an image that can be written to', 'read_only: true\n  tmpfs', 'tmpfs', 'can write to its image'],
  ['capabilities', 'cap_drop: [ALL]\n  security_opt', 'security_opt', 'keeps capabilities'],
  ['a password', 'POSTGRES_PASSWORD_FILE: /run/aerie/password', 'POSTGRES_PASSWORD: aerie', 'in clear'],
  ['a folder of the machine', 'site-nats:/run/aerie:ro', '/etc:/run/aerie:ro', 'no volume of this file'],
  [
    'certificates that a container could change',
    'site-nats:/run/aerie:ro',
    'site-nats:/run/aerie',
    'mount them read-only',
  ],
  [
    'a setting that nobody explains',
    '${AERIE_STORAGE_PORT:-9000}:9000',
    '${AERIE_OTHER_PORT:-9000}:9000',
    'AERIE_OTHER_PORT',
  ],
])('tells %s in a Compose file', (_, right, wrong, told) => {
  expect(compose).toContain(right);
  const broken = parse(compose.replace(right, wrong), { merge: true }) as Parameters<typeof aboutCompose>[0];
  expect(aboutCompose(broken, example).join('\n')).toContain(told);
});
