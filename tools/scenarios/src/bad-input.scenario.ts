import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { makeSampleKmz } from '@aerie/dock-simulator';
import { METHOD_OVERRIDES, askFor, otherSpellings, sameSpellings } from '@aerie/testing';
import { Client } from 'pg';
import yazl from 'yazl';
import { World } from './world.js';

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

let world: World;
let database: Client;
const KNOWN_DOCK = 'KNOWN-1';

beforeAll(async () => {
  world = await World.start();
  await world.register(KNOWN_DOCK, 'dock2');
  database = new Client({ connectionString: world.stack.infrastructure.databaseUrl });
  await database.connect();
}, 120_000);
afterAll(async () => {
  await database.end();
  await world.stop();
}, 60_000);

async function call(path: string, init: RequestInit): Promise<{ status: number; type: string; problem: Problem }> {
  const headers = { authorization: `Bearer ${world.stack.apiKey}`, ...(init.headers as Record<string, string>) };
  const response = await fetch(`${world.stack.apiUrl}/api/v1${path}`, { method: 'POST', ...init, headers });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    problem: (await response.json()) as Problem,
  };
}

const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

const mission = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...world.body({ sn: KNOWN_DOCK }, { kind: 'immediate' }),
  ...more,
});

/** Rows that a refused request could have left behind. */
async function rows(): Promise<number> {
  const { rows: counted } = await database.query<{ count: string }>(
    `SELECT (SELECT count(*) FROM mission.mission) + (SELECT count(*) FROM mission.wayline)
          + (SELECT count(*) FROM mission.idempotency_key) + (SELECT count(*) FROM mission.outbox)
          + (SELECT count(*) FROM fleet.dock) AS count`,
  );
  return Number(counted[0]?.count);
}

async function expectRefused(
  answer: Promise<{ status: number; type: string; problem: Problem }>,
  status: number,
  field: string,
) {
  const before = await rows();
  const { status: got, type, problem } = await answer;
  expect({ status: got, fields: problem.errors?.map((error) => error.field) }).toEqual({
    status,
    fields: expect.arrayContaining([field]),
  });
  expect(type).toContain('application/problem+json');
  expect(problem).toMatchObject({
    status,
    type: expect.stringMatching(/^urn:aerie:problem:/),
    title: expect.any(String),
  });
  expect(await rows()).toBe(before);
}

const soon = (ms: number): string => new Date(Date.now() + ms).toISOString();

it.each<[string, () => Record<string, unknown>, number, string]>([
  ['an unknown dock', () => mission({ dockSn: 'NOBODY' }), 404, 'dockSn'],
  ['an unknown wayline', () => mission({ waylineId: '00000000-0000-4000-8000-000000000000' }), 404, 'waylineId'],
  ['a wayline id that is none', () => mission({ waylineId: 'x' }), 422, 'waylineId'],
  ['an altitude of 19', () => mission({ rthAltitudeMeters: 19 }), 422, 'rthAltitudeMeters'],
  ['an altitude of 1501', () => mission({ rthAltitudeMeters: 1501 }), 422, 'rthAltitudeMeters'],
  ['an altitude as text', () => mission({ rthAltitudeMeters: '80' }), 422, 'rthAltitudeMeters'],
  ['a time in the past', () => mission({ kind: 'timed', executeAt: soon(-1_000) }), 422, 'executeAt'],
  [
    'a time in seconds',
    () => mission({ kind: 'timed', executeAt: Math.round(Date.now() / 1_000) + 600 }),
    422,
    'executeAt',
  ],
  [
    'a time without an offset',
    () => mission({ kind: 'timed', executeAt: soon(60_000).replace('Z', '') }),
    422,
    'executeAt',
  ],
  ['a date that does not exist', () => mission({ kind: 'timed', executeAt: '2027-02-30T10:61:00Z' }), 422, 'executeAt'],
  ['a timed mission without its time', () => mission({ kind: 'timed' }), 422, 'executeAt'],
  ['an immediate mission with a time', () => mission({ executeAt: soon(60_000) }), 422, 'executeAt'],
  ['an unknown kind', () => mission({ kind: 'sometimes' }), 422, 'kind'],
  ['a field that does not exist', () => mission({ state: 'succeeded' }), 422, 'state'],
  ['a missing dock', () => mission({ dockSn: undefined }), 422, 'dockSn'],
])('refuses a mission with %s, names the field and writes nothing', async (_what, body, status, field) => {
  await expectRefused(call('/missions', json(body())), status, field);
});

