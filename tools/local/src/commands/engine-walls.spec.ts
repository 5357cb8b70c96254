import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const SERVICES = ['credential', 'fleet', 'log', 'mission'].map((name) => `apps/${name}-service/src`);

const sources = SERVICES.flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.(spec|fixture)\.ts$/.test(file))
    .map((file) => ({ file: path.join(folder, file), text: readFileSync(path.join(ROOT, folder, file), 'utf8') })),
);

/** What a caller talks to, and what only reads for a screen. */
const OF_REQUESTS = /\.controller\.ts$|\.read-model\.ts$|\/(grpc|http)\//;
/** A pool of the engine, or what one is made of. */
const OF_ENGINE = /DatabaseOf<'engine'>|\bDatabases\b|\bengineOf\b|\bcreateDataSource\b|from '[./]*\/database\.js'/;
const namesOfPools = /(?:const|await) (?:(\w+) = await openDatabase)/g;

it('controllers and read models of every service were found', () => {
  for (const folder of SERVICES) {
    expect(sources.filter(({ file }) => file.startsWith(folder) && OF_REQUESTS.test(file)).length).toBeGreaterThan(1);
  }
});

it('nothing that a caller talks to names a pool of the engine', () => {
  const named = sources.filter(({ file, text }) => OF_REQUESTS.test(file) && OF_ENGINE.test(text));
  expect(named.map(({ file }) => file)).toEqual([]);
});

it('nothing that Nest hands out is a pool', () => {
  for (const { text } of sources.filter(({ file }) => file.endsWith('app.module.ts'))) {
    const pools = [...text.matchAll(namesOfPools)].map(([, name]) => name);
    expect(pools.length).toBeGreaterThan(1);
    expect(text).not.toMatch(new RegExp(`useValue: (${pools.join('|')})\\b[^.(]`));
    expect(text).not.toMatch(/provide: DataSource/);
  }
});
