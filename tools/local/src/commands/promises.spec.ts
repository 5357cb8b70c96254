import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const ROW = /^\| (.+?)\s*\| \[`(.+?)`\]\(\.\.\/(.+?)\): (.+?)\s*\|$/;

/** Each promise of the page with the file and the words of its test. */
const PROMISES = readFileSync(path.join(root, 'docs', 'promises.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (promise|-)/.test(line))
  .map((line): readonly [string, string, string] => {
    const [, promise = '', file = '', link = '', title = ''] = ROW.exec(line) ?? [];
    return [promise || line, file === link ? file : '', title];
  });

it('names only tests that are there on the page of what an attacker may try', () => {
  const page = readFileSync(path.join(root, 'docs', 'security-tests.md'), 'utf8');
  const links = [...page.matchAll(/\]\(\.\.\/(.+?)\)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter((link) => !existsSync(path.join(root, link)))).toEqual([]);
});

it('has a page of promises', () => {
  expect(PROMISES.length).toBeGreaterThan(190);
});

it.each(PROMISES)('%s', (_promise, file, title) => {
  expect(existsSync(path.join(root, file)) && file !== '').toBe(true);
  expect(readFileSync(path.join(root, file), 'utf8')).toContain(title);
});
