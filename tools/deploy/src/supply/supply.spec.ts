import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { closureOf } from '../images/closure.js';
import { READ, licenceFaults, licencesOf } from './licences.js';
import { lockfileFaults, readLockfile } from './lockfile.js';
import { sbomOf } from './sbom.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const lockfile = readLockfile(root);
const programs = readdirSync(path.join(root, 'apps'));

describe('package-lock.json', () => {
  it('has a SHA-512 of all that is installed, and no address', () => {
    expect(lockfileFaults(lockfile)).toEqual([]);
  });

  it.each([
    ['no SHA-512', { version: '1.0.0', integrity: 'sha1-abc' }],
    ['names where it is from', { integrity: 'sha512-abc', resolved: 'git+ssh://git@host/repo.git' }],
  ])('is refused with a package that has %s', (fault, locked) => {
    expect(lockfileFaults({ 'node_modules/a': locked })).toEqual([
      expect.stringContaining(fault.replace('no', 'has no')),
    ]);
  });
});

describe('what a program runs on', () => {
  it.each(programs)('may be given on with %s', (program) => {
    expect(licenceFaults(licencesOf(lockfile, closureOf(lockfile, `apps/${program}`)))).toEqual([]);
  });

  it('is refused with a licence that asks for more, and without one', () => {
    const [name, version] = ['a', '1.0.0'];
    const faults = licenceFaults([
      { name, version, licence: 'AGPL-3.0-only' },
      { name, version, licence: undefined },
      { name, version, licence: 'MIT' },
    ]);
    expect(faults).toEqual(['a@1.0.0: AGPL-3.0-only', 'a@1.0.0: no licence is named']);
  });

  it('says in its own words what a person has read', () => {
    const own = Object.keys(READ).map((at) => {
      const name = at.slice(0, at.lastIndexOf('@'));
      const text = readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8');
      const { version, license, licenses } = JSON.parse(text) as Record<string, unknown>;
      return [`${name}@${String(version)}`, JSON.stringify(license ?? licenses).includes(READ[at] ?? '')];
    });
    expect(own).toEqual(Object.keys(READ).map((at) => [at, true]));
  });
});

describe('the list of what a program runs on', () => {
  const list = sbomOf(lockfile, 'mqtt-ingress');

  it('is CycloneDX 1.6, and the same each time', () => {
    expect(JSON.parse(list)).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
    expect(sbomOf(lockfile, 'mqtt-ingress')).toBe(list);
  });

  it('holds each package of its image once, with licence and SHA-512, and none of its tests', () => {
    const { components } = JSON.parse(list) as { components: Record<string, unknown>[] };
    const { version } = createRequire(import.meta.url)('mqtt/package.json') as { version: string };
    expect(components.find(({ name }) => name === 'mqtt')).toMatchObject({
      ...{ version, purl: `pkg:npm/mqtt@${version}`, licenses: [{ license: { id: 'MIT' } }] },
      hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[\da-f]{128}$/) as unknown }],
    });
    expect(components.map(({ name }) => name)).not.toContain('jest');
    const foreign = closureOf(lockfile, 'apps/mqtt-ingress').filter(
      (folder) => folder.includes('node_modules/') && lockfile[folder]?.link !== true,
    );
    expect(components.map((each) => each['bom-ref']).sort()).toEqual(foreign.sort());
  });
});
