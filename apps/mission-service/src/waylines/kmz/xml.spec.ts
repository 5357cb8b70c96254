import { NAMESPACES, aKmz, aPoint, aFolder, aConfig, aWaylines, lineOf } from './kmz.fixture.js';
import { problemsOf } from './refusal.fixture.js';

const problemsOfXml = async (waylines: string | Buffer) =>
  problemsOf(await aKmz({ more: { 'wpmz/waylines.wpml': waylines }, waylines: null }));

const afterDeclaration = (xml: string, insert: string): string => xml.replace('?>\n', `?>\n${insert}\n`);

describe('the XML of a route file', () => {
  it('refuses what is no XML, with its line', async () => {
    const xml = aWaylines().replace('<wpml:index>1</wpml:index>', '<wpml:index>1</wpml:indx>');
    expect(await problemsOfXml(xml)).toMatchObject([
      {
        field: `wpmz/waylines.wpml:${lineOf(xml, '</wpml:indx>')} <Placemark>`,
        message: expect.stringContaining('is no well-formed XML'),
      },
    ]);
  });

  it('reports broken XML in both files', async () => {
    const problems = await problemsOf(await aKmz({ template: '<kml', waylines: 'no xml' }));
    expect(problems.map(({ field }) => field)).toEqual(['wpmz/template.kml:1 <kml>', 'wpmz/waylines.wpml:1 <kml>']);
  });

  it.each([
    ['a document type', '<!DOCTYPE kml>'],
    ['an external document type', '<!DOCTYPE kml SYSTEM "http://127.0.0.1/evil.dtd">'],
    ['an external entity', '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
    ['a billion laughs', '<!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'],
  ])('refuses %s', async (_what, doctype) => {
    expect(await problemsOfXml(afterDeclaration(aWaylines(), doctype))).toEqual([
      { field: 'wpmz/waylines.wpml:2 <kml>', message: 'has a document type (DTD), which no route file needs' },
    ]);
  });

  it('refuses an entity that is not predefined', async () => {
    expect(await problemsOfXml(aWaylines().replace('safely', '&file;'))).toMatchObject([
      { message: expect.stringContaining('undefined entity') },
    ]);
  });

  it('fetches nothing for XInclude, and refuses the file for what is missing', async () => {
    const include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>';
    const problems = await problemsOfXml(aWaylines(aConfig(), [include]));
    expect(problems).toMatchObject([{ message: 'is missing: the file has no route' }]);
  });

  it('refuses a depth of a million elements at once', async () => {
    const xml = `<kml ${NAMESPACES}>${'<a>'.repeat(1_000_000)}`;
    expect(await problemsOfXml(xml)).toMatchObject([{ message: 'is nested deeper than 64 elements' }]);
  });

  it('refuses a text of over a kilobyte', async () => {
    const xml = aWaylines().replace('safely', 'a'.repeat(2_000));
    expect(await problemsOfXml(xml)).toMatchObject([
      { field: expect.stringContaining('<wpml:flyToWaylineMode>'), message: 'has a text of over 1024 characters' },
    ]);
  });

  it('refuses very many attributes', async () => {
    const attributes = Array.from({ length: 1_000 }, (_, i) => `a${i}=""`).join(' ');
    expect(await problemsOfXml(aWaylines().replace('<Folder>', `<Folder ${attributes}>`))).toMatchObject([
      { message: 'has more than 64 attributes' },
    ]);
  });

  it.each([
    ['another encoding that it declares', Buffer.from(aWaylines().replace('UTF-8', 'ISO-8859-1'))],
    ['UTF-16', Buffer.from(`\ufeff${aWaylines()}`, 'utf16le')],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from(aWaylines()), Buffer.from([0xff])])],
  ])('refuses %s', async (_what, bytes) => {
    expect(await problemsOfXml(bytes)).toMatchObject([{ message: expect.stringContaining('UTF-8') }]);
  });

  it('accepts a byte order mark', async () => {
    expect(await problemsOfXml(`\ufeff${aWaylines()}`)).toEqual([]);
  });

  it('refuses another root', async () => {
    expect(await problemsOfXml(aWaylines().replaceAll('kml', 'gpx'))).toMatchObject([
      { message: 'the root must be <kml>, not <gpx>' },
    ]);
  });

  it('refuses plain KML, which has no WPML namespace', async () => {
    expect(await problemsOfXml(aWaylines().replace('/wpmz/1.0.6', ''))).toMatchObject([
      { message: expect.stringContaining('declares no WPML namespace') },
    ]);
  });

  it.each(['http://www.dji.com/wpmz/1.0.2', 'http://www.uav.com/wpmz/1.0.2', 'https://www.dji.com/wpmz/1.1/'])(
    'accepts the namespace %s',
    async (uri) => {
      expect(await problemsOfXml(aWaylines().replace('http://www.dji.com/wpmz/1.0.6', uri))).toEqual([]);
    },
  );

  it('passes over elements that it does not know', async () => {
    const more = '<wpml:newThing><wpml:index>not an index</wpml:index></wpml:newThing>';
    const points = [aPoint(0, { more }), aPoint(1)];
    expect(await problemsOfXml(aWaylines(aConfig(), [aFolder({ points, more })]))).toEqual([]);
  });

  it('refuses a value that stands twice, because another reader could take the other one', async () => {
    const points = [aPoint(0, { more: '<wpml:executeHeight>500</wpml:executeHeight>' }), aPoint(1)];
    expect(await problemsOfXml(aWaylines(aConfig(), [aFolder({ points })]))).toMatchObject([
      { field: expect.stringContaining('<wpml:executeHeight>'), message: 'occurs twice in <Placemark>' },
    ]);
  });

  it('refuses a million waypoints, with little work', async () => {
    // Some noise, or the archive would be refused for its ratio.
    const points = Array.from(
      { length: 1_000_000 },
      (_, i) => `<Placemark id="${((i * 7919) % 99_991).toString(36)}"/>`,
    );
    const kmz = await aKmz({ template: aWaylines(aConfig(), [aFolder({ points })]) });
    const before = process.cpuUsage();
    expect(await problemsOf(kmz)).toMatchObject([{ message: 'the file has more than 50000 waypoints' }]);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(3_000);
  });

  it('counts the waypoints of all routes together', async () => {
    const points = Array.from({ length: 26_000 }, (_, i) =>
      aPoint(i, { coordinates: `8.${i},47.${(i * 7919) % 99_991}` }),
    );
    const folders = ['0', '1'].map((waylineId) => aFolder({ waylineId, points }));
    expect(await problemsOfXml(aWaylines(aConfig(), folders))).toMatchObject([
      { message: 'the file has more than 50000 waypoints' },
    ]);
  }, 30_000);
});
