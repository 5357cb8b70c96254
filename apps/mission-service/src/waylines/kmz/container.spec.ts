import { randomBytes } from 'node:crypto';
import { aKmz, aTemplate, aWaylines, patched, withHeaders, zipOf } from './kmz.fixture.js';
import { problemsOf } from './refusal.fixture.js';

const RESOURCE = 'wpmz/res/image/0.jpg';

describe('the container of a route file', () => {
  it('refuses a text file with a message that names the file', async () => {
    expect(await problemsOf(Buffer.from('waypoint 1: 47.3, 8.5\nwaypoint 2: 47.4, 8.6\n'))).toEqual([
      { field: 'file', message: 'is no KMZ: a KMZ is a ZIP archive and begins with the bytes `PK`' },
    ]);
  });

  it('refuses an empty file', async () => {
    expect(await problemsOf(Buffer.alloc(0))).toMatchObject([{ field: 'file' }]);
  });

  it('refuses a file of over 10 MiB before looking into it', async () => {
    expect(await problemsOf(Buffer.alloc(10 * 1024 * 1024 + 1))).toEqual([
      { field: 'file', message: 'has 10485761 bytes; a route file may have 10485760' },
    ]);
  });

  it('refuses an archive that was cut off', async () => {
    const kmz = await aKmz();
    expect(await problemsOf(kmz.subarray(0, kmz.length - 30))).toMatchObject([
      { field: 'file', message: 'is no complete ZIP archive: its end is missing' },
    ]);
  });

  it('refuses data behind the archive', async () => {
    expect(await problemsOf(Buffer.concat([await aKmz(), Buffer.from('more')]))).toMatchObject([
      { message: 'is no complete ZIP archive: other data follows its end' },
    ]);
  });

  it('refuses a file that is a PDF and an archive at once', async () => {
    expect(await problemsOf(Buffer.concat([Buffer.from('%PDF-1.7\n'), await aKmz()]))).toMatchObject([
      { field: 'file' },
    ]);
  });

  it('refuses another archive in front of the real one', async () => {
    const kmz = await aKmz();
    const front = await zipOf({ 'wpmz/res/a': 'a' });
    expect(await problemsOf(Buffer.concat([front, kmz]))).toMatchObject([{ field: 'file' }]);
  });

  it.each(['wpmz/template.kml', 'wpmz/waylines.wpml'])('refuses an archive without %s', async (name) => {
    const kmz = await aKmz(name.endsWith('kml') ? { template: null } : { waylines: null });
    expect(await problemsOf(kmz)).toEqual([{ field: name, message: 'is missing in the archive' }]);
  });

  it('refuses the right names in other cases, and says how to spell them', async () => {
    const kmz = patched(await aKmz(), 'wpmz/waylines.wpml', 'wpmz/Waylines.wpml');
    expect(await problemsOf(kmz)).toEqual([
      { field: 'entry "wpmz/Waylines.wpml"', message: 'must be spelled wpmz/waylines.wpml: names are case-sensitive' },
    ]);
  });

  it.each([
    ['a path that climbs', '../../../../../etc/x', 'has a path that climbs or loops'],
    ['a path that climbs from inside', 'wpmz/res/../../etc/x', 'has a path that climbs or loops'],
    ['an absolute path', '/etc/passwd-123456789', 'has an absolute path'],
    ['a drive letter', 'C:/Windows/system32/x', 'has an absolute path'],
    ['a backslash', 'wpmz\\res\\image\\0.jpg', 'has a backslash in its name'],
    ['a NUL byte', 'wpmz/res/image/0\0jpg', 'has a control character in its name'],
    ['a device', 'wpmz/res/image/nul.x', 'has a name that is no file name'],
    ['another place', 'wpmz/other/image.jpg', 'does not belong into a route file'],
  ])('refuses an entry whose name has %s', async (_what, name, message) => {
    const placeholder = `wpmz/res/${'x'.repeat(Buffer.byteLength(name) - 9)}`;
    const kmz = patched(await aKmz({ more: { [placeholder]: 'x' } }), placeholder, name);
    expect(await problemsOf(kmz)).toMatchObject([
      { field: `entry ${JSON.stringify(name)}`, message: expect.stringContaining(message) },
    ]);
  });

  it('refuses a name that is not UTF-8', async () => {
    const kmz = patched(
      await aKmz({ more: { 'wpmz/res/xx': 'x' } }),
      'wpmz/res/xx',
      Buffer.from('wpmz/res/\xff\xfe', 'latin1'),
    );
    expect(await problemsOf(kmz)).toMatchObject([{ message: 'has a name that is not UTF-8' }]);
  });

  it('reports several bad names at once, and twenty at most', async () => {
    const more = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`other/${i}`, 'x']));
    expect(await problemsOf(await aKmz({ more }))).toHaveLength(20);
  });

  it('refuses two entries of one name', async () => {
    const kmz = patched(await aKmz({ more: { 'wpmz/res/a': '1', 'wpmz/res/b': '2' } }), 'wpmz/res/b', 'wpmz/res/a');
    expect(await problemsOf(kmz)).toMatchObject([{ field: 'wpmz/res/a' }]);
  });

  it('refuses two names that differ only by case', async () => {
    const kmz = await aKmz({ more: { 'wpmz/res/a': '1', 'wpmz/res/A': '2' } });
    expect(await problemsOf(kmz)).toEqual([
      { field: 'wpmz/res/A', message: 'the archive has this name twice, also as "wpmz/res/a"' },
    ]);
  });

  it('refuses a symbolic link', async () => {
    const kmz = withHeaders(await aKmz({ more: { [RESOURCE]: '/etc/passwd' } }), RESOURCE, (header, kind) => {
      if (kind === 'central') header.writeUInt32LE(0o120777 * 65536, 38);
    });
    expect(await problemsOf(kmz)).toEqual([{ field: RESOURCE, message: 'is a symbolic link' }]);
  });

  it('refuses an encrypted entry', async () => {
    const kmz = withHeaders(await aKmz(), 'wpmz/waylines.wpml', (header, kind) => {
      const at = kind === 'local' ? 6 : 8;
      header.writeUInt16LE(header.readUInt16LE(at) | 1, at);
    });
    expect(await problemsOf(kmz)).toEqual([{ field: 'wpmz/waylines.wpml', message: 'is encrypted' }]);
  });

  it('refuses other compression methods', async () => {
    const kmz = withHeaders(await aKmz(), 'wpmz/waylines.wpml', (header, kind) => {
      header.writeUInt16LE(12, kind === 'local' ? 8 : 10);
    });
    expect(await problemsOf(kmz)).toMatchObject([{ message: 'is compressed by method 12; only deflate is read' }]);
  });

  it.each([
    ['a ZIP', () => zipOf({ x: 'x' })],
    ['a gzip', () => Promise.resolve(Buffer.from('1f8b08000000', 'hex'))],
  ])('refuses %s inside, whatever its name says', async (_what, make) => {
    expect(await problemsOf(await aKmz({ more: { [RESOURCE]: await make() } }))).toEqual([
      { field: RESOURCE, message: 'is an archive inside the archive' },
    ]);
  });

  it('refuses an archive inside by its name', async () => {
    expect(await problemsOf(await aKmz({ more: { 'wpmz/res/route.kmz': 'x' } }))).toMatchObject([
      { message: 'is an archive inside the archive' },
    ]);
  });

  it('refuses 70,000 entries by their number alone', async () => {
    const kmz = Buffer.from(await aKmz());
    kmz.writeUInt16LE(70_000 & 0xffff, kmz.length - 14);
    kmz.writeUInt16LE(70_000 & 0xffff, kmz.length - 12);
    expect(await problemsOf(kmz)).toEqual([{ field: 'file', message: 'has 4464 entries; a route file may have 200' }]);
  });

  it('refuses 201 real entries', async () => {
    const more = Object.fromEntries(Array.from({ length: 199 }, (_, i) => [`wpmz/res/${i}`, 'x']));
    expect(await problemsOf(await aKmz({ more }))).toMatchObject([
      { message: expect.stringContaining('has 201 entries') },
    ]);
  });

  it('refuses a zip bomb after a part of it', async () => {
    const bomb = Buffer.alloc(60 * 1024 * 1024);
    const problems = await problemsOf(await aKmz({ more: { [RESOURCE]: bomb } }));
    // Read to its end it would be a file of 60 MiB that inflates to a thousand times its size.
    expect(problems).toEqual([{ field: RESOURCE, message: 'inflates to more than 100 times its size' }]);
  });

  it('refuses an archive that inflates to over 64 MiB in all', async () => {
    // Each has its own noise, so that no single one looks like a bomb.
    const noisy = (): Buffer => Buffer.concat([Buffer.alloc(12 * 1024 * 1024, 'x'), randomBytes(256 * 1024)]);
    const more = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`wpmz/res/${i}.tif`, noisy()]));
    expect(await problemsOf(await aKmz({ more }))).toMatchObject([
      { field: 'wpmz/res/5.tif', message: expect.stringContaining('more than 67108864 bytes') },
    ]);
  });

  it('stops when more comes out than the header says', async () => {
    const kmz = withHeaders(await aKmz({ more: { [RESOURCE]: 'x'.repeat(5_000) } }), RESOURCE, (header, kind) => {
      header.writeUInt32LE(10, kind === 'local' ? 22 : 24);
    });
    expect(await problemsOf(kmz)).toEqual([{ field: RESOURCE, message: 'is larger than the archive says' }]);
  });

  it('refuses an entry from which less comes out than the header says', async () => {
    const kmz = withHeaders(await aKmz({ more: { [RESOURCE]: 'x'.repeat(5_000) } }), RESOURCE, (header, kind) => {
      header.writeUInt32LE(6_000, kind === 'local' ? 22 : 24);
    });
    expect(await problemsOf(kmz)).toEqual([{ field: RESOURCE, message: 'is smaller than the archive says' }]);
  });

  it('refuses local and central headers that do not agree', async () => {
    const kmz = withHeaders(await aKmz({ more: { [RESOURCE]: 'x' } }), RESOURCE, (header, kind) => {
      if (kind === 'local') header.writeUInt32LE(77, 22);
    });
    expect(await problemsOf(kmz)).toMatchObject([
      { field: RESOURCE, message: expect.stringContaining('do not agree') },
    ]);
  });

  it('refuses a damaged entry by its checksum', async () => {
    const kmz = patched(await aKmz({ compress: false }), '<wpml:index>1<', '<wpml:index>7<');
    expect(await problemsOf(kmz)).toContainEqual({
      field: 'wpmz/waylines.wpml',
      message: 'is damaged: its checksum is wrong',
    });
  });

  it('refuses entries that overlap', async () => {
    const kmz = await aKmz({ more: { 'wpmz/res/a': 'same', 'wpmz/res/b': 'same' }, compress: false });
    let first = 0;
    const overlapping = withHeaders(kmz, 'wpmz/res/a', (header, kind) => {
      if (kind === 'central') first = header.readUInt32LE(42);
    });
    const both = withHeaders(overlapping, 'wpmz/res/b', (header, kind) => {
      if (kind === 'central') header.writeUInt32LE(first, 42);
    });
    expect(await problemsOf(both)).toMatchObject([{ message: expect.stringContaining('do not agree') }]);
  });

  it('refuses an entry that lies inside the data of another', async () => {
    const inner = await zipOf({ 'wpmz/res/b': 'inner' }, false);
    const kmz = await aKmz({
      more: { 'wpmz/res/a.tif': Buffer.concat([Buffer.from('noise'), inner]), 'wpmz/res/b': 'inner' },
      compress: false,
    });
    const at = kmz.indexOf('noise') + 5;
    const nested = withHeaders(kmz, 'wpmz/res/b', (header, kind) => {
      // The inner archive's own directory entry is changed as well, to no effect.
      if (kind === 'central') header.writeUInt32LE(at, 42);
    });
    expect(await problemsOf(nested)).toMatchObject([
      { field: 'wpmz/res/b', message: 'overlaps another entry of the archive' },
    ]);
  });

  it('refuses ZIP64 sizes', async () => {
    const zip64 = Buffer.concat([await aKmz()]);
    const end = zip64.length - 22;
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    const kmz = Buffer.concat([zip64.subarray(0, end), locator, zip64.subarray(end)]);
    expect(await problemsOf(kmz)).toEqual([
      { field: 'file', message: expect.stringMatching(/^is a ZIP64 archive.*; write it again to a file/) },
    ]);
  });

  it('says what to do about an archive that was forced to ZIP64, whatever program wrote it', async () => {
    const files = { 'wpmz/template.kml': aTemplate(), 'wpmz/waylines.wpml': aWaylines() };
    const [first] = await problemsOf(await zipOf(files, true, true));
    expect(first?.message).toContain('zip -fz- -r route.kmz wpmz');
    // Its directory is that of a plain archive, and only the header before an entry has ZIP64 sizes.
    const halfway = withHeaders(await aKmz(), 'wpmz/template.kml', (header, kind) => {
      if (kind === 'local') header.writeUInt32LE(0xffffffff, 18);
      if (kind === 'local') header.writeUInt16LE(header.readUInt16LE(6) & ~8, 6);
    });
    const [entry] = await problemsOf(halfway);
    expect(entry?.message).toContain('zip -fz- -r route.kmz wpmz');
  });

  it('accepts stored entries, directories, a comment and files under res', async () => {
    const plain = await aKmz({ compress: false, waylines: aWaylines(), more: { [RESOURCE]: randomBytes(2_000_000) } });
    const comment = Buffer.from('made by hand');
    const kmz = Buffer.concat([plain, comment]);
    kmz.writeUInt16LE(comment.length, plain.length - 2);
    expect(await problemsOf(kmz)).toEqual([]);
  });
});