describe('an absurd time [N38]', () => {
  const day = (ms: number): string => soon(ms).slice(0, 10);
  const tomorrow = day(86_400_000);
  /** The next that is ahead, as a caller would mistype it. */
  const february30 = ((): string => {
    const year = new Date().getUTCFullYear();
    return `${Date.UTC(year, 2, 2) > Date.now() + 86_400_000 ? year : year + 1}-02-30`;
  })();
  const IN_AN_HOUR = Math.round(Date.now() / 1_000) + 3_600;

  /** What is no instant, whoever reads it. */
  const NO_INSTANTS: readonly string[] = [
    ...['', ' ', 'NaN', 'Infinity', '1e309', '-1', 'now', 'tomorrow', `${IN_AN_HOUR}`, `${IN_AN_HOUR}000`],
    ...[` ${tomorrow}T10:00:00Z`, `${tomorrow}T10:00:00Z `, `${tomorrow}T10:00:00Z\n`, `${tomorrow} 10:00:00Z`],
    ...[tomorrow, `${tomorrow}T10:00:00`, `${tomorrow}T10:00:00 +01:00`, `${tomorrow}T10:00:00+0100`],
    ...[`${tomorrow}T10:00:00+25:00`, `${tomorrow}T10:00:00-24:00`, `${tomorrow}T10:00:00+01:60`],
    ...[`${february30}T10:00:00Z`, `${february30}t10:00:00z`, `${tomorrow}T24:00:00Z`, `${tomorrow}T24:00:01Z`],
    ...[`${tomorrow}T23:59:60Z`, `${tomorrow}T10:61:00Z`, `${tomorrow}T25:00:00Z`, '2027-13-01T10:00:00Z'],
    ...['2027-00-01T10:00:00Z', '2027-W09-1T10:00:00Z', '+002027-03-01T10:00:00Z', '10000-01-01T00:00:00Z'],
    ...[`${tomorrow}T10:00:00.Z`, `${tomorrow}T１０:00:00Z`, `${tomorrow}T10:00:00\u0000Z`, `${tomorrow}T10:00:00UTC`],
  ];
  /** JSON, because some of it is no value of a program. */
  const ABSURD = [
    ...NO_INSTANTS.map((text) => JSON.stringify(text)),
    ...[
      '1e309',
      '-1e309',
      '-1',
      '0',
      '-0',
      '0.5',
      '1e-7',
      `${IN_AN_HOUR}`,
      `${IN_AN_HOUR}000.5`,
      `${IN_AN_HOUR}000000`,
    ],
    ...[
      '253402300799000',
      '9999999999999',
      '9007199254740993',
      '"9999-12-31T23:59:59Z"',
      '"9999-12-31T23:59:59-23:59"',
    ],
    ...['"0001-01-01T00:00:00Z"', '"0000-01-01T00:00:00Z"', 'null', 'true', '[]', '{}'],
    ...[`["${tomorrow}T10:00:00Z"]`, `{"seconds":${IN_AN_HOUR}}`, `{"$date":"${tomorrow}T10:00:00Z"}`],
  ];
  const NO_LENGTHS = [
    '""',
    '"6000"',
    '"NaN"',
    '1e309',
    '-1e309',
    '-1',
    '6000.5',
    `${IN_AN_HOUR}`,
    'null',
    'true',
    '[6000]',
    '{}',
  ];

  let planned: string;
  beforeAll(async () => {
    const answer = await call('/missions', json(mission({ kind: 'timed', executeAt: soon(40 * 86_400_000) })));
    planned = (answer.problem as unknown as { id: string }).id;
  });

  /** A body whose value at `field` is this JSON. */
  const withTime = (body: Record<string, unknown>, value: string): RequestInit => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body).replace('"HERE"', () => value),
  });
  const window = (more: object) =>
    mission({ kind: 'conditional', window: { from: soon(0), until: soon(3_600_000), ...more } });

  /** Each that was not refused with this field. */
  async function taken(values: readonly string[], field: RegExp, ask: (value: string) => ReturnType<typeof call>) {
    const before = await rows();
    const faults: unknown[] = [];
    for (const value of values) {
      const { status, problem } = await ask(value);
      const fields = problem.errors?.map((error) => error.field) ?? [];
      if (status !== 422 || !fields.some((name) => field.test(name))) faults.push({ value, status, problem });
    }
    expect(await rows()).toBe(before);
    return faults;
  }

  it.each<[string, RegExp, (value: string) => ReturnType<typeof call>]>([
    [
      'executeAt',
      /^executeAt$/,
      (value) => call('/missions', withTime(mission({ kind: 'timed', executeAt: 'HERE' }), value)),
    ],
    // A window that began in the year 1 is too long.
    ['window.from', /^window\.(from|until)$/, (value) => call('/missions', withTime(window({ from: 'HERE' }), value))],
    ['window.until', /^window\.until$/, (value) => call('/missions', withTime(window({ until: 'HERE' }), value))],
    [
      'executeAt of a preview',
      /^executeAt$/,
      (value) => call('/missions/preview', withTime(mission({ kind: 'timed', executeAt: 'HERE' }), value)),
    ],
    [
      'executeAt of another plan',
      /^executeAt$/,
      (value) => call(`/missions/${planned}`, { method: 'PATCH', ...withTime({ executeAt: 'HERE' }, value) }),
    ],
  ])('is refused as %s, and nothing is written', async (_what, field, ask) => {
    expect(await taken(ABSURD, field, ask)).toEqual([]);
  });

  it('is refused as executeAt of a flight that goes on, and nothing is written', async () => {
    const ask = (value: string) =>
      call(`/missions/${planned}/resume-from-breakpoint`, withTime({ executeAt: 'HERE' }, value));
    const before = await rows();
    // An instant that was is asked for after the mission, which has not flown.
    for (const value of NO_INSTANTS.map((text) => JSON.stringify(text))) {
      const { status, problem } = await ask(value);
      expect([value, status, problem.errors?.map((error) => error.field)]).toEqual([value, 422, ['executeAt']]);
    }
    expect(await rows()).toBe(before);
  });

  it.each(['from', 'until'])('is refused as %s of a list', async (field) => {
    const ask = (text: string) => call(`/missions?${field}=${encodeURIComponent(text)}`, { method: 'GET' });
    expect(await taken(NO_INSTANTS, new RegExp(`^${field}$`), ask)).toEqual([]);
    for (const year of ['0000', '0001', '9999']) expect((await ask(`${year}-01-01T00:00:00Z`)).status).toBe(200);
  });

  it.each<[string, string]>([
    ['startWithinMs', 'immediate'],
    ['startWindowMs', 'immediate'],
    ['executeLeadMs', 'timed'],
    ['prepareLeadMs', 'timed'],
  ])('is refused as %s, and nothing is written', async (field, kind) => {
    const body = mission({ kind, ...(kind === 'timed' ? { executeAt: soon(7_200_000) } : {}), [field]: 'HERE' });
    const values = NO_LENGTHS;
    expect(await taken(values, new RegExp(`^${field}$`), (value) => call('/missions', withTime(body, value)))).toEqual(
      [],
    );
  });
});

