import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../../..');

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;

const PROJECTS = ['apps', 'libs', 'tools']
  .flatMap((part) => readdirSync(path.join(root, part)).map((name) => path.join(root, part, name)))
  .filter((folder) => existsSync(path.join(folder, 'package.json')));

/** Loaded by a library that Nest or TypeORM looks for by name, so that no file of ours imports it. */
const LOADED_BY_NAME: Readonly<Record<string, readonly string[]>> = {
  'libs/persistence': ['reflect-metadata'],
  'libs/service-host': ['@grpc/proto-loader', '@nats-io/transport-node', 'reflect-metadata'],
};

const isForTests = (file: string): boolean =>
  /\.(?:spec|fixture|fake)\.ts$/.test(file) || /[/\\](?:testing|fixtures)[/\\]/.test(file);

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const IMPORTS = /^(?:import|export)\s(?:[\w\s{},*$]+\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/gm;

/** The packages that the compiled files of a project import: types are gone from them. */
function packagesThatRun(folder: string): Set<string> {
  const source = path.join(folder, 'src');
  if (!existsSync(source)) return new Set();
  const files = readdirSync(source, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .filter((file) => !isForTests(file));
  const specifiers = files.flatMap((file) => {
    const compiled = path.join(folder, 'dist', path.relative(source, file).replace(/\.ts$/, '.js'));
    const statements = readFileSync(compiled, 'utf8').matchAll(IMPORTS);
    return [...statements].map(([, named, called]) => named ?? called ?? '');
  });
  const own = manifestOf(folder).name;
  return new Set(
    specifiers
      .filter((one) => !one.startsWith('.') && !isBuiltin(one))
      .map(packageOf)
      .filter((name) => name !== own),
  );
}

const SHIPPED = PROJECTS.filter((folder) => !/[/\\](?:tools[/\\][^/\\]+|libs[/\\](?:property-)?testing)$/.test(folder));

it.each(SHIPPED.map((folder) => path.relative(root, folder)))(
  '%s declares the packages that it runs on, and no others, so that its image holds no more',
  (project) => {
    const { dependencies = {} } = manifestOf(path.join(root, project));
    const wanted = new Set([...packagesThatRun(path.join(root, project)), ...(LOADED_BY_NAME[project] ?? [])]);
    expect(Object.keys(dependencies).sort()).toEqual([...wanted].sort());
  },
);

it('every project wants the same version of a package, and each version is exact', () => {
  const versions = new Map<string, Set<string>>();
  for (const folder of [root, ...PROJECTS]) {
    const { dependencies, devDependencies } = manifestOf(folder);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
  }
  const foreign = [...versions].filter(([name]) => !name.startsWith('@aerie/'));
  expect(foreign.length).toBeGreaterThan(50);
  expect(foreign.filter(([, found]) => found.size > 1).map(([name, found]) => [name, ...found])).toEqual([]);
  expect(
    foreign.filter(([, [version = '']]) => !/^(?:npm:\w+@)?\d+\.\d+\.\d+/.test(version)).map(([name]) => name),
  ).toEqual([]);
});
