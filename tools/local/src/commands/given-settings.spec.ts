import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SETTINGS_FILE } from './docs-api.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Files below a folder whose path ends so, without what was built and installed. */
const below = (folder: string, end: string): string[] =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end) && !/(^|\/)(dist|node_modules)\//.test(file))
    .map((file) => path.join(folder, file));

/** Names of variables by which programs of ours are set. */
const OURS =
  /\b(?:MISSION|FLEET|LOG|CREDENTIAL|INGRESS|EDGE|OBJECT_STORE|SITE|NATS|REDIS|DATABASE|S3|MQTT|STS|IAM|HTTP|STORAGE)_[A-Z0-9_]+/g;

/** In backticks, as the generated part has them. Another spec compares that with the programs. */
const known = new Set(
  [
    ...read(SETTINGS_FILE)
      .split('settings:begin')[1]!
      .matchAll(/`([A-Z][A-Z0-9_]+)`/g),
  ].map(([, name]) => name),
);

describe('each variable that programs are given', () => {
  it.each([
    ...below('docker', '.yml'),
    ...below('k8s', '.yaml'),
    'tools/local/src/stack/services.ts',
    'docs/storage.md',
    'docs/retention.md',
    'docs/operate.md',
    'docs/scaling.md',
    ...below('docs/operate', '.md'),
  ])('in %s is a setting', (file) => {
    const given = new Set(read(file).match(OURS));
    expect([...given].filter((name) => !known.has(name))).toEqual([]);
  });

  it('is looked for where there are many', () => {
    expect(known.size).toBeGreaterThan(100);
    expect(read('docker/compose.yml').match(OURS)?.length).toBeGreaterThan(20);
  });
});

describe('the page of all settings', () => {
  it('has what each command beside a program reads', () => {
    const readers = below('apps', '.ts').filter((file) => read(file).includes('readCommandConfig('));
    expect(readers.length).toBeGreaterThan(5);
    for (const file of readers) {
      const command = path.basename(file).replace('.ts', '.js');
      expect(read(file)).toContain(`readCommandConfig(COMMANDS['${command}'])`);
    }
  });
});
