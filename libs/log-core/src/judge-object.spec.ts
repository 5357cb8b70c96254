import { told } from './fixtures/uploads.js';
import { isBelow, judgeObject } from './judge-object.js';

const MD5 = 'a'.repeat(32);
const SHA256 = 'b'.repeat(64);
const hashes = { md5: MD5, sha256: SHA256 };
const object = (sizeBytes = 1_000, etag = 'c'.repeat(32)) => ({ sizeBytes, etag });

describe('an object in the storage', () => {
  it('K3: differs when its size is not what the dock said', () => {
    expect(judgeObject({ told: told({ fingerprint: MD5 }) }, object(500, MD5), hashes)).toEqual({ verdict: 'differs' });
  });

  it('is proven by its tag when that is the hash that the dock said', () => {
    expect(judgeObject({ told: told({ fingerprint: MD5 }) }, object(1_000, MD5), null)).toEqual({
      verdict: 'ok',
      proof: 'fingerprint',
    });
  });

  it('is proven by its tag in capitals too', () => {
    expect(judgeObject({ told: told({ fingerprint: MD5 }) }, object(1_000, MD5.toUpperCase()), null)).toMatchObject({
      proof: 'fingerprint',
    });
  });

  it.each([MD5, SHA256])('has to be read when its tag is not the hash that the dock said: %s', (fingerprint) => {
    const parts = object(1_000, `${'d'.repeat(32)}-2`);
    expect(judgeObject({ told: told({ fingerprint }) }, parts, null)).toEqual({ verdict: 'unread' });
  });

  it.each([MD5, SHA256])('is proven by its content: %s', (fingerprint) => {
    expect(judgeObject({ told: told({ fingerprint }) }, object(), hashes)).toEqual({
      verdict: 'ok',
      proof: 'fingerprint',
    });
  });

  it.each([32, 64])('differs when its content has another hash of %i digits', (length) => {
    expect(judgeObject({ told: told({ fingerprint: 'e'.repeat(length) }) }, object(), hashes)).toEqual({
      verdict: 'differs',
    });
  });

  it('is not proven by a hash of the other kind', () => {
    const swapped = { md5: SHA256.slice(0, 32), sha256: MD5 + MD5 };
    expect(judgeObject({ told: told({ fingerprint: MD5 }) }, object(), swapped)).toEqual({ verdict: 'differs' });
  });

  it('is proven by its size when the dock said no hash', () => {
    expect(judgeObject({ told: told({ fingerprint: null }) }, object(), null)).toEqual({
      verdict: 'ok',
      proof: 'size',
    });
  });

  it('is proven by its size when the dock said a hash of a kind that nobody documents', () => {
    expect(judgeObject({ told: told({ fingerprint: 'f'.repeat(8) }) }, object(), null)).toEqual({
      verdict: 'ok',
      proof: 'size',
    });
  });

  it('is proven by a hash also when the dock said no size', () => {
    expect(judgeObject({ told: told({ sizeBytes: null, fingerprint: MD5 }) }, object(7, MD5), null)).toEqual({
      verdict: 'ok',
      proof: 'fingerprint',
    });
  });

  it('K2: is taken as it is when the last word of the dock was lost', () => {
    expect(judgeObject({ told: null }, object(), null)).toEqual({ verdict: 'ok', proof: 'presence' });
  });

  it('is taken as it is when the dock said a hash of an unknown kind and no size', () => {
    const word = told({ sizeBytes: null, fingerprint: 'f'.repeat(8) });
    expect(judgeObject({ told: word }, object(), null)).toEqual({ verdict: 'ok', proof: 'presence' });
  });

  it('is never taken for an archive when it is empty, whatever the dock says of it', () => {
    const ofNothing = told({ sizeBytes: null, fingerprint: 'd41d8cd98f00b204e9800998ecf8427e' });
    expect(judgeObject({ told: null }, object(0), null)).toEqual({ verdict: 'differs' });
    expect(judgeObject({ told: ofNothing }, object(0, ofNothing.fingerprint ?? ''), null)).toEqual({
      verdict: 'differs',
    });
  });
});

describe('K4: a key that a dock names', () => {
  const PREFIX = 'org/o/dock/D1/logs/u/1/';

  it('is below the folder of its attempt', () => {
    expect(isBelow(PREFIX, `${PREFIX}dock.tar`)).toBe(true);
  });

  it('is below it in a folder of its own too', () => {
    expect(isBelow(PREFIX, `${PREFIX}D1/log_1.log`)).toBe(true);
  });

  it('is below it with an empty part too, as firmware writes that adds a slash to the folder', () => {
    expect(isBelow(PREFIX, `${PREFIX}/D1/log_1.log`)).toBe(true);
  });

  it('may have dots in a name', () => {
    expect(isBelow(PREFIX, `${PREFIX}..dock...tar`)).toBe(true);
  });

  it.each([
    ['N63: of another dock', 'org/o/dock/D2/logs/u/1/dock.tar'],
    ['of another upload', 'org/o/dock/D1/logs/v/1/dock.tar'],
    ['of another attempt', 'org/o/dock/D1/logs/u/2/dock.tar'],
    ['of another attempt whose number begins alike', 'org/o/dock/D1/logs/u/10/dock.tar'],
    ['of another organisation', 'org/p/dock/D1/logs/u/1/dock.tar'],
    ['that has the folder somewhere', `elsewhere/${PREFIX}dock.tar`],
    ['that is the folder', PREFIX],
    ['that is empty', ''],
    ['that climbs out', `${PREFIX}../2/dock.tar`],
    ['that climbs out from a folder', `${PREFIX}a/../../2/dock.tar`],
    ['that ends by climbing', `${PREFIX}..`],
    ['that stands still', `${PREFIX}./dock.tar`],
    ['that ends by standing still', `${PREFIX}a/.`],
    ['that names a folder', `${PREFIX}a/`],
    ['that climbs in the manner of another system', `${PREFIX}..\\a`],
    ['that has a letter which nobody sees', `${PREFIX}a\u0000b`],
    ['that is longer than a storage takes', `${PREFIX}${'a'.repeat(900)}`],
  ])('is refused when it is one %s', (_what, key) => {
    expect(isBelow(PREFIX, key)).toBe(false);
  });
});
