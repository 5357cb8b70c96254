import { ZipFile } from 'yazl';
import { parseWaylines, readRoute } from './route.js';
import { makeSampleKmz } from './sample-kmz.js';

const origin = { originLatitude: 47.3977, originLongitude: 8.5456 };

async function zipOf(name: string, text: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(text), name);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const point = (index: number, coordinates: string): string =>
  `<Placemark><Point><coordinates>${coordinates}</coordinates></Point><wpml:index>${index}</wpml:index>` +
  `<wpml:executeHeight>50</wpml:executeHeight></Placemark>`;

const kml = (body: string): string =>
  `<kml xmlns:wpml="http://www.uav.com/wpmz/1.0.2"><Document><Folder><wpml:waylineId>3</wpml:waylineId>` +
  `<wpml:autoFlightSpeed>7</wpml:autoFlightSpeed>${body}</Folder></Document></kml>`;

describe('the sample route', () => {
  it('has the same bytes for the same options', async () => {
    expect((await makeSampleKmz(origin)).equals(await makeSampleKmz(origin))).toBe(true);
    expect((await makeSampleKmz(origin)).equals(await makeSampleKmz({ ...origin, waypoints: 5 }))).toBe(false);
  });

  it('is read back as it was made', async () => {
    const route = await readRoute(await makeSampleKmz({ ...origin, waypoints: 3, heightMeters: 70 }));
    expect(route).toMatchObject({
      takeOffSecurityHeightMeters: 70,
      transitSpeedMetersPerSecond: 10,
      heightMode: 'relativeToStartPoint',
    });
    expect(route.waypoints.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(route.waypoints[0]).toMatchObject({ waylineId: 0, heightMeters: 70, speedMetersPerSecond: 8, photos: 1 });
    expect(Math.abs((route.waypoints[0]?.latitude ?? 0) - origin.originLatitude)).toBeLessThan(0.01);
  });

  it('refuses to be shorter than a route can be', async () => {
    await expect(makeSampleKmz({ ...origin, waypoints: 1 })).rejects.toThrow('2 to 1000');
  });
});

describe('reading a route', () => {
  it('takes longitude first, a third number, another namespace and the speed of the wayline', () => {
    const { waypoints } = parseWaylines(kml(point(0, '\n 8.5,47.4 \n') + point(1, '8.6,47.5,100')));
    expect(waypoints).toMatchObject([
      { waylineId: 3, longitude: 8.5, latitude: 47.4, speedMetersPerSecond: 7 },
      { waylineId: 3, longitude: 8.6, latitude: 47.5 },
    ]);
  });

  it.each([
    ['one waypoint', kml(point(0, '8,47'))],
    ['coordinates the wrong way round', kml(point(0, '8,147') + point(1, '8,47'))],
    ['a hole in the numbers', kml(point(0, '8,47') + point(2, '8,47'))],
    ['no wayline', '<kml><Document></Document></kml>'],
    ['broken XML', '<kml><Document>'],
    ['a document type', '<!DOCTYPE kml [<!ENTITY a "b">]><kml></kml>'],
  ])('refuses %s', (_what, xml) => {
    expect(() => parseWaylines(xml)).toThrow(expect.objectContaining({ code: 314016 }) as Error);
  });

  it.each([
    ['bytes that are no archive', Buffer.from('not a zip')],
    ['an archive without the route', undefined],
  ])('refuses %s', async (_what, bytes) => {
    const kmz = bytes ?? (await zipOf('wpmz/template.kml', '<kml/>'));
    await expect(readRoute(kmz)).rejects.toMatchObject({ code: 314003 });
  });
});
