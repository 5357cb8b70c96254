import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { ACCESS_FILE, API_FILES, METRICS_FILE, SETTINGS_FILE, docsApi } from './docs-api.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

describe('docs-api', () => {
  let root: string;
  const textOf = (page: string): string => readFileSync(path.join(root, page), 'utf8');

  beforeEach(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'aerie-docs-'));
    mkdirSync(path.join(root, 'docs'));
    // The words around the tables are written by people.
    writeFileSync(path.join(root, ACCESS_FILE), '# Access\n\n<!-- access:begin -->\n<!-- access:end -->\n');
    writeFileSync(path.join(root, SETTINGS_FILE), '# Settings\n\n<!-- settings:begin -->\n<!-- settings:end -->\n');
    writeFileSync(path.join(root, METRICS_FILE), '# Metrics\n\n<!-- metrics:begin -->\n<!-- metrics:end -->\n');
    jest.spyOn(console, 'log').mockReturnValue();
    jest.spyOn(console, 'error').mockReturnValue();
  });

  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(root, { recursive: true });
  });

  it('finds the committed documents equal to the code', async () => {
    expect(await docsApi(ROOT, ['--check'])).toBe(0);
  }, 30_000);

  it('writes the documents that it then finds equal', async () => {
    expect(await docsApi(root, ['--check'], ROOT)).toBe(1);
    await docsApi(root, [], ROOT);
    expect(await docsApi(root, ['--check'], ROOT)).toBe(0);
  }, 30_000);

  it.each([...API_FILES, ACCESS_FILE, SETTINGS_FILE, METRICS_FILE])(
    'fails a check of a copy of %s that differs, and leaves it as it is',
    async (page) => {
      await docsApi(root, [], ROOT);
      const changed = textOf(page).replace(/"Apache-2.0"|\| yes|required|counter/, '"secret"');
      writeFileSync(path.join(root, page), changed);
      expect(await docsApi(root, ['--check'], ROOT)).toBe(1);
      expect(textOf(page)).toBe(changed);
    },
    30_000,
  );

  it('says which program did not print its document', async () => {
    await expect(docsApi(root, [], root)).rejects.toThrow('print-openapi.js did not print its document');
  }, 30_000);
});
