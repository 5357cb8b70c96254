import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { docsMissions, withMatrix } from './docs-missions.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const MARKED = 'before\n<!-- lifecycle:begin -->\nold\n<!-- lifecycle:end -->\nafter\n';
const PAGES = ['docs/missions.md', 'docs/logs.md'] as const;

describe('docs-missions', () => {
  let root: string;
  const read = (page: string): string => readFileSync(path.join(root, page), 'utf8');
  const write = (page: string, text: string): void => writeFileSync(path.join(root, page), text);

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'aerie-docs-'));
    mkdirSync(path.join(root, 'docs'));
    PAGES.forEach((page) => write(page, MARKED));
    jest.spyOn(console, 'log').mockReturnValue();
    jest.spyOn(console, 'error').mockReturnValue();
  });

  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(root, { recursive: true });
  });

  it('finds the committed pages equal to the tables in the code', async () => {
    expect(await docsMissions(ROOT, ['--check'])).toBe(0);
  });

  it('rewrites only what stands between the markers', () => {
    expect(withMatrix('irrelevant', MARKED, '| new |')).toBe(
      'before\n<!-- lifecycle:begin -->\n\n| new |\n\n<!-- lifecycle:end -->\nafter\n',
    );
  });

  it('writes the lifecycle of missions into the page of missions', async () => {
    await docsMissions(root, []);
    expect(read('docs/missions.md')).toContain('| executeDue |');
  });

  it('writes the lifecycle of log uploads into the page of logs', async () => {
    await docsMissions(root, []);
    expect(read('docs/logs.md')).toContain('| exportSilent |');
  });

  it('writes the same pages when it runs again', async () => {
    await docsMissions(root, []);
    const once = PAGES.map(read);
    await docsMissions(root, []);
    expect(PAGES.map(read)).toEqual(once);
  });

  it.each(PAGES)('fails a check when only %s differs', async (page) => {
    await docsMissions(root, []);
    write(page, MARKED);
    expect(await docsMissions(root, ['--check'])).toBe(1);
  });

  it('passes a check of the pages that it wrote', async () => {
    await docsMissions(root, []);
    expect(await docsMissions(root, ['--check'])).toBe(0);
  });

  it('writes nothing while it checks', async () => {
    await docsMissions(root, ['--check']);
    expect(PAGES.map(read)).toEqual([MARKED, MARKED]);
  });

  it.each(PAGES)('says which markers are missing from %s', async (page) => {
    write(page, 'no markers');
    await expect(docsMissions(root, [])).rejects.toThrow(`${page} must have the lines <!-- lifecycle:begin -->`);
  });

  it('writes neither page when one has no markers', async () => {
    write('docs/logs.md', 'no markers');
    await expect(docsMissions(root, [])).rejects.toThrow();
    expect(read('docs/missions.md')).toBe(MARKED);
  });
});
