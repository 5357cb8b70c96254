import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '@aerie/kernel';
import { FileKeyRing } from './file-key-ring.js';

const directory = mkdtempSync(path.join(tmpdir(), 'aerie-keys-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function ringOf(...lines: readonly string[]): FileKeyRing {
  const file = path.join(directory, `keys-${++files}`);
  writeFileSync(file, lines.join('\n'));
  return FileKeyRing.read('KEY_FILE', file);
}
const aKey = (): string => randomBytes(32).toString('base64');

describe('FileKeyRing', () => {
  it('opens what it sealed, and shows nothing of it meanwhile', async () => {
    const ring = ringOf(`one ${aKey()}`);
    const sealed = await ring.seal(new Secret('the secret'), 'storage:1');
    expect(sealed.keyId).toBe('one');
    expect(sealed.bytes.includes('the secret')).toBe(false);
    expect((await ring.open(sealed, 'storage:1')).reveal()).toBe('the secret');
  });

  it('does not open what was sealed for another row', async () => {
    const ring = ringOf(`one ${aKey()}`);
    const sealed = await ring.seal(new Secret('the secret'), 'storage:1');
    await expect(ring.open(sealed, 'storage:2')).rejects.toMatchObject({ code: 'secret_unreadable' });
  });

  it('does not open what was changed', async () => {
    const ring = ringOf(`one ${aKey()}`);
    const { keyId, bytes } = await ring.seal(new Secret('the secret'), 'storage:1');
    const changed = Buffer.from(bytes);
    changed[14] = (changed[14] ?? 0) ^ 1;
    await expect(ring.open({ keyId, bytes: changed }, 'storage:1')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
  });

  it('seals with the first key and opens with all, so that keys can be rotated', async () => {
    const old = aKey();
    const sealed = await ringOf(`old ${old}`).seal(new Secret('the secret'), 'storage:1');
    const rotated = ringOf('# since spring', `new ${aKey()}`, '', `old ${old}`);
    expect((await rotated.open(sealed, 'storage:1')).reveal()).toBe('the secret');
    expect((await rotated.seal(new Secret('x'), 'storage:1')).keyId).toBe('new');
    await expect(ringOf(`new ${aKey()}`).open(sealed, 'storage:1')).rejects.toThrow('the key old');
  });

  it.each([
    ['no key', ['# nothing'], 'holds no key'],
    ['a short key', [`one ${randomBytes(16).toString('base64')}`], 'line 1'],
    ['a key without a name', [aKey()], 'line 1'],
    ['two keys of one name', [`one ${aKey()}`, `one ${aKey()}`], 'line 2'],
  ])('refuses a file with %s, and does not repeat what stands there', (_what, lines, message) => {
    const read = (): unknown => ringOf(...lines);
    expect(read).toThrow(message);
    expect(read).not.toThrow(lines[0] ?? '');
  });

  it('says so when there is no file', () => {
    expect(() => FileKeyRing.read('KEY_FILE', path.join(directory, 'none'))).toThrow('cannot be read');
  });
});
