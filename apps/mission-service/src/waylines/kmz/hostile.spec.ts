import fc from 'fast-check';
import { aKmz, aWaylines } from './kmz.fixture.js';
import { problemsOf } from './refusal.fixture.js';

// problemsOf lets every error pass that is no InvalidError, so a rejection is a failure.
describe('reading hostile bytes', () => {
  it('ends with a route or an InvalidError, whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, zipLike) => {
        await problemsOf(Buffer.concat([Buffer.from(zipLike ? 'PK\x03\x04' : ''), bytes]));
      }),
      { numRuns: 300 },
    );
  });

  it('ends with a route or an InvalidError for any change of a good file', async () => {
    const good = await aKmz({ more: { 'wpmz/res/a.jpg': 'picture' } });
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const bytes = Buffer.from(good);
        for (const { at, byte } of changes) bytes[at] = byte;
        await problemsOf(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  it('ends with a route or an InvalidError for any change of its headers', async () => {
    const good = await aKmz({ more: { 'wpmz/res/a.jpg': 'picture' } });
    const directory = good.indexOf('PK\x01\x02', 0, 'latin1');
    const at = fc.integer({ min: directory, max: good.length - 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at, byte: fc.nat(255) }), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = Buffer.from(good);
          for (const change of changes) bytes[change.at] = change.byte;
          await problemsOf(bytes);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('ends with a route or an InvalidError for any change of its XML', async () => {
    const good = aWaylines();
    const piece = fc.constantFrom(
      '<',
      '>',
      '&',
      '</Folder>',
      '<Document>',
      '<Placemark>',
      '-',
      '1e5',
      ',',
      '"',
      '\u0000',
      '😀',
    );
    const edit = fc.record({ at: fc.nat(good.length), length: fc.nat(30), piece });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        const waylines = edits.reduce(
          (xml, { at, length, piece }) => xml.slice(0, at) + piece + xml.slice(at + length),
          good,
        );
        await problemsOf(await aKmz({ waylines }));
      }),
      { numRuns: 500 },
    );
  });
});