it('refuses the same Idempotency-Key with another body, and gives the same answer for the same one', async () => {
  const headers = { 'idempotency-key': 'one-key' };
  const body = mission({ kind: 'timed', executeAt: soon(3_600_000) });
  const first = await call('/missions', json(body, headers));
  const again = await call('/missions', json(body, headers));
  expect(first.status).toBe(201);
  expect(again).toEqual(first);
  await expectRefused(call('/missions', json({ ...body, rthAltitudeMeters: 99 }, headers)), 422, 'Idempotency-Key');
});

it('makes one mission of two equal requests with one key at the same time', async () => {
  const body = mission({ kind: 'timed', executeAt: soon(7_200_000) });
  const answers = await Promise.all(
    [1, 2, 3, 4].map(() => call('/missions', json(body, { 'idempotency-key': 'at-once' }))),
  );
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect(new Set(answers.map(({ problem }) => (problem as unknown as { id: string }).id)).size).toBe(1);
});

it('refuses 1 MB of JSON', async () => {
  await expectRefused(call('/missions', json(mission({ name: 'x'.repeat(1_000_000) }))), 413, 'body');
});

it.each([
  ['/missions', 'application/json', 'body'],
  ['/waylines', 'application/octet-stream', 'file'],
])('refuses 100 MB at %s before they have come, and answers the next request [N37]', async (path, type, field) => {
  const { hostname, port } = new URL(world.stack.apiUrl);
  const size = 100 * 1024 * 1024;
  const sent = { bytes: 0 };
  const answer = await new Promise<{ status: number; problem: Problem }>((resolve, reject) => {
    const headers = { authorization: `Bearer ${world.stack.apiKey}`, 'content-type': type, 'content-length': size };
    const asked = request({ hostname, port, method: 'POST', path: `/api/v1${path}`, headers }, (response) => {
      text(response).then((body) => {
        asked.destroy();
        resolve({ status: response.statusCode ?? 0, problem: JSON.parse(body) as Problem });
      }, reject);
    });
    asked.on('error', reject);
    const chunk = Buffer.alloc(64 * 1024, ' ');
    const more = (): void => {
      while (!asked.destroyed && sent.bytes < size) {
        sent.bytes += chunk.length;
        if (!asked.write(chunk)) return void asked.once('drain', more);
      }
    };
    more();
  });
  expect(answer).toMatchObject({ status: 413, problem: { errors: [{ field }] } });
  expect((await call('/missions', { method: 'GET' })).status).toBe(200);
});

