import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../../..');

/** The source files of a project, specs and fixtures as well. */
const sourceFiles = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => path.join(parentPath, name));

const sourcesOf = (part: string): string[] =>
  readdirSync(path.join(root, part))
    .map((project) => path.join(root, part, project, 'src'))
    .filter((source) => existsSync(source))
    .flatMap(sourceFiles);

/** Files that a file imports by a path, types as well. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/\bfrom '(\.[^']+)\.js'/g)].map(([, to = '']) =>
    path.resolve(path.dirname(file), `${to}.ts`),
  );

/** Whatever cannot be put in an order: files of which each imports another one that is left. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Map([...graph].map(([file, to]) => [file, to.filter((other) => graph.has(other))]));
  for (;;) {
    const free = [...left].filter(([, to]) => !to.some((other) => left.has(other))).map(([file]) => file);
    if (free.length === 0) break;
    for (const file of free) left.delete(file);
  }
  return [...left.keys()].map((file) => path.relative(root, file));
}

it('no file imports itself through others, not even a type', () => {
  const files = ['apps', 'libs', 'tools'].flatMap(sourcesOf);
  expect(files.length).toBeGreaterThan(500);
  expect(circles(new Map(files.map((file) => [file, importsOf(file)])))).toEqual([]);
});

it('finds a circle where there is one, and what leads into it', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
    ['d', []],
  ]);
  expect(circles(graph)).toHaveLength(3);
});
