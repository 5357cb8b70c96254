import { type LockedPackages, closureOf } from './closure.js';

const packages: LockedPackages = {
  '': {},
  'apps/one': { dependencies: { '@ours/lib': '*', framework: '1' }, ...{ devDependencies: { tester: '1' } } },
  'libs/lib': { dependencies: { shared: '1' } },
  'node_modules/@ours/lib': { link: true, resolved: 'libs/lib' },
  'node_modules/framework': {
    dependencies: { shared: '2' },
    peerDependencies: { metadata: '1', broker: '1' },
    peerDependenciesMeta: { broker: { optional: true } },
    optionalDependencies: { 'native-elsewhere': '1' },
  },
  'node_modules/framework/node_modules/shared': {},
  'node_modules/shared': { dependencies: { framework: '1' } },
  'node_modules/metadata': {},
  'node_modules/broker': {},
  'node_modules/tester': {},
};

describe('what a program needs to run', () => {
  it('is its own folder, our libraries, and packages as Node.js finds them: the nearest version, peers, circles', () => {
    expect(closureOf(packages, 'apps/one')).toEqual([
      'apps/one',
      'libs/lib',
      'node_modules/@ours/lib',
      'node_modules/framework',
      'node_modules/framework/node_modules/shared',
      'node_modules/metadata',
      'node_modules/shared',
    ]);
  });

  it('cannot be told where the lockfile lacks something that is not optional', () => {
    const { 'node_modules/metadata': _, ...incomplete } = packages;
    expect(() => closureOf(incomplete, 'apps/one')).toThrow('node_modules/framework needs metadata');
    expect(() => closureOf(packages, 'apps/two')).toThrow('package-lock.json has no apps/two');
  });
});