it('refuses what is no JSON', async () => {
  const broken = { headers: { 'content-type': 'application/json' }, body: '{"dockSn": ' };
  await expectRefused(call('/missions', broken), 400, 'body');
});

it('refuses a request without a key and with a wrong one', async () => {
  const url = `${world.stack.apiUrl}/api/v1/missions`;
  for (const authorization of [undefined, 'Bearer wrong', `Bearer ${world.stack.apiKey.slice(0, -1)}x`, 'Basic abc']) {
    const response = await fetch(url, { headers: authorization === undefined ? {} : { authorization } });
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(((await response.json()) as Problem).errors?.[0]?.field).toBe('Authorization');
  }
});

const upload = (body: Buffer | string, type = 'application/octet-stream'): RequestInit => ({
  headers: { 'content-type': type },
  body: body as NonNullable<RequestInit['body']>,
});

it('refuses a text file as KMZ', async () => {
  await expectRefused(call('/waylines', upload('this is no route')), 422, 'file');
  await expectRefused(call('/waylines', upload('this is no route', 'text/plain')), 415, 'Content-Type');
});

it('refuses a zip bomb', async () => {
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.alloc(100 * 1024 * 1024), 'wpmz/waylines.wpml');
  zip.addBuffer(Buffer.from('<kml/>'), 'wpmz/template.kml');
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  const before = await rows();
  const { status, problem } = await call('/waylines', upload(Buffer.concat(chunks)));
  expect(status).toBe(422);
  expect(problem.errors?.length).toBeGreaterThan(0);
  expect(await rows()).toBe(before);
});

it('refuses a file that is too large', async () => {
  await expectRefused(call('/waylines', upload(Buffer.alloc(11 * 1024 * 1024))), 413, 'file');
});

it('takes the same KMZ as a raw body and as a form, and stores it once', async () => {
  const kmz = await makeSampleKmz({ originLatitude: 10, originLongitude: 20 });
  const first = await call('/waylines', upload(kmz));
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(kmz)]), 'route.kmz');
  const second = await call('/waylines', { body: form });
  expect([first.status, second.status]).toEqual([201, 200]);
  expect((second.problem as unknown as { id: string }).id).toBe((first.problem as unknown as { id: string }).id);
});

it.each([
  ['a serial number with a dot', { sn: 'a.b', model: 'dock2' }, 'sn'],
  ['a wildcard as serial number', { sn: '#', model: 'dock2' }, 'sn'],
  ['an unknown model', { sn: 'OK-1', model: 'dock9' }, 'model'],
])('refuses a dock with %s', async (_what, body, field) => {
  await expectRefused(call('/docks', json(body)), 422, field);
});

