import { aDock, ask, askOf, someFacts, STAGES } from './fixtures/facts.js';
import type { RouteModels } from './aircraft-models.js';
import type { ModelFacts, RuleResult, Stage } from './preflight.types.js';

const aRoute = (aircraft: string, payloadKeys: readonly string[] | null = []): RouteModels => ({
  aircraftKey: `0-${aircraft}`,
  namesSubType: true,
  payloadKeys,
});

interface Given extends Partial<Omit<ModelFacts, 'route' | 'aircraftKey'>> {
  readonly stage?: Stage;
  readonly route: RouteModels;
  /** What the topology named. */
  readonly reported?: string | null;
  /** What the telemetry names. */
  readonly osd?: unknown;
}

const judge = ({ stage = 'execute', route, reported = null, osd, ...models }: Given): RuleResult =>
  ask(
    'aircraft_model',
    someFacts({
      stage,
      dock: aDock({ sub_device: osd }),
      models: { ...someFacts().models, aircraftKey: reported, route, ...models },
    }),
  );

describe('aircraft_model, when the dock has reported its aircraft', () => {
  it.each(['77-0', '77-2', '89-0', '67-1', '99-1', '100-1', '91-0'])(
    'holds a route for %s back from a dock whose aircraft is 91-1, at each stage',
    (aircraft) => {
      for (const stage of STAGES) {
        const result = judge({ stage, route: aRoute(aircraft), reported: '0-91-1' });
        expect(result).toMatchObject({ hard: true, verdict: 'no_go', input: 'Matrice 3TD (91-1)' });
        expect(result.limit).toContain(`(${aircraft})`);
        expect(result.message).toContain(`(${aircraft})`);
        expect(result.message).toContain('Matrice 3TD (91-1)');
      }
    },
  );

  it('holds a route for 91-1 back from a dock whose aircraft is 67-1', () => {
    expect(judge({ route: aRoute('91-1'), reported: '0-67-1', dockModel: 'dock1' })).toMatchObject({
      verdict: 'no_go',
      input: 'Matrice 30T (67-1)',
      limit: 'Matrice 3TD (91-1)',
    });
  });

  it('holds a route for a model without a name back too', () => {
    expect(judge({ route: aRoute('250-3'), reported: '0-91-1' })).toMatchObject({
      verdict: 'no_go',
      limit: 'aircraft 250-3',
    });
  });

  it.each([
    ['dock1', '67-0', 52],
    ['dock1', '67-1', 53],
    ['dock2', '91-0', 80],
    ['dock2', '91-1', 81],
    ['dock3', '100-0', 98],
    ['dock3', '100-1', 99],
  ] as const)('lets a %s fly a route for its %s and the camera %d', (dockModel, aircraft, camera) => {
    const route = aRoute(aircraft, [`1-${camera}-0`]);
    expect(judge({ route, dockModel, reported: `0-${aircraft}` }).verdict).toBe('go');
  });

  it('holds a route for the camera of another aircraft back, and names the camera', () => {
    expect(judge({ route: aRoute('91-1', ['1-80-0']), reported: '0-91-1' })).toMatchObject({
      verdict: 'no_go',
      input: 'Matrice 3TD (91-1)',
      limit: 'Matrice 3TD (91-1) with the camera of a Matrice 3D (80)',
    });
  });

  it('lets a route pass as unknown whose additional payload is not in the table', () => {
    const result = judge({ route: aRoute('91-1', ['1-81-0', '1-65535-0']), reported: '0-91-1' });
    expect(result).toMatchObject({ verdict: 'unknown', input: null });
    expect(result.message).toContain('payload 65535');
  });

  it('lets an aircraft pass as unknown whose model is not in the table, unless it is the one of the route', () => {
    expect(judge({ route: aRoute('91-1'), reported: '0-116-0' }).verdict).toBe('unknown');
    expect(judge({ route: aRoute('116-0'), reported: '0-116-0' }).verdict).toBe('go');
  });

  it('compares only the type of a route that names no subtype', () => {
    const route = { ...aRoute('91-0'), namesSubType: false };
    expect(judge({ route, reported: '0-91-1' }).verdict).toBe('go');
    expect(judge({ route, reported: '0-67-1' })).toMatchObject({ verdict: 'no_go', limit: 'aircraft of type 91' });
  });

  it('compares the aircraft alone where the payloads of a route are not known', () => {
    expect(judge({ route: aRoute('91-1', null), reported: '0-91-1' }).verdict).toBe('go');
  });
});

