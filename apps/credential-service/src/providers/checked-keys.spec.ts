import { checkedKeys } from './checked-keys.js';

const keys = {
  accessKeyId: 'ASIA1',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  issuedAtMs: 0,
  expiresAtMs: 3_600_000,
  lifetimeSeconds: 3_600,
};

it('takes what has the shape of keys', () => {
  const checked = checkedKeys(keys);
  expect([checked.accessKeyId, checked.secretAccessKey.reveal(), checked.sessionToken.reveal()]).toEqual([
    ...['ASIA1', 'secret', 'token'],
  ]);
});

it.each([
  ['no id', { accessKeyId: undefined }],
  ['an id that no table holds', { accessKeyId: 'a\u0000' }],
  ['an endless id', { accessKeyId: 'a'.repeat(129) }],
  ['no secret', { secretAccessKey: '' }],
  ['a secret of two lines', { secretAccessKey: 'a\nb' }],
  ['no token', { sessionToken: undefined }],
  ['an endless token', { sessionToken: 'a'.repeat(20_000) }],
  ['no end', { expiresAtMs: Number.NaN }],
  ['an end in the past', { expiresAtMs: -1 }],
  ['an end in eight thousand years', { expiresAtMs: 253_000_000_000_000 }],
])('refuses an answer with %s', (_what, parts) => {
  expect(() => checkedKeys({ ...keys, ...parts })).toThrow('without keys');
});