it('answers 503 problem+json for a service that is down, and works again when it is back', async () => {
  await world.stack.kill('fleet-service');
  const { status, type } = await call('/docks', { method: 'GET' });
  expect(status).toBe(503);
  expect(type).toContain('application/problem+json');
  await world.stack.start('fleet-service');
  expect((await call('/docks', { method: 'GET' })).status).toBe(200);
});

it('answers 404 problem+json for a route that does not exist', async () => {
  for (const path of ['/nothing', '//missions', '/missionsx', '/docks%2f..%2fmissions']) {
    const { status, type } = await call(path, { method: 'GET' });
    expect(status).toBe(404);
    expect(type).toContain('application/problem+json');
  }
});

describe('the edge', () => {
  /** Every path of every service, with an id that nothing has. */
  let paths: readonly { readonly path: string; readonly methods: readonly string[]; readonly isOpen: boolean }[];
  beforeAll(async () => {
    type Operations = Readonly<Record<string, { readonly security: readonly unknown[] }>>;
    const { problem } = await call('/openapi.json', { method: 'GET' });
    const document = problem as unknown as { readonly paths: Readonly<Record<string, Operations>> };
    paths = Object.entries(document.paths).map(([path, operations]) => ({
      path: path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000'),
      methods: Object.keys(operations).map((method) => method.toUpperCase()),
      isOpen: Object.values(operations).some(({ security }) => security.length === 0),
    }));
  });
  const key = (): Record<string, string> => ({ authorization: `Bearer ${world.stack.apiKey}` });

  it('answers no route at another spelling of its path, with a key and without one [N43]', async () => {
    const faults: unknown[] = [];
    for (const { path } of paths) {
      for (const target of otherSpellings(path)) {
        for (const headers of [{}, key()]) {
          const { status } = await askFor(world.stack.apiUrl, 'GET', target, headers);
          if (status !== 404) faults.push({ target, status });
        }
      }
    }
    expect(paths.length).toBeGreaterThan(50);
    expect(faults).toEqual([]);
  }, 60_000);

  it('lets nobody in without a key at a spelling that is the same path, whatever method a header names [N43]', async () => {
    const faults: unknown[] = [];
    for (const { path, methods } of paths.filter(({ isOpen }) => !isOpen)) {
      const overrides = Object.fromEntries(METHOD_OVERRIDES.map((name) => [name, methods[0] ?? '']));
      for (const target of [path, ...sameSpellings(path), `${path}?_method=${methods[0]}`]) {
        for (const method of ['GET', 'HEAD', 'TRACE', 'PATCH', ...methods]) {
          const { status } = await askFor(world.stack.apiUrl, method, target, overrides);
          if (![401, 404, 405].includes(status)) faults.push({ method, target, status });
        }
      }
    }
    expect(faults).toEqual([]);
  }, 60_000);

  it('is no way to another host or to what a service keeps for itself [N43]', async () => {
    const inside = new URL(world.stack.metricsUrl('mission-service'));
    const targets = [
      ...[inside.href, `http://${inside.host}/api/v1/missions`, `http://${inside.host}/readyz`, '*'],
      ...['/api/v1/missions/../../../metrics', '/api/v1/missions/%2e%2e/%2e%2e/%2e%2e/metrics', '/api/v1/metrics'],
      ...['/api/v1/missions/..;/..;/..;/metrics', '//metrics', `//${inside.host}/metrics`, `@${inside.host}/metrics`],
    ];
    for (const target of targets) {
      for (const method of ['GET', 'OPTIONS', 'POST']) {
        const headers = { ...key(), host: inside.host, 'x-forwarded-host': inside.host, 'x-original-url': '/metrics' };
        const { status, body } = await askFor(world.stack.apiUrl, method, target, headers);
        // What begins with no slash and names no scheme is not HTTP.
        expect([method, target, status]).toEqual([method, target, target.startsWith('@') ? 400 : 404]);
        expect(body).not.toContain('# HELP');
      }
    }
    await expect(askFor(world.stack.apiUrl, 'CONNECT', inside.host, key())).rejects.toThrow();
  });
});
