import { connect, constants } from 'node:http2';
import { type ClientReadableStream, Metadata, credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { MISSION_PROTO, PROTO_FOLDER } from '@aerie/bus-contract';
import { Api, good } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Client as Postgres } from 'pg';
import { World } from './world.js';

let world: World;
let client: Client;
beforeAll(async () => {
  world = await World.start({ 'mission-service': { MISSION_START_WINDOW_MS: '20000' } });
  const options = { includeDirs: [PROTO_FOLDER], longs: Number, enums: String, oneofs: true, arrays: true };
  const { mission } = loadPackageDefinition(loadSync(MISSION_PROTO, options)) as unknown as Loaded;
  client = new mission.v1.MissionService(world.stack.grpcAddress, credentials.createInsecure());
}, 120_000);
afterAll(async () => {
  client.close();
  await world.stop();
}, 60_000);

type Message = Record<string, unknown>;
type Unary = (request: Message, metadata: Metadata, done: (error: Error | null, answer: Message) => void) => void;
type Client = Record<string, Unary> & {
  readonly WatchMission: (request: Message, metadata: Metadata) => ClientReadableStream<{ mission: Message }>;
  readonly ListTimeline: (request: Message, metadata: Metadata) => ClientReadableStream<Message>;
  readonly close: () => void;
};
interface Loaded {
  readonly mission: { readonly v1: { readonly MissionService: new (address: string, how: unknown) => Client } };
}

function withKey(key = world.stack.apiKey): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  return metadata;
}
const call = <Answer = { mission: Message }>(method: string, request: Message, metadata = withKey()): Promise<Answer> =>
  new Promise((resolve, reject) =>
    client[method]?.(request, metadata, (error, answer) => (error ? reject(error) : resolve(answer as Answer))),
  );
async function all<Item>(stream: ClientReadableStream<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item as Item);
  return items;
}
const newMission = (dockSn: string, more: Message = {}): Message => ({
  dockSn,
  waylineId: world.waylineId,
  kind: 'MISSION_KIND_IMMEDIATE',
  rthAltitudeMeters: 60,
  ...more,
});
const seconds = (atMs: number) => ({ seconds: Math.floor(atMs / 1_000), nanos: 0 });

it('flies a mission for a program that watches it until its end', async () => {
  const dock = await world.dock();
  const { mission } = await call('CreateMission', { mission: newMission(dock.sn), idempotencyKey: 'grpc-1' });
  const again = await call('CreateMission', { mission: newMission(dock.sn), idempotencyKey: 'grpc-1' });
  expect(again.mission['id']).toBe(mission['id']);

  const seen = await all(client.WatchMission({ id: mission['id'] }, withKey()));
  const states = seen.map((answer) => answer.mission['state']);
  expect(states).toContain('MISSION_STATE_EXECUTING');
  expect(states.at(-1)).toBe('MISSION_STATE_SUCCEEDED');
  const versions = seen.map((answer) => answer.mission['version'] as number);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));

  const entries = await all(client.ListTimeline({ id: mission['id'] }, withKey()));
  expect(entries[0]).toMatchObject({ kind: 'note', what: 'created' });
  expect(world.tap.executes(String(mission['id']))).toHaveLength(1);
}, 90_000);

it('plans, moves, lists and cancels as HTTP does', async () => {
  const dock = await world.dock();
  const executeAt = seconds(Date.now() + 3_600_000);
  const planned = newMission(dock.sn, { kind: 'MISSION_KIND_TIMED', executeAt });
  const preview = await call<Message>('PreviewMission', { mission: planned });
  expect(preview).toMatchObject({
    conflicts: [],
    rules: expect.arrayContaining([expect.objectContaining({ rule: 'battery' })]),
  });
  const { mission } = await call('CreateMission', { mission: planned });
  expect(mission['executeAt']).toEqual(executeAt);
  const moved = await call('RescheduleMission', {
    id: mission['id'],
    executeAt: seconds(Date.now() + 7_200_000),
    expectedVersion: mission['version'],
  });
  const listed = await call<{ missions: Message[] }>('ListMissions', {
    dockSn: dock.sn,
    states: ['MISSION_STATE_SCHEDULED'],
    kind: 'MISSION_KIND_TIMED',
  });
  expect(listed.missions).toEqual([moved.mission]);
  const canceled = await call('CancelMission', { id: mission['id'], reason: 'the weather' });
  expect(canceled.mission['state']).toBe('MISSION_STATE_CANCELED');
  expect((await world.mission(String(mission['id']))).state).toBe('canceled');
}, 60_000);

