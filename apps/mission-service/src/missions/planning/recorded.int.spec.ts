import { jest } from '@jest/globals';
import { Caller, keyOfRole } from '@aerie/http-api/testing';
import { Tx } from '@aerie/persistence';
import { eventually } from '@aerie/testing';
import { ROUTES } from '../../openapi/mission-api.js';
import { API_KEY, type RunningService, startService, tokenOf } from '../../openapi/running-service.fixture.js';
import { aKmz } from '../../waylines/kmz/kmz.fixture.js';

// Goal: no change without its record, no record without its change, and no mission that waits for either.

let service: RunningService;
let caller: Caller;
let waylineId: string;
beforeAll(async () => {
  service = await startService();
  caller = new Caller({ url: service.url, routes: ROUTES, key: API_KEY });
  const kmz = { query: { name: 'first' }, body: await aKmz(), contentType: 'application/vnd.google-earth.kmz' };
  waylineId = String((await caller.call('uploadWayline', kmz)).body['id']);
}, 60_000);
afterAll(() => service?.stop(), 30_000);
afterEach(() => jest.restoreAllMocks());

interface Shown {
  readonly by: string;
  readonly status: number | null;
  readonly operationId: string;
  readonly resources: Readonly<Record<string, string>>;
}

async function recordsOf(query: Readonly<Record<string, string>>): Promise<Shown[]> {
  await service.audit.keep();
  const { body } = await caller.call('listMissionAuditRecords', { query: { limit: '200', ...query } });
  return body['items'] as Shown[];
}

let docks = 0;
const aTimed = () => ({
  ...{ dockSn: `TWO-${++docks}`, waylineId, kind: 'timed', rthAltitudeMeters: 80 },
  executeAt: new Date(Date.now() + 3_600_000).toISOString(),
});
const create = () => caller.call('createMission', { body: aTimed() });
const missions = async (): Promise<number> =>
  Number((await service.owner.query<[{ count: string }]>('SELECT count(*) AS count FROM mission.mission'))[0].count);

/** Whatever is asked for meanwhile, its record cannot be written. */
async function withoutRecords(work: () => Promise<void>): Promise<void> {
  await service.owner.query('REVOKE INSERT ON mission.audit_intake FROM mission_api');
  try {
    await work();
  } finally {
    await service.owner.query('GRANT INSERT ON mission.audit_intake TO mission_api');
  }
}

it('plans, moves and calls off nothing whose record cannot be written', async () => {
  const { body } = await create();
  const [params, before] = [{ id: String(body['id']) }, await missions()];
  const stateOf = async () => (await caller.call('getMission', { params })).body;
  const { version } = await stateOf();
  await withoutRecords(async () => {
    const executeAt = new Date(Date.now() + 7_200_000).toISOString();
    // No answer that is described: it is a fault of ours.
    await expect(create()).rejects.toThrow('createMission 500');
    await expect(caller.call('rescheduleMission', { params, body: { executeAt } })).rejects.toThrow('500');
    await expect(caller.call('cancelMission', { params })).rejects.toThrow('500');
  });
  expect(await missions()).toBe(before);
  expect(await stateOf()).toMatchObject({ state: 'scheduled', version });
});

it('approves and refuses nothing whose record cannot be written', async () => {
  await caller.call('replaceMissionPolicy', { body: { approval: { missions: 'planned' } } });
  const { body } = await create();
  await caller.call('replaceMissionPolicy', { body: {} });
  const asked = { params: { id: String(body['id']) }, headers: { 'If-Match': '"1"' }, key: tokenOf('ben') };
  await withoutRecords(async () => {
    await expect(caller.call('approveMission', asked)).rejects.toThrow('500');
    await expect(caller.call('refuseMission', asked)).rejects.toThrow('500');
  });
  const { body: left } = await caller.call('getMission', { params: asked.params });
  expect(left).toMatchObject({ state: 'awaiting_approval', version: 1 });
});

it('has one record of a request that was carried out: who, about what, and how it was answered', async () => {
  const { body } = await create();
  const id = String(body['id']);
  await caller.call('cancelMission', { params: { id } });
  expect((await caller.call('cancelMission', { params: { id }, headers: { 'If-Match': '"77"' } })).status).toBe(412);
  const found = await eventually('three records', async () => {
    const records = await recordsOf({ resourceId: id });
    return records.length >= 3 && records;
  });
  expect(found.map(({ operationId, status, by, resources }) => [operationId, status, by, resources])).toEqual([
    ['cancelMission', 412, 'key:key-1', { id }],
    ['cancelMission', 200, 'key:key-1', { id }],
    ['createMission', 201, 'key:key-1', { missionId: id }],
  ]);
});

it('writes the records of a batch with one statement in each transaction that makes missions', async () => {
  const sent: string[] = [];
  const run = Reflect.get<Tx, 'run'>(Tx.prototype, 'run');
  jest.spyOn(Tx.prototype, 'run').mockImplementation(function (this: Tx, sql, parameters) {
    sent.push(sql);
    return run.call(this, sql, parameters);
  });
  const { body } = await caller.call('createMissions', { body: { missions: Array.from({ length: 500 }, aTimed) } });
  jest.restoreAllMocks();
  const ids = (body['results'] as { mission: { id: string } }[]).map(({ mission }) => mission.id);
  const count = (what: string): number => sent.filter((sql) => sql.includes(what)).length;
  expect(count('INSERT INTO mission.audit_intake')).toBe(count('INSERT INTO mission.mission ('));
  expect(count('INSERT INTO mission.mission (')).toBeLessThan(20);
  await service.audit.keep();
  const rows = await service.owner.query<{ id: string; status: number }[]>(
    `SELECT resources->>'missionId' AS id, status FROM mission.audit_record WHERE operation_id = 'createMissions'`,
  );
  expect(rows.map(({ id }) => id).sort()).toEqual(ids.sort());
  expect(new Set(rows.map(({ status }) => status))).toEqual(new Set([200]));
}, 60_000);

it('has a record of each mission of a batch that was refused, also by a role (N32)', async () => {
  const { executeAt: _now, ...rest } = aTimed();
  const both = [{ ...rest, kind: 'immediate' }, aTimed(), { ...aTimed(), dockSn: 'GONE-1' }];
  await caller.call('createMissions', { key: keyOfRole('planner'), body: { missions: both } });
  const records = (await recordsOf({ operationId: 'createMissions' })).filter(({ by }) => by === 'key:planner');
  expect(records.map(({ status, resources }) => [status, resources['index']])).toEqual(
    expect.arrayContaining([
      [403, '0'],
      [200, undefined],
      [404, '2'],
    ]),
  );
  expect(records).toHaveLength(3);
});
