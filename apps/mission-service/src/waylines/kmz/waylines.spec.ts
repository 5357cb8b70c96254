import type { FieldProblem } from '@aerie/kernel';
import {
  type ConfigParts,
  type FolderParts,
  type PointParts,
  aConfig,
  aFolder,
  aKmz,
  aPoint,
  aTemplate,
  aWaylines,
  lineOf,
} from './kmz.fixture.js';
import { readKmz } from './read-kmz.js';
import { problemsOf } from './refusal.fixture.js';

const problemsOfWaylines = async (waylines: string): Promise<readonly FieldProblem[]> =>
  problemsOf(await aKmz({ waylines }));
const problemsOfConfig = (parts: ConfigParts) => problemsOfWaylines(aWaylines(aConfig(parts)));
const problemsOfFolder = (parts: FolderParts) => problemsOfWaylines(aWaylines(aConfig(), [aFolder(parts)]));
const problemsOfPoint = (parts: PointParts) => problemsOfFolder({ points: [aPoint(0), aPoint(1, parts)] });
const warningsOf = async (waylines: string, template = aTemplate()) =>
  (await readKmz(await aKmz({ waylines, template }))).warnings;

describe('a route file that is accepted', () => {
  it('is read with its config, routes and sums', async () => {
    const wayline = await readKmz(await aKmz());
    expect(wayline.missionConfig).toEqual({
      flyToWaylineMode: 'safely',
      finishAction: 'goHome',
      exitOnRcLost: 'executeLostAction',
      executeRcLostAction: 'goBack',
      takeOffSecurityHeightMeters: 20,
      globalTransitionalSpeedMetersPerSecond: 10,
      globalRthHeightMeters: 100,
      droneModelKey: '0-91-1',
      namesDroneSubType: true,
      payloadModelKeys: ['1-81-0'],
    });
    expect(wayline.templateType).toBe('waypoint');
    expect(wayline.warnings).toEqual([]);
    expect(wayline.routes).toMatchObject([
      { waylineId: 0, templateId: 0, executeHeightMode: 'relativeToStartPoint', lowestMeters: 80, highestMeters: 80 },
    ]);
    expect(wayline.routes[0]?.waypoints[1]).toEqual({
      index: 1,
      longitude: 8.5,
      latitude: 47.301,
      heightMeters: 80,
      speedMetersPerSecond: 5,
      turnMode: 'toPointAndStopWithDiscontinuityCurvature',
    });
    expect(wayline.summary).toMatchObject({ routeCount: 1, waypointCount: 3 });
  });

  it('has a distance along the ground and through the air', async () => {
    const points = [aPoint(0, { coordinates: '8,47' }), aPoint(1, { coordinates: '8,48', height: '180' })];
    const { summary } = await readKmz(await aKmz({ waylines: aWaylines(aConfig(), [aFolder({ points })]) }));
    // One degree of latitude.
    expect(summary.distanceMeters).toBeGreaterThan(111_190);
    expect(summary.distanceMeters).toBeLessThan(111_200);
    expect(summary.plannedDurationSeconds).toBeCloseTo(summary.distanceMeters / 5, 6);
  });

  it('takes the speed of the route where a waypoint has none of its own', async () => {
    const slow = aPoint(0).replace(/<wpml:waypointSpeed>.*\n/, '');
    const globally = aPoint(1, { speed: '12', more: '<wpml:useGlobalSpeed>1</wpml:useGlobalSpeed>' });
    const waylines = aWaylines(aConfig(), [aFolder({ speed: '3', points: [slow, globally] })]);
    const { routes } = await readKmz(await aKmz({ waylines }));
    expect(routes[0]?.waypoints.map(({ speedMetersPerSecond }) => speedMetersPerSecond)).toEqual([3, 3]);
  });

  it('counts hovering and the way from route to route into its duration', async () => {
    const hover = `<wpml:actionGroup><wpml:actionGroupId>0</wpml:actionGroupId>
<wpml:actionGroupStartIndex>0</wpml:actionGroupStartIndex><wpml:actionGroupEndIndex>0</wpml:actionGroupEndIndex>
<wpml:action><wpml:actionId>0</wpml:actionId><wpml:actionActuatorFunc>hover</wpml:actionActuatorFunc>
<wpml:actionActuatorFuncParam><wpml:hoverTime>30</wpml:hoverTime></wpml:actionActuatorFuncParam></wpml:action>
</wpml:actionGroup>`;
    const folders = [
      aFolder({ points: [aPoint(0, { more: hover }), aPoint(1)] }),
      aFolder({ waylineId: '1', points: [aPoint(0), aPoint(1)] }),
    ];
    const { summary, routes } = await readKmz(await aKmz({ waylines: aWaylines(aConfig(), folders) }));
    const [first, second] = routes;
    const leg = first?.distanceMeters ?? 0;
    expect(first).toMatchObject({ actionCount: 1, durationSeconds: leg / 5 + 30 });
    expect(summary.distanceMeters).toBeCloseTo(leg * 3, 6);
    expect(summary.plannedDurationSeconds).toBeCloseTo(leg / 5 + 30 + leg / 10 + (second?.durationSeconds ?? 0), 6);
  });

  describe('has the longer of the computed duration and that of the file', () => {
    const FILE_SAYS = (duration: string) => aFolder({ more: `<wpml:duration>${duration}</wpml:duration>\n` });
    const read = async (folder: string) => readKmz(await aKmz({ waylines: aWaylines(aConfig(), [folder]) }));

    it('where the file says more', async () => {
      const { routes, summary, warnings } = await read(FILE_SAYS('301.5'));
      expect(routes[0]?.durationSeconds).toBe(301.5);
      expect(summary.plannedDurationSeconds).toBe(301.5);
      expect(warnings).toEqual([]);
    });

    it.each(['0', '12', '0.0000000001'])('where the file says %s', async (duration) => {
      const computed = (await read(aFolder())).summary.plannedDurationSeconds;
      expect(computed).toBeGreaterThan(12);
      const { summary, warnings } = await read(FILE_SAYS(duration));
      expect(summary.plannedDurationSeconds).toBe(computed);
      expect(warnings).toEqual([]);
    });

    it.each(['86401', '-5', 'NaN', '1e9', 'ten minutes', '9'.repeat(400)])(
      'where the file says %s, with a warning',
      async (duration) => {
        const computed = (await read(aFolder())).summary.plannedDurationSeconds;
        const { summary, warnings } = await read(FILE_SAYS(duration));
        expect(summary.plannedDurationSeconds).toBe(computed);
        expect(warnings).toMatchObject([{ element: 'wpml:duration' }]);
      },
    );

    it('for each route by itself', async () => {
      const slow = aFolder({ more: '<wpml:duration>1000</wpml:duration>\n' });
      const other = aFolder({ waylineId: '1', more: '<wpml:duration>1</wpml:duration>\n' });
      const { routes, summary } = await readKmz(await aKmz({ waylines: aWaylines(aConfig(), [slow, other]) }));
      expect(routes[0]?.durationSeconds).toBe(1000);
      expect(summary.plannedDurationSeconds).toBeGreaterThan(1000 + (routes[1]?.durationSeconds ?? Infinity));
    });
  });

  it('is flown in the order of its indices, wherever they stand in the file', async () => {
    const waylines = aWaylines(aConfig(), [aFolder({ points: [aPoint(2), aPoint(0), aPoint(1)] })]);
    const { routes } = await readKmz(await aKmz({ waylines }));
    expect(routes[0]?.waypoints.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('may have white space and a third number in its coordinates', async () => {
    expect(await problemsOfPoint({ coordinates: '\n  8.5 , 47.31 , 0\n ' })).toEqual([]);
  });
});

describe('a route file that is refused', () => {
  it('names file, line and element of swapped coordinates', async () => {
    const points = [aPoint(0), aPoint(1, { coordinates: '39.9,116.3' })];
    const waylines = aWaylines(aConfig(), [aFolder({ points })]);
    expect(await problemsOfWaylines(waylines)).toEqual([
      {
        field: `wpmz/waylines.wpml:${lineOf(waylines, '39.9,116.3')} <coordinates>`,
        message: 'latitude 116.3 is outside -90 to 90; the two look swapped, write longitude,latitude',
      },
    ]);
  });

  it.each([
    ['a latitude out of the world', '8,-200', 'latitude -200 is outside -90 to 90'],
    ['a longitude out of the world', '181,47', 'longitude 181 is outside -180 to 180'],
    ['NaN', 'NaN,47', '"NaN" is not a number'],
    ['infinity', '8,Infinity', '"Infinity" is not a number'],
    ['a number too large to be finite', '1e999,47', '"1e999" is not a number'],
    ['a hexadecimal number', '0x10,47', '"0x10" is not a number'],
    ['one number', '8.5', 'must be `longitude,latitude`'],
    ['four numbers', '8,47,0,0', 'must be `longitude,latitude`'],
    ['nothing', '', 'is missing in <Placemark>'],
  ])('has coordinates with %s', async (_what, coordinates, message) => {
    expect(await problemsOfPoint({ coordinates })).toMatchObject([{ message }]);
  });

  it.each([
    ['too low', '-5000'],
    ['too high', '1000000000'],
    ['too high above take-off', '1501'],
  ])('has a height that is %s', async (_what, height) => {
    expect(await problemsOfPoint({ height })).toMatchObject([
      { field: expect.stringContaining('<wpml:executeHeight>'), message: expect.stringContaining('is outside') },
    ]);
  });

  it.each(['0', '-3', '15.1', 'fast'])('has a waypoint speed of %s', async (speed) => {
    expect(await problemsOfPoint({ speed })).toMatchObject([
      { field: expect.stringContaining('<wpml:waypointSpeed>') },
    ]);
  });

  it.each([
    ['0, 2', ['0', '2'], 'is 2, but 2 waypoints must be numbered 0 to 1'],
    ['1, 2', ['1', '2'], 'is 2, but 2 waypoints must be numbered 0 to 1'],
    ['0, 0', ['0', '0'], '0 occurs twice in this route'],
    ['0, 1.5', ['0', '1.5'], '"1.5" is not a whole number'],
    ['0, -1', ['0', '-1'], '-1 is outside 0 to 65534'],
  ])('numbers its waypoints %s', async (_what, [first = '', second = ''], message) => {
    const points = [aPoint(0, { index: first }), aPoint(1, { index: second })];
    expect(await problemsOfFolder({ points })).toMatchObject([
      { field: expect.stringContaining('<wpml:index>'), message },
    ]);
  });

  it('has one waypoint', async () => {
    expect(await problemsOfFolder({ points: [aPoint(0)] })).toMatchObject([
      { field: expect.stringContaining('<Folder>'), message: 'has 1 waypoints; a route needs two' },
    ]);
  });

  it('has no route', async () => {
    expect(await problemsOfWaylines(aWaylines(aConfig(), []))).toMatchObject([
      { field: expect.stringContaining('<Folder>'), message: 'is missing: the file has no route' },
    ]);
  });

  it.each([
    ['two routes of one id', ['3', '3'], '3 is the id of another route of this file, too'],
    ['an id beyond 65535', ['0', '65536'], '65536 is outside 0 to 65535'],
  ])('has %s', async (_what, ids, message) => {
    const folders = ids.map((waylineId) => aFolder({ waylineId }));
    expect(await problemsOfWaylines(aWaylines(aConfig(), folders))).toMatchObject([
      { field: expect.stringContaining('<wpml:waylineId>'), message },
    ]);
  });

  it('has a height mode that nobody knows', async () => {
    expect(await problemsOfFolder({ heightMode: 'aboveTheSea' })).toMatchObject([
      { field: expect.stringContaining('<wpml:executeHeightMode>'), message: expect.stringContaining('"aboveTheSea"') },
    ]);
  });

  it.each<[string, ConfigParts]>([
    ['flyToWaylineMode', { flyToWaylineMode: 'quickly' }],
    ['finishAction', { finishAction: 'land' }],
    ['exitOnRCLost', { exitOnRCLost: 'maybe' }],
    ['executeRCLostAction', { executeRCLostAction: 'fly' }],
    ['executeRCLostAction', { executeRCLostAction: '' }],
    ['takeOffSecurityHeight', { takeOffSecurityHeight: '7.9' }],
    ['takeOffSecurityHeight', { takeOffSecurityHeight: '1501' }],
    ['globalTransitionalSpeed', { globalTransitionalSpeed: '16' }],
    ['globalRTHHeight', { globalRTHHeight: '1' }],
    ['finishAction', { finishAction: '' }],
  ])('has a config whose %s cannot be used: %j', async (element, parts) => {
    expect(await problemsOfConfig(parts)).toMatchObject([{ field: expect.stringContaining(`<wpml:${element}>`) }]);
  });

  it('has no config', async () => {
    expect(await problemsOfWaylines(aWaylines(''))).toMatchObject([
      { field: expect.stringContaining('<wpml:missionConfig>'), message: 'is missing in <Document>' },
    ]);
  });

  it('has the reserved action id', async () => {
    const more = '<wpml:actionGroup><wpml:action><wpml:actionId>65535</wpml:actionId></wpml:action></wpml:actionGroup>';
    expect(await problemsOfPoint({ more })).toMatchObject([{ message: '65535 is outside 0 to 65534' }]);
  });

  it('is told all of its problems at once', async () => {
    const points = [aPoint(0, { speed: '99', height: 'high' }), aPoint(1, { coordinates: '47' })];
    const waylines = aWaylines(aConfig({ finishAction: 'never' }), [aFolder({ points, waylineId: 'x' })]);
    expect((await problemsOfWaylines(waylines)).map(({ field }) => /<.*>/.exec(field)?.[0])).toEqual([
      '<wpml:finishAction>',
      '<wpml:executeHeight>',
      '<wpml:waypointSpeed>',
      '<coordinates>',
      '<wpml:waylineId>',
    ]);
  });

  it('is told twenty problems at most', async () => {
    const points = Array.from({ length: 500 }, (_, i) => aPoint(i, { speed: '99' }));
    expect(await problemsOfFolder({ points })).toHaveLength(20);
  });
});

describe('a route file that is accepted with a warning', () => {
  it('where waypoints follow each other at one place, once for each route', async () => {
    const here = { coordinates: '8.5,47.3' };
    const points = [aPoint(0, here), aPoint(1, here), aPoint(2, here), aPoint(3)];
    expect(await warningsOf(aWaylines(aConfig(), [aFolder({ points })]))).toMatchObject([
      { element: 'Point', message: expect.stringMatching(/^waypoint 1 lies where .* 1 more of this route/) },
    ]);
  });

  it('not where they stand above each other', async () => {
    const here = { coordinates: '8.5,47.3' };
    const points = [aPoint(0, here), aPoint(1, { ...here, height: '90' }), aPoint(2)];
    expect(await warningsOf(aWaylines(aConfig(), [aFolder({ points })]))).toEqual([]);
  });

  it('where waypoints say nothing of the heading, unless they take that of the route', async () => {
    const global = '<wpml:useGlobalHeadingParam>1</wpml:useGlobalHeadingParam>';
    const points = [aPoint(0), aPoint(1, { headingMode: '' }), aPoint(2, { headingMode: '', more: global })];
    expect(await warningsOf(aWaylines(aConfig(), [aFolder({ points })]))).toMatchObject([
      { element: 'wpml:waypointHeadingMode', message: expect.stringMatching(/^is missing at 1 of 3 waypoints/) },
    ]);
  });

  const drawn = (points: readonly string[], templateType = 'waypoint'): string => {
    const more = `<wpml:templateType>${templateType}</wpml:templateType>`;
    return aWaylines(aConfig(), [aFolder({ points, more })]);
  };

  it.each([
    ['fewer points', [aPoint(0), aPoint(1)], /^has 2 waypoints, but waylines.wpml 3, which are flown$/],
    [
      'a moved point',
      [aPoint(0), aPoint(1, { coordinates: '8.5,47.4' }), aPoint(2)],
      /1 waypoints?|1 of 3 .* first is 1$/,
    ],
  ])('where its template was drawn with %s', async (_what, points, message) => {
    expect(await warningsOf(aWaylines(), drawn(points))).toMatchObject([
      { file: 'wpmz/template.kml', message: expect.stringMatching(message) },
    ]);
  });

  it('not where the template has the same points, or is one from which a program computes them', async () => {
    expect(await warningsOf(aWaylines(), drawn([aPoint(0), aPoint(1), aPoint(2)]))).toEqual([]);
    expect(await warningsOf(aWaylines(), drawn([aPoint(0)], 'mapping2d'))).toEqual([]);
  });

  it.each<[string, ConfigParts, RegExp]>([
    ['does not return home', { finishAction: 'noAction' }, /does not return to its dock/],
    ['has no height for the return', { globalRTHHeight: '' }, /is missing/],
    ['hovers when the remote control is lost', { executeRCLostAction: 'hover' }, /may stay away/],
  ])('%s', async (_what, parts, message) => {
    const warnings = await warningsOf(aWaylines(aConfig(parts)), aTemplate(aConfig(parts)));
    expect(warnings).toMatchObject([{ file: 'wpmz/waylines.wpml', message: expect.stringMatching(message) }]);
  });

  it('is not one that FlightHub 2 or Pilot 2 writes: its words, and groups that each route numbers anew', async () => {
    const actions = ['setFocusType', 'startContinuousShooting', 'stopContinuousShooting', 'targetDetection'].map(
      (name, id) => `<wpml:action><wpml:actionId>${id}</wpml:actionId>
<wpml:actionActuatorFunc>${name}</wpml:actionActuatorFunc></wpml:action>`,
    );
    const more = `<wpml:actionGroup><wpml:actionGroupId>0</wpml:actionGroupId>
<wpml:actionGroupStartIndex>0</wpml:actionGroupStartIndex><wpml:actionGroupEndIndex>0</wpml:actionGroupEndIndex>
${actions.join('\n')}</wpml:actionGroup>`;
    const points = [aPoint(0, { more }), aPoint(1)];
    const folders = [aFolder({ points }), aFolder({ waylineId: '1', points })];
    const template = aTemplate(aConfig()).replace('>waypoint<', '>patrol<');
    expect(template).toContain('>patrol<');
    expect(await warningsOf(aWaylines(aConfig(), folders), template)).toEqual([]);
  });

  it('has two action groups of one number in one route', async () => {
    const group = `<wpml:actionGroup><wpml:actionGroupId>0</wpml:actionGroupId></wpml:actionGroup>`;
    const points = [aPoint(0, { more: group }), aPoint(1, { more: group })];
    expect(await warningsOf(aWaylines(aConfig(), [aFolder({ points })]))).toMatchObject([
      { message: '0 is the id of another action group of this route, too' },
    ]);
  });

  it('has an action group that goes beyond the last waypoint', async () => {
    const more = `<wpml:actionGroup><wpml:actionGroupId>0</wpml:actionGroupId>
<wpml:actionGroupStartIndex>1</wpml:actionGroupStartIndex><wpml:actionGroupEndIndex>9</wpml:actionGroupEndIndex>
</wpml:actionGroup>`;
    const points = [aPoint(0), aPoint(1, { more })];
    expect(await warningsOf(aWaylines(aConfig(), [aFolder({ points })]))).toMatchObject([
      { element: 'wpml:actionGroup', message: 'spans waypoints 1 to 9 of a route with 0 to 1' },
    ]);
  });

  it('has a coordinated turn at its end', async () => {
    const points = [aPoint(0), aPoint(1, { turnMode: 'coordinateTurn' })];
    expect(await warningsOf(aWaylines(aConfig(), [aFolder({ points })]))).toMatchObject([
      { message: 'a coordinated turn is not possible at the first or last waypoint' },
    ]);
  });

  it('has a template for something else than it flies', async () => {
    const template = aTemplate(aConfig({ finishAction: 'autoLand' })).replace('>91<', '>67<');
    expect(await warningsOf(aWaylines(), template)).toMatchObject([
      { file: 'wpmz/template.kml', element: 'wpml:droneInfo' },
      { file: 'wpmz/template.kml', element: 'wpml:finishAction' },
    ]);
  });

  it.each(['visable', 'visible'])('but not for the lens %s', async (lens) => {
    const more = `<wpml:actionGroup><wpml:action><wpml:actionId>0</wpml:actionId>
<wpml:actionActuatorFunc>takePhoto</wpml:actionActuatorFunc><wpml:actionActuatorFuncParam>
<wpml:payloadLensIndex>${lens}</wpml:payloadLensIndex></wpml:actionActuatorFuncParam></wpml:action></wpml:actionGroup>`;
    const points = [aPoint(0, { more }), aPoint(1)];
    expect(await warningsOf(aWaylines(aConfig(), [aFolder({ points })]))).toEqual([]);
  });
});
