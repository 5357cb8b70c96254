import { Secret } from '@aerie/kernel';
import type { IssuedKeys } from '../providers/storage.provider.js';
import { CachedKeys } from './cached-keys.js';

const HOUR_MS = 3_600_000;

let nowMs: number;
let cached: CachedKeys;
let calls: { resolve: (keys: IssuedKeys) => void; reject: (error: Error) => void }[];
beforeEach(() => {
  nowMs = 1_700_000_000_000;
  calls = [];
  cached = new CachedKeys({ clock: { nowMs: () => nowMs }, random: () => 0.5, max: 100 });
});

const issue = (): Promise<IssuedKeys> => new Promise((resolve, reject) => calls.push({ resolve, reject }));
const keys = (accessKeyId: string): IssuedKeys => ({
  accessKeyId,
  secretAccessKey: new Secret('secret'),
  sessionToken: new Secret('token'),
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + HOUR_MS,
});
const given = async (asked: Promise<IssuedKeys>): Promise<string> => (await asked).accessKeyId;

async function withKeys(name = 'first'): Promise<void> {
  const asked = cached.keysFor('a/', issue);
  calls.at(-1)?.resolve(keys(name));
  await asked;
}

it('asks the provider once for any number of docks that ask at the same time', async () => {
  const asked = Array.from({ length: 500 }, () => cached.keysFor('a/', issue));
  const other = cached.keysFor('b/', issue);
  expect(calls).toHaveLength(2);
  calls[0]?.resolve(keys('for a'));
  calls[1]?.resolve(keys('for b'));
  expect(new Set((await Promise.all(asked)).map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['for a']));
  expect(await given(other)).toBe('for b');
});

it('gives the same keys until half of their life is over, then renews them while the old ones serve', async () => {
  await withKeys();
  nowMs += 0.59 * HOUR_MS;
  expect(await given(cached.keysFor('a/', issue))).toBe('first');
  expect(calls).toHaveLength(1);
  nowMs += 0.02 * HOUR_MS;
  expect(await given(cached.keysFor('a/', issue))).toBe('first');
  expect(await given(cached.keysFor('a/', issue))).toBe('first');
  expect(calls).toHaveLength(2);
  calls[1]?.resolve(keys('second'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(await given(cached.keysFor('a/', issue))).toBe('second');
});

describe('K9: while the provider is down', () => {
  it('the old keys serve as long as more than 15 minutes of their life remain, then the failure is told', async () => {
    await withKeys();
    nowMs += HOUR_MS - 16 * 60_000;
    const asked = cached.keysFor('a/', issue);
    calls[1]?.reject(new Error('down'));
    expect(await given(asked)).toBe('first');
    nowMs += 60_000;
    const late = cached.keysFor('a/', issue);
    calls[2]?.reject(new Error('down'));
    await expect(late).rejects.toThrow('down');
  });

  it('it is left alone for ten seconds after five failures in a row', async () => {
    for (let failure = 0; failure < 5; failure++) {
      const asked = cached.keysFor('a/', issue);
      calls.at(-1)?.reject(new Error('down'));
      await expect(asked).rejects.toThrow('down');
    }
    await expect(cached.keysFor('b/', issue)).rejects.toThrow('gives out no keys now');
    expect(calls).toHaveLength(5);
    nowMs += 10_000;
    const asked = cached.keysFor('b/', issue);
    calls[5]?.resolve(keys('again'));
    expect(await given(asked)).toBe('again');
  });
});

it('gives out nothing that was forgotten', async () => {
  await withKeys();
  cached.forget((key) => key.startsWith('a'));
  const asked = cached.keysFor('a/', issue);
  calls[1]?.resolve(keys('second'));
  expect(await given(asked)).toBe('second');
});
