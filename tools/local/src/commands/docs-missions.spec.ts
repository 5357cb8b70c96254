import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { docsMissions, withMatrix } from './docs-missions.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const MARKED = 'before\n<!-- lifecycle:begin -->\nold\n<!-- lifecycle:end -->\nafter\n';

describe('docs-missions', () => {
  let root: string;
  const page = (): string => path.join(root, 'docs/missions.md');

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'aerie-docs-'));
    mkdirSync(path.join(root, 'docs'));
    writeFileSync(page(), MARKED);
    jest.spyOn(console, 'log').mockReturnValue();
    jest.spyOn(console, 'error').mockReturnValue();
  });

  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(root, { recursive: true });
  });

  it('finds the committed page equal to the table in the code', async () => {
    expect(await docsMissions(ROOT, ['--check'])).toBe(0);
  });

  it('rewrites only what stands between the markers', () => {
    expect(withMatrix(MARKED, '| new |')).toBe(
      'before\n<!-- lifecycle:begin -->\n\n| new |\n\n<!-- lifecycle:end -->\nafter\n',
    );
  });

  it('writes the same page when it runs again', async () => {
    await docsMissions(root, []);
    const once = readFileSync(page(), 'utf8');
    await docsMissions(root, []);
    expect(readFileSync(page(), 'utf8')).toBe(once);
  });

  it('fails a check of a page that differs', async () => {
    expect(await docsMissions(root, ['--check'])).toBe(1);
  });

  it('writes nothing while it checks', async () => {
    await docsMissions(root, ['--check']);
    expect(readFileSync(page(), 'utf8')).toBe(MARKED);
  });

  it('says which markers are missing', async () => {
    writeFileSync(page(), 'no markers');
    await expect(docsMissions(root, [])).rejects.toThrow('must have the lines <!-- lifecycle:begin -->');
  });
});