describe('an error', () => {
  const failing = (method: string, request: Message, metadata?: Metadata) =>
    call(method, request, metadata).then(
      () => {
        throw new Error(`${method} was answered`);
      },
      (error: { code: number; metadata: Metadata }) => ({
        code: error.code,
        problem: JSON.parse(String(error.metadata.get('problem')[0])) as {
          errors: { field: string }[];
          choices?: object[];
        },
      }),
    );

  it('names the fields of a request that cannot be read', async () => {
    const bad = { mission: { dockSn: 'a.b', kind: 'MISSION_KIND_TIMED', rthAltitudeMeters: 5 } };
    const { code, problem } = await failing('CreateMission', bad);
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(problem.errors.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['dockSn', 'waylineId', 'rthAltitudeMeters']),
    );
  });

  it('names the field of a time that cannot be, and nothing is written [N38]', async () => {
    const dock = await world.dock();
    const hour = seconds(Date.now() + 3_600_000);
    const planned = newMission(dock.sn, { kind: 'MISSION_KIND_TIMED', executeAt: hour });
    const { mission } = await call('CreateMission', { mission: planned });
    const missions = async () =>
      good(await world.api.get<{ items: object[] }>(`/missions?dockSn=${dock.sn}&limit=200`)).items;
    const before = await missions();
    const conditional = (window: Message): Message =>
      newMission(dock.sn, {
        kind: 'MISSION_KIND_CONDITIONAL',
        window: { from: hour, until: seconds(Date.now() + 7_200_000), ...window },
      });
    const fieldsOf = async (method: string, request: Message): Promise<string[]> => {
      const { code, problem } = await failing(method, request);
      expect(code).toBe(status.INVALID_ARGUMENT);
      return problem.errors.map(({ field }) => field);
    };

    const absurd: readonly Message[] = [
      ...[
        { seconds: 0 },
        { seconds: -1 },
        { seconds: hour.seconds * 1_000 },
        { seconds: Math.round(hour.seconds / 1_000) },
      ],
      // The years 1 and 9999, the ends of what may be written, and beyond them.
      ...[{ seconds: -62_135_596_800 }, { seconds: 253_402_300_799 }, { seconds: 253_402_300_800 }],
      ...[{ seconds: '9223372036854775807' }, { seconds: '-9223372036854775808' }],
      ...[
        { ...hour, nanos: -1 },
        { ...hour, nanos: 1_000_000_000 },
        { ...hour, nanos: 2_147_483_647 },
      ],
    ];
    for (const executeAt of absurd) {
      const timed = { mission: newMission(dock.sn, { kind: 'MISSION_KIND_TIMED', executeAt }) };
      for (const [method, request] of [
        ['CreateMission', timed],
        ['PreviewMission', timed],
        ['RescheduleMission', { id: mission['id'], executeAt }],
      ] as const) {
        expect([method, executeAt, await fieldsOf(method, request)]).toEqual([method, executeAt, ['executeAt']]);
      }
      const until = await fieldsOf('CreateMission', { mission: conditional({ until: executeAt }) });
      expect([executeAt, until]).toEqual([executeAt, expect.arrayContaining(['window.until'])]);
      const from = await fieldsOf('CreateMission', { mission: conditional({ from: executeAt }) });
      expect([executeAt, from]).toEqual([executeAt, [expect.stringMatching(/^window\.(from|until)$/)]]);
    }
    for (const field of ['startWithinMs', 'startWindowMs']) {
      for (const length of [-1, 2_147_483_647, -2_147_483_648]) {
        expect(await fieldsOf('CreateMission', { mission: newMission(dock.sn, { [field]: length }) })).toEqual([field]);
      }
    }
    for (const field of ['executeLeadMs', 'prepareLeadMs']) {
      for (const length of [-1, 2_147_483_647, -2_147_483_648]) {
        expect(await fieldsOf('CreateMission', { mission: { ...planned, [field]: length } })).toEqual([field]);
      }
    }
    expect(await missions()).toEqual(before);
  }, 60_000);

  it('refuses a message of 5 MB before it is read, and answers the next one [N37]', async () => {
    const name = 'x'.repeat(5 * 1024 * 1024);
    await expect(call('CreateMission', { mission: newMission('ANY', { name }) })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    await expect(call('ListMissions', { pageSize: 1_000_000 })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    await expect(call('ListMissions', {})).resolves.toBeDefined();
  }, 30_000);

  it('says who is not known, what does not exist, and what has changed since', async () => {
    const id = '99999999-9999-4999-8999-999999999999';
    expect((await failing('GetMission', { id }, withKey('wrong'))).code).toBe(status.UNAUTHENTICATED);
    expect((await failing('GetMission', { id }, new Metadata())).code).toBe(status.UNAUTHENTICATED);
    expect((await failing('GetMission', { id })).code).toBe(status.NOT_FOUND);
    const dock = await world.dock();
    const planned = newMission(dock.sn, { kind: 'MISSION_KIND_TIMED', executeAt: seconds(Date.now() + 3_600_000) });
    const { mission } = await call('CreateMission', { mission: planned });
    const outdated = await failing('CancelMission', { id: mission['id'], expectedVersion: 99 });
    expect(outdated.code).toBe(status.ABORTED);
    const notNow = await failing('ControlMission', { id: mission['id'], action: 'CONTROL_ACTION_PAUSE' });
    expect(notNow.code).toBe(status.FAILED_PRECONDITION);
    const taken = await failing('CreateMission', { mission: planned });
    expect(taken).toMatchObject({ code: status.FAILED_PRECONDITION, problem: { errors: [{ field: 'executeAt' }] } });
  }, 30_000);
});

it('cuts off who opens and resets calls without end, and answers others meanwhile [N37]', async () => {
  const session = connect(`http://${world.stack.grpcAddress}`);
  let isCut = false;
  let codeOfGoaway: number | undefined;
  session.on('error', () => (isCut = true));
  session.on('close', () => (isCut = true));
  session.on('goaway', (code: number) => (codeOfGoaway = code));
  const headers = {
    ...{ ':method': 'POST', ':path': '/mission.v1.MissionService/ListMissions', te: 'trailers' },
    ...{ 'content-type': 'application/grpc', authorization: `Bearer ${world.stack.apiKey}` },
  };
  let resets = 0;
  while (!isCut && resets < 100_000) {
    for (let many = 0; many < 200 && !session.closed && !session.destroyed; many++) {
      const stream = session.request(headers);
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
      resets++;
    }
    await call('ListMissions', {});
  }
  expect([isCut, codeOfGoaway]).toEqual([true, constants.NGHTTP2_INTERNAL_ERROR]);
  expect(resets).toBeLessThan(10_000);
  await expect(call('ListMissions', {})).resolves.toBeDefined();
}, 60_000);

it('CancelMission that waits for a row when mission-service is told to stop is done and answered', async () => {
  const dock = await world.dock();
  const planned = newMission(dock.sn, { kind: 'MISSION_KIND_TIMED', executeAt: seconds(Date.now() + 3_600_000) });
  const { mission } = await call('CreateMission', { mission: planned });
  const holder = new Postgres({ connectionString: world.stack.infrastructure.databaseUrl });
  await holder.connect();
  try {
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM mission.mission WHERE id = $1 FOR UPDATE', [mission['id']]);
    const cancelling = call('CancelMission', { id: mission['id'] });
    cancelling.catch(() => undefined);
    await eventually('it waits for the row', async () => {
      const { rowCount } = await holder.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'mission%' AND wait_event_type = 'Lock'`,
      );
      return rowCount !== null && rowCount > 0;
    });
    const stopping = world.stack.process('mission-service').stop('SIGTERM', 25_000);

    await eventually('mission-service listens no more', () =>
      world.stack.readiness('mission-service').then(
        () => false,
        () => true,
      ),
    );
    await holder.query('ROLLBACK');

    expect((await cancelling).mission).toMatchObject({ id: mission['id'], state: 'MISSION_STATE_CANCELED' });
    await stopping;
  } finally {
    await holder.end();
  }
  await world.stack.start('mission-service');
}, 90_000);

it('approves and refuses missions for a person, and nothing for a key', async () => {
  const dock = await world.dock();
  const [email, password] = ['ben@example.com', 'four words make one'];
  const { token } = good(await world.api.post<{ token: string }>('/invitations', { email, roles: ['pilot'] }));
  const nobody = new Api(world.stack.apiUrl, 'none');
  good(await nobody.post('/invitations/accept', { token, name: 'Ben', password }));
  const session = good(await nobody.post<{ token: string }>('/sessions', { email, password }));
  const ben = withKey(session.token);
  good(await world.api.put('/mission-policy', { approval: { missions: 'planned' } }));
  const plan = async (hours: number): Promise<Message> => {
    const executeAt = seconds(Date.now() + hours * 3_600_000);
    const { mission } = await call('CreateMission', {
      mission: newMission(dock.sn, { kind: 'MISSION_KIND_TIMED', executeAt }),
    });
    return mission;
  };
  const [first, second] = [await plan(2), await plan(4)];
  good(await world.api.put('/mission-policy', {}));
  expect(first).toMatchObject({
    state: 'MISSION_STATE_AWAITING_APPROVAL',
    approval: { state: 'APPROVAL_STATE_AWAITED' },
  });
  const { missions } = await call<{ missions: readonly Message[] }>('ListMissions', {
    states: ['MISSION_STATE_AWAITING_APPROVAL'],
  });
  expect(missions.map(({ id }) => id)).toEqual([second['id'], first['id']]);

  const named = { id: first['id'], expectedVersion: first['version'], reason: 'Quiet day.' };
  await expect(call('ApproveMission', named)).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  await expect(call('ApproveMission', { id: first['id'] }, ben)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
  const approved = await call('ApproveMission', named, ben);
  expect(approved.mission).toMatchObject({
    state: 'MISSION_STATE_SCHEDULED',
    approval: { state: 'APPROVAL_STATE_GIVEN', reason: 'Quiet day.' },
  });
  const refused = await call('RefuseMission', { id: second['id'] }, ben);
  expect(refused.mission).toMatchObject({
    state: 'MISSION_STATE_CANCELED',
    cause: { code: 'approval_refused' },
    approval: { state: 'APPROVAL_STATE_REFUSED' },
  });
}, 60_000);
