import { SignJWT, createLocalJWKSet } from 'jose';
import { BAD_TOKENS, type SigningKey, aSigningKey, goodClaims, signed } from '../fixtures/issuer.js';
import { readIdToken } from './id-token.js';

const expected = { issuer: 'https://login.example.org', clientId: 'aerie', nonce: 'the nonce' };
const claims = () => goodClaims(expected.issuer, expected.clientId, expected.nonce);
let key: SigningKey;
let other: SigningKey;

beforeAll(async () => {
  [key, other] = [await aSigningKey('one'), await aSigningKey('two')];
});

const read = (token: string, keys: readonly SigningKey[] = [key]) =>
  readIdToken(token, createLocalJWKSet({ keys: keys.map(({ jwk }) => jwk) }), expected);

it('accepts an ID token of the provider for this sign-in', async () => {
  expect(await read(await signed(claims(), key))).toMatchObject({ sub: 'subject-1', email: 'anna@example.com' });
  expect(await read(await signed(claims(), key, { typ: 'JWT' }))).toMatchObject({ sub: 'subject-1' });
});

it('ignores jku and x5u and uses the key set', async () => {
  const header = { kid: key.kid, jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/cert' };
  expect(await read(await signed(claims(), key, header))).toMatchObject({ sub: 'subject-1' });
});

it.each(BAD_TOKENS)('refuses an ID token with %s [N27-N30]', async (_what, make) => {
  await expect(read(await make(claims(), key, other))).rejects.toThrow(Error);
});

it('refuses HS256 even if the key lookup returns the shared key [N28]', async () => {
  const secret = new TextEncoder().encode(key.publicKey);
  const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(secret);
  await expect(readIdToken(token, async () => secret, expected)).rejects.toMatchObject({
    code: 'ERR_JOSE_ALG_NOT_ALLOWED',
  });
});

it('refuses an ID token without kid if the provider has two keys [N29]', async () => {
  const token = await signed(claims(), key, {});
  expect(await read(token)).toMatchObject({ sub: 'subject-1' });
  await expect(read(token, [key, other])).rejects.toMatchObject({ code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' });
});