describe('aircraft_model, when the dock has not reported its aircraft', () => {
  it.each([
    ['dock1', '91-1', 'Matrice 30 (67-0) or Matrice 30T (67-1)'],
    ['dock2', '67-1', 'Matrice 3D (91-0) or Matrice 3TD (91-1)'],
    ['dock2', '77-0', 'Matrice 3D (91-0) or Matrice 3TD (91-1)'],
    ['dock3', '99-1', 'Matrice 4D (100-0) or Matrice 4TD (100-1)'],
  ] as const)('holds back what a %s cannot hold, a route for %s', (dockModel, aircraft, input) => {
    expect(judge({ route: aRoute(aircraft), dockModel })).toMatchObject({ verdict: 'no_go', input });
  });

  it('lets a route pass as unknown that the dock may have the aircraft for', () => {
    const result = judge({ route: aRoute('91-0', ['1-80-0']) });
    expect(result).toMatchObject({ verdict: 'unknown', limit: 'Matrice 3D (91-0)' });
    expect(result.message).toContain('has not reported its aircraft');
  });

  it('lets a route for a model pass as unknown that is not in the table', () => {
    expect(judge({ route: aRoute('250-3') }).verdict).toBe('unknown');
  });
});

describe('aircraft_model, from telemetry', () => {
  it('believes the telemetry before the topology, and needs no topology', () => {
    expect(judge({ route: aRoute('91-1'), reported: '0-91-1', osd: { device_model_key: '0-91-0' } })).toMatchObject({
      verdict: 'no_go',
      input: 'Matrice 3D (91-0)',
    });
    expect(judge({ route: aRoute('91-1'), osd: { product_type: '0-91-1' } }).verdict).toBe('go');
  });

  it.each([
    undefined,
    null,
    'text',
    {},
    { device_model_key: '' },
    { device_model_key: 91 },
    { device_model_key: '3-2-0' },
  ])('takes the topology where the telemetry says %j', (osd) => {
    expect(judge({ route: aRoute('91-1'), reported: '0-67-1', osd })).toMatchObject({ verdict: 'no_go' });
  });

  it('lets a healthy dock take off', () => {
    expect(askOf('aircraft_model', {})).toMatchObject({ verdict: 'go', input: 'Matrice 3TD (91-1)' });
  });
});

describe('dock_model', () => {
  const judgeModels = (registeredModel: ModelFacts['registeredModel'], reportedModel: ModelFacts['reportedModel']) =>
    STAGES.map((stage) =>
      ask('dock_model', someFacts({ stage, models: { ...someFacts().models, registeredModel, reportedModel } })),
    );

  it('holds a dock back at each stage that reports another model than it is registered as, and says what to do', () => {
    for (const result of judgeModels('dock3', 'dock1')) {
      expect(result).toMatchObject({ hard: true, verdict: 'no_go', input: 'dock1', limit: 'dock3' });
      expect(result.message).toContain('PATCH /docks/{sn}');
    }
  });

  it('lets a dock fly whose report agrees', () => {
    for (const result of judgeModels('dock1', 'dock1')) expect(result.verdict).toBe('go');
  });

  it.each([
    ['dock2', null],
    [null, 'dock2'],
  ] as const)('passes as unknown where one of both is not known: %s, %s', (registered, reported) => {
    for (const result of judgeModels(registered, reported)) expect(result.verdict).toBe('unknown');
  });
});
