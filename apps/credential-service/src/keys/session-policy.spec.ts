import { RUNS } from '@aerie/property-testing';
import fc from 'fast-check';
import { prefixOf } from './object-prefix.js';
import { ossUploadPolicy, uploadPolicy } from './session-policy.js';

const BUCKET = 'aerie';
const organisations = fc.uuid();
const serials = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const uses = fc.oneof(
  fc.constant({ kind: 'media' } as const),
  fc.record({ kind: fc.constant('logs' as const), uploadId: fc.uuid(), attempt: fc.integer({ min: 1, max: 99 }) }),
);
const prefixes = fc.tuple(organisations, serials, uses).map((parts) => prefixOf(...parts));

/** As STS reads a resource: `*` and `?` are patterns, everything else is itself. */
function allows(policy: string, key: string): boolean {
  const { Statement } = JSON.parse(policy) as { Statement: { Effect: string; Action: string[]; Resource: string[] }[] };
  return Statement.some(
    ({ Effect, Resource }) =>
      Effect === 'Allow' && Resource.some((pattern) => matches(pattern, `arn:aws:s3:::${BUCKET}/${key}`)),
  );
}

function matches(pattern: string, text: string): boolean {
  const source = [...pattern].map((char) =>
    char === '*' ? '[^]*' : char === '?' ? '[^]' : char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'),
  );
  return new RegExp(`^${source.join('')}$`).test(text);
}

/** Keys that lie beside a prefix, and try to look as if they did not. */
const strangersOf = (prefix: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    prefixes.map((other) => `${other}file`),
    fc.nat({ max: 99 }).map((digits) => `${prefix.slice(0, -1)}${digits}/file`),
    fc
      .constantFrom('', '/', '//', '%2F', '%2f..%2f', '..', '\u2215', '*', '?', '${aws:username}')
      .map((part) => `${prefix.slice(0, -1)}${part}`),
    fc.string({ unit: 'grapheme' }).map((text) => `${text}${prefix}file`),
    fc.nat({ max: prefix.length - 2 }).map((length) => prefix.slice(0, length)),
    fc.constant(prefix.toUpperCase()),
  );

describe('P11: the policy of a set of keys', () => {
  it('never allows a key outside of its prefix', () => {
    fc.assert(
      fc.property(
        prefixes.chain((prefix) => fc.tuple(fc.constant(prefix), strangersOf(prefix))),
        ([prefix, key]) => {
          expect(allows(uploadPolicy(BUCKET, prefix), key)).toBe(key.startsWith(prefix));
        },
      ),
      RUNS,
    );
  });

  it('allows everything below its prefix', () => {
    fc.assert(
      fc.property(prefixes, fc.string({ unit: 'grapheme' }), (prefix, name) => {
        expect(allows(uploadPolicy(BUCKET, prefix), prefix + name)).toBe(true);
      }),
      RUNS,
    );
  });

  it('names uploads only, for both kinds of provider, and stays below the limit of STS', () => {
    fc.assert(
      fc.property(prefixes, (prefix) => {
        for (const text of [uploadPolicy(BUCKET, prefix), ossUploadPolicy(BUCKET, prefix)]) {
          expect(text.length).toBeLessThanOrEqual(2_048);
          const { Statement } = JSON.parse(text) as { Statement: { Action: string[] }[] };
          const actions = Statement.flatMap(({ Action }) => Action);
          expect(
            actions.filter((action) => !/:(PutObject|AbortMultipartUpload|List(MultipartUpload)?Parts)$/.test(action)),
          ).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it.each(['', 'a', 'a/*', 'a/*/', 'a/${aws:username}/', '../', 'a//', '/a/', 'a/%2F/', 'a/b', 'ü/'])(
    'is not made for the prefix %j',
    (prefix) => {
      expect(() => uploadPolicy(BUCKET, prefix)).toThrow('plain parts');
    },
  );
});

describe('a prefix', () => {
  const ORGANISATION = '11111111-1111-4111-8111-111111111111';

  it.each([
    ['organisationId', () => prefixOf('..', 'D', { kind: 'media' })],
    ['dockSn', () => prefixOf(ORGANISATION, '../D', { kind: 'media' })],
    ['dockSn', () => prefixOf(ORGANISATION, 'D*', { kind: 'media' })],
    ['uploadId', () => prefixOf(ORGANISATION, 'D', { kind: 'logs', uploadId: '1/2', attempt: 1 })],
    ['attempt', () => prefixOf(ORGANISATION, 'D', { kind: 'logs', uploadId: ORGANISATION, attempt: 0 })],
  ])('is not made of a wrong %s', (field, make) => {
    expect(make).toThrow(expect.objectContaining({ fields: [expect.objectContaining({ field })] }) as Error);
  });

  it('does not depend on a mission, because docks keep it until they are rebooted (D7)', () => {
    expect(prefixOf(ORGANISATION, 'D-1', { kind: 'media' })).toBe(`org/${ORGANISATION}/dock/D-1/media/`);
  });
});
