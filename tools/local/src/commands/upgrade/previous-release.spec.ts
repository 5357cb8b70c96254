import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildRelease, lastRelease } from './previous-release.js';

const root = path.resolve(import.meta.dirname, '../../../../..');

describe('the last release', () => {
  it('is the newest one whose commit CHANGELOG.md names', () => {
    const changelog =
      '# Changes\n\n## 0.3.0\n\n- new\n\n## 0.2.0\n\nCommit: `abcdef1`\n\n## 0.1.0\n\nCommit: `1234567`.\n';
    expect(lastRelease(changelog)).toEqual({ version: '0.2.0', commit: 'abcdef1' });
  });

  it('is known for this repository, and older than what is being made', () => {
    const { version } = lastRelease(readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8'));
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    expect(version).not.toBe(manifest.version);
  });

  it.each([
    ['no commit', '## 0.1.0\n\n- new\n', 'names no commit'],
    ['a commit above any heading', 'Commit: `abcdef1`\n', 'above the heading'],
  ])('is refused with %s', (_what, changelog, words) => {
    expect(() => lastRelease(changelog)).toThrow(words);
  });

  it('is not built where the history does not reach that far, and says what to do', async () => {
    const elsewhere = mkdtempSync(path.join(os.tmpdir(), 'aerie-no-history-'));
    const release = { version: '0.1.0', commit: '1234567' };
    await expect(buildRelease(elsewhere, release, () => undefined)).rejects.toThrow('git fetch --unshallow');
    rmSync(elsewhere, { recursive: true });
  });
});
