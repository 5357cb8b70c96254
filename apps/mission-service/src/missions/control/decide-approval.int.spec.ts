import { Caller, type CallParts, keyOfRole } from '@aerie/http-api/testing';
import { inTransaction } from '@aerie/persistence';
import { DEFAULT_POLICY, type MissionState, STATES } from '@aerie/mission-core';
import type { DataSource } from 'typeorm';
import { ROUTES } from '../../openapi/mission-api.js';
import { type RunningService, startService, tokenOf } from '../../openapi/running-service.fixture.js';
import { aKmz } from '../../waylines/kmz/kmz.fixture.js';
import { type Replica, aReplica, executes } from '../fixtures/due-replica.js';
import { accept } from '../fixtures/dock-holds.js';
import { aDockView, aMission, apply, timelineOf } from '../fixtures/mission-database.js';
import { findDue, lockMission, readClaimGuards } from '../store/flight-critical.js';
import { advance } from '../advance-mission.js';
import { guardExecute } from '../wakes/claim-guard.js';

let service: RunningService | undefined;
let caller: Caller;
let waylineId: string;
beforeAll(async () => {
  service = await startService();
  caller = new Caller({ url: service.url, routes: ROUTES, key: keyOfRole('fleet_admin') });
  const body = await aKmz();
  const uploaded = await as('anna', 'uploadWayline', {
    ...{ query: { name: 'irrelevant' }, body, contentType: 'application/vnd.google-earth.kmz' },
  });
  waylineId = String(uploaded.body['id']);
  await setPolicy({ missions: 'planned' });
}, 60_000);
afterAll(() => service?.stop(), 30_000);

const database = (): DataSource => service?.dataSource as DataSource;
const owner = (): DataSource => service?.owner as DataSource;

type Person = Parameters<typeof tokenOf>[0];
const as = (person: Person, operation: string, parts: CallParts = {}) =>
  caller.call(operation, { ...parts, key: tokenOf(person) });

/** The service believes what it has read of a policy for two seconds, but not what it has changed itself. */
const setPolicy = (approval: object) => caller.call('replaceMissionPolicy', { body: { approval } });

interface View {
  readonly id: string;
  readonly state: string;
  readonly version: number;
  readonly nextActionAt: string | null;
  readonly deadline: string;
  readonly cause: { readonly code: string; readonly endedBy: string | null } | null;
  readonly approval: {
    readonly state: string;
    readonly until: string | null;
    readonly decidedBy: string | null;
    readonly changedBy: string | null;
    readonly reason: string | null;
  } | null;
}
const viewOf = ({ body }: { readonly body: unknown }): View => body as View;

let hours = 1;
const nextHour = (): string => new Date(Date.now() + ++hours * 3_600_000).toISOString();
const body = (parts: object = {}) => ({
  ...{ dockSn: 'TWO-1', waylineId, kind: 'timed', executeAt: nextHour(), rthAltitudeMeters: 80, ...parts },
});

const plan = async (key: string, parts: object = {}): Promise<View> =>
  viewOf(await caller.call('createMission', { body: body(parts), key }));
const planned = (by: Person = 'anna', parts: object = {}): Promise<View> => plan(tokenOf(by), parts);

const decide = (by: Person, operation: 'approveMission' | 'refuseMission', { id, version }: View, reason?: string) =>
  as(by, operation, {
    ...{ params: { id }, headers: { 'If-Match': `"${version}"` } },
    ...(reason === undefined ? {} : { body: { reason } }),
  });
const find = async (id: string): Promise<View> => viewOf(await as('cora', 'getMission', { params: { id } }));

const moved = async (by: Person, { id }: View): Promise<View> =>
  viewOf(await as(by, 'rescheduleMission', { params: { id }, body: { executeAt: nextHour() } }));

/** What the docks of missions were told. */
const callsOf = (id: string) =>
  owner().query<{ method: string }[]>('SELECT method FROM mission.dock_call WHERE mission_id = $1', [id]);

async function due(id: string, nextActionAt = 'now()'): Promise<Replica> {
  await owner().query(`UPDATE mission.mission SET next_action_at = ${nextActionAt} WHERE id = $1`, [id]);
  const replica = aReplica(database());
  await replica.runner.run([id]);
  return replica;
}

describe('a mission that is planned where the policy asks for approvals', () => {
  it('is accepted, and waits until another person has approved it or its start window is over', async () => {
    const mission = await planned();
    expect(mission).toMatchObject({
      state: 'awaiting_approval',
      approval: { state: 'awaited', until: mission.deadline },
    });
    expect(mission.nextActionAt).toBe(mission.deadline);
  });

  it('tells its dock nothing, also when a replica looks at it early', async () => {
    const { id } = await planned();
    const replica = await due(id);
    expect([replica.carriedOut, await callsOf(id)]).toEqual([[], []]);
    expect((await find(id)).state).toBe('awaiting_approval');
  });

  it('is found by its state in lists', async () => {
    const { id } = await planned();
    const listed = await as('ben', 'listMissions', { query: { state: 'awaiting_approval', limit: '200' } });
    const items = listed.body['items'] as readonly View[];
    expect(items.map((item) => item.id)).toContain(id);
    expect(new Set(items.map(({ approval }) => approval?.state))).toEqual(new Set(['awaited']));
  });

  it.each([
    ['in a batch', async () => createBatch({})],
    ['in a batch of all or none', async () => createBatch({ allOrNothing: true })],
    ['at once', async () => planned('anna', { kind: 'immediate', executeAt: undefined, dockSn: 'TWO-NOW' })],
    ['by a key', async () => plan(keyOfRole('planner'))],
    ['to go on where another one stopped', resumed],
  ])('waits when it is planned %s', async (_how, accepted) => {
    expect(await accepted()).toMatchObject({ state: 'awaiting_approval', approval: { state: 'awaited' } });
  });

  it('is missed with its reason when nobody has approved it until its start window ends', async () => {
    const { id } = await planned();
    await owner().query(
      `UPDATE mission.mission SET deadline = now(),
              approval = approval || jsonb_build_object('untilMs', extract(epoch FROM now()) * 1000) WHERE id = $1`,
      [id],
    );
    await due(id);
    expect(await find(id)).toMatchObject({
      ...{ state: 'missed', cause: { code: 'approval_missing', endedBy: null }, approval: { state: 'missing' } },
    });
    expect(await callsOf(id)).toEqual([]);
  });

  it('needs no approval to be canceled, and holds its dock no longer then', async () => {
    const { id } = await planned();
    const canceled = viewOf(await as('anna', 'cancelMission', { params: { id } }));
    expect(canceled).toMatchObject({ state: 'canceled', approval: { state: 'missing' } });
    const held = await owner().query<unknown[]>('SELECT 1 FROM mission.dock_reservation WHERE holder_id = $1', [id]);
    expect(held).toEqual([]);
  });
});

async function createBatch(parts: object): Promise<View> {
  const answer = await as('anna', 'createMissions', { body: { missions: [body()], ...parts } });
  const [result] = answer.body['results'] as readonly { readonly mission: View }[];
  return result?.mission as View;
}

async function resumed(): Promise<View> {
  const id = await aMission(database(), { dockSn: 'TWO-STOPPED' });
  for (const event of ['prepareDue', 'prepareAccepted', 'executeDue', 'flightInProgress'] as const)
    await apply(database(), id, { type: event, edition: 1 });
  const point = { index: 1, state: 0, progress: 0.5, wayline_id: 0, latitude: 1, longitude: 1, height: 1 };
  await inTransaction(database(), async (tx) => {
    const locked = await lockMission(tx, id, null);
    if (locked === undefined) throw new Error('there is no such mission');
    const breakPoint = { ...point, break_reason: 773 } as never;
    await advance(tx, locked, { type: 'flightEnded', outcome: 'failed', dockResult: 321_773 }, { breakPoint });
  });
  // Its wayline is one that the service has not read: the route of fixtures.
  return viewOf(await as('anna', 'resumeFromBreakPoint', { params: { id }, body: { executeAt: nextHour() } }));
}

describe('an approval', () => {
  it('by another person lets the mission be prepared at its time, and says who gave it', async () => {
    const mission = await planned();
    const approved = viewOf(await decide('ben', 'approveMission', mission, 'Quiet day.'));
    expect(approved).toMatchObject({
      state: 'scheduled',
      approval: { state: 'given', until: null, decidedBy: 'person:ben', reason: 'Quiet day.' },
    });
    const entry = (await timelineOf(owner(), mission.id)).find(({ what }) => what === 'approvalGiven');
    expect(entry).toMatchObject({ to_state: 'scheduled', detail: { by: 'person:ben', reason: 'Quiet day.' } });
    const replica = await due(mission.id);
    expect(replica.carriedOut.flatMap(({ orders }) => orders.map(({ effect }) => effect))).toEqual(['sendPrepare']);
  });

  it('is on record with who gave it', async () => {
    const mission = await planned();
    await decide('ben', 'approveMission', mission);
    await service?.audit.keep();
    const records = await owner().query<{ actor: string }[]>(
      `SELECT to_jsonb(r)::text AS actor FROM mission.audit_record r WHERE to_jsonb(r)::text LIKE '%' || $1 || '%'`,
      [mission.id],
    );
    const ofApproval = records.filter(({ actor }) => actor.includes('approveMission'));
    expect(ofApproval).toHaveLength(1);
    expect(ofApproval[0]?.actor).toContain('person:ben');
  });

  it.each([
    ['the person who planned it', async () => ({ mission: await planned('anna'), by: 'anna' as const })],
    [
      'the person who made the key that planned it',
      async () => ({ mission: await plan(keyOfRole('planner')), by: 'anna' as const }),
    ],
    [
      'a person behind the key that was replaced by it',
      async () => ({ mission: await plan(keyOfRole('pilot')), by: 'anna' as const }),
    ],
    [
      'the person who moved it last',
      async () => ({ mission: await moved('ben', await planned('anna')), by: 'ben' as const }),
    ],
    [
      'the person who planned it before another one moved it',
      async () => ({ mission: await moved('ben', await planned('anna')), by: 'anna' as const }),
    ],
  ])('is refused to %s', async (_who, accepted) => {
    const { mission, by } = await accepted();
    const { status, body: problem } = await decide(by, 'approveMission', mission);
    expect([status, problem['code']]).toEqual([403, 'approver_has_planned']);
    expect((await find(mission.id)).state).toBe('awaiting_approval');
    expect((await decide('cora', 'approveMission', mission)).status).toBe(200);
  });

  it('is refused to a key, whatever its roles', async () => {
    const { id, version } = await planned();
    const asked = { params: { id }, headers: { 'If-Match': `"${version}"` }, key: keyOfRole('fleet_admin') };
    const { status, body: problem } = await caller.call('approveMission', asked);
    expect([status, problem['code']]).toEqual([403, 'approver_not_a_person']);
  });

  it('is refused where nobody can say who is behind the key that planned the mission', async () => {
    const mission = await planned();
    await owner().query(`UPDATE mission.mission SET created_by = 'nobodys' WHERE id = $1`, [mission.id]);
    const { status, body: problem } = await decide('ben', 'approveMission', mission);
    expect([status, problem['code']]).toEqual([409, 'planner_unknown']);
    expect((await find(mission.id)).state).toBe('awaiting_approval');
  });

  it('of a flight that goes on by itself is refused to the person who planned the one before', async () => {
    const [first, second, third] = [await planned('anna'), await planned('ben'), await planned('ben')];
    const resumes = (id: string, from: string) =>
      owner().query(`UPDATE mission.mission SET created_by = 'auto-resume', resumed_from = $2 WHERE id = $1`, [
        id,
        from,
      ]);
    await resumes(second.id, first.id);
    await resumes(third.id, second.id);
    const { status, body: problem } = await decide('anna', 'approveMission', third);
    expect([status, problem['code']]).toEqual([403, 'approver_has_planned']);
    expect((await decide('ben', 'approveMission', third)).status).toBe(200);
  });

  it.each([[{}], [{ 'If-Match': '*' }], [{ 'If-Match': '"1", "2"' }]])(
    'must name the version that was read, not %j',
    async (headers) => {
      const { id } = await planned();
      const { status, body: problem } = await as('ben', 'approveMission', { params: { id }, headers });
      expect([status, problem['errors']]).toMatchObject([422, [{ field: 'If-Match' }]]);
    },
  );

  it('is for the version that was read: after a change it is refused', async () => {
    const mission = await planned();
    await moved('anna', mission);
    expect((await decide('ben', 'approveMission', mission)).status).toBe(412);
    expect((await find(mission.id)).state).toBe('awaiting_approval');
  });

  it('falls when the mission is moved, and its dock, which holds it, is told to forget it', async () => {
    const mission = await planned();
    const approved = viewOf(await decide('ben', 'approveMission', mission));
    await apply(database(), mission.id, { type: 'prepareDue' });
    await apply(database(), mission.id, { type: 'prepareAccepted', edition: 1 });
    const again = await moved('anna', { ...approved, version: approved.version + 2 });
    expect(again).toMatchObject({
      state: 'awaiting_approval',
      approval: { state: 'awaited', decidedBy: null, changedBy: 'person:anna' },
    });
    expect((await callsOf(mission.id)).map(({ method }) => method)).toEqual(['flighttask_prepare', 'flighttask_undo']);
    expect(viewOf(await decide('ben', 'approveMission', again)).approval?.state).toBe('given');
  });

  it('given twice by the same person is one approval, and is refused to a second person', async () => {
    const mission = await planned();
    const first = viewOf(await decide('ben', 'approveMission', mission));
    expect(viewOf(await decide('ben', 'approveMission', mission))).toEqual(first);
    expect((await decide('cora', 'approveMission', mission)).status).toBe(412);
    const { status, body: problem } = await decide('cora', 'approveMission', first);
    expect([status, problem['code']]).toEqual([409, 'mission_state']);
    const given = (await timelineOf(owner(), mission.id)).filter(
      ({ what, kind }) => what === 'approvalGiven' && kind === 'decision',
    );
    expect(given).toHaveLength(1);
  });

  it('by two people at once is given by one of them', async () => {
    const mission = await planned();
    const answers = await Promise.all([
      decide('ben', 'approveMission', mission),
      decide('cora', 'approveMission', mission),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await find(mission.id)).approval?.decidedBy).toBe(viewOf(winner ?? { body: {} }).approval?.decidedBy);
  });

  it('at the same time as a cancel ends in one of both, and a canceled mission tells its dock nothing', async () => {
    for (let round = 0; round < 5; round++) {
      const mission = await planned();
      await Promise.all([
        decide('ben', 'approveMission', mission),
        as('anna', 'cancelMission', { params: { id: mission.id } }),
      ]);
      expect((await find(mission.id)).state).toBe('canceled');
      expect(await callsOf(mission.id)).toEqual([]);
    }
  });

  it('at the same time as a change never lets the changed plan through', async () => {
    for (let round = 0; round < 5; round++) {
      const mission = await planned();
      await Promise.all([
        decide('ben', 'approveMission', mission),
        as('anna', 'rescheduleMission', { params: { id: mission.id }, body: { executeAt: nextHour() } }),
      ]);
      expect(await find(mission.id)).toMatchObject({ state: 'awaiting_approval', approval: { state: 'awaited' } });
    }
  });

  it('is not possible for a mission that needs none, or of another organisation', async () => {
    await setPolicy({ missions: 'none' });
    const mission = await planned();
    await setPolicy({ missions: 'planned' });
    expect(mission).toMatchObject({ state: 'scheduled', approval: null });
    expect((await decide('ben', 'approveMission', mission)).status).toBe(409);
    const foreign = await aMission(database(), { organisationId: '22222222-2222-4222-8222-222222222222' });
    expect((await decide('ben', 'approveMission', { ...mission, id: foreign })).status).toBe(404);
    expect((await decide('ben', 'refuseMission', { ...mission, id: foreign })).status).toBe(404);
  });
});

describe('a refusal', () => {
  it('ends the mission with its reason; a repeat by the same person is harmless', async () => {
    const mission = await planned();
    const refused = viewOf(await decide('ben', 'refuseMission', mission, 'Too close to the concert.'));
    expect(refused).toMatchObject({
      ...{ state: 'canceled', cause: { code: 'approval_refused', endedBy: 'person' } },
      approval: { state: 'refused', decidedBy: 'person:ben', reason: 'Too close to the concert.' },
    });
    expect(viewOf(await decide('ben', 'refuseMission', mission))).toEqual(refused);
    expect((await decide('cora', 'approveMission', refused)).status).toBe(409);
  });
});

describe('the policy', () => {
  it('counts for missions that are planned after its change; others keep what they were planned with', async () => {
    const before = await planned();
    await setPolicy({ missions: 'none' });
    expect((await find(before.id)).state).toBe('awaiting_approval');
    const after = await planned();
    await setPolicy({ missions: 'planned' });
    expect(after.approval).toBeNull();
    expect((await find(after.id)).state).toBe('scheduled');
  });

  it('bounds how long a request for approval waits, and says so in the preview', async () => {
    await setPolicy({ missions: 'planned', lifetimeHours: 1 });
    const [mission, preview] = [await planned(), await as('anna', 'previewMission', { body: body() })];
    await setPolicy({ missions: 'planned' });
    const inMs = Date.parse(mission.approval?.until ?? '') - Date.now();
    expect(Math.round(inMs / 60_000)).toBe(60);
    const { approveBy } = preview.body['plan'] as { readonly approveBy: string };
    expect(Math.round((Date.parse(approveBy) - Date.now()) / 60_000)).toBe(60);
  });

  it.each([
    [{ missions: 'some' }, 'approval.missions'],
    [{ missions: 'all', lifetimeHours: 0 }, 'approval.lifetimeHours'],
    [{ missions: 'all', lifetimeHours: 721 }, 'approval.lifetimeHours'],
  ])('refuses %j and names %s', async (approval, field) => {
    const { status, body: problem } = await setPolicy(approval);
    expect([status, problem['errors']]).toMatchObject([422, [{ field }]]);
  });
});

describe('the database', () => {
  const unapproved = (): Promise<string> =>
    accept(database(), { dockSn: `D-${Math.random()}`, executeInMs: 3_600_000, approval: { lifetimeMs: null } });

  it.each(['scheduled', 'preparing', 'waiting_ready', 'prepared'])(
    'keeps a mission that nobody has approved from becoming %s, whoever writes it',
    async (state) => {
      const id = await unapproved();
      const write = owner().query('UPDATE mission.mission SET state = $2 WHERE id = $1', [id, state]);
      await expect(write).rejects.toThrow('mission_is_approved');
    },
  );

  it('refuses what a replica of the previous release writes as it moves an approved mission to another time', async () => {
    const id = await unapproved();
    await apply(database(), id, { type: 'approvalGiven' });
    const write = owner().query(
      `UPDATE mission.mission SET state = 'scheduled', edition = edition + 1, revision = revision + 1 WHERE id = $1`,
      [id],
    );
    await expect(write).rejects.toThrow('mission_is_approved');
  });

  it('shows no mission that awaits approval to a replica of the previous release that looks for what is due', async () => {
    const id = await unapproved();
    await owner().query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
    const dueTo = async (states: readonly MissionState[]) =>
      (await findDue(reads, [id], states, 10, 0)).map((row) => row.id);
    expect(await dueTo(STATES.filter((state) => state !== 'awaiting_approval'))).toEqual([]);
    expect(await dueTo(STATES)).toEqual([id]);
  });

  it('holds the claim of a mission whose approval is for another plan than it has', async () => {
    const id = await aMission(database());
    await apply(database(), id, { type: 'prepareDue' });
    await apply(database(), id, { type: 'prepareAccepted', edition: 1 });
    await owner().query('ALTER TABLE mission.mission DROP CONSTRAINT mission_is_approved');
    const eventOf = async (givenEdition: number) => {
      const approval = { lifetimeMs: null, untilMs: 0, givenEdition };
      await owner().query(
        `UPDATE mission.mission SET approval = $2, next_action_at = now(), prepared_fingerprint = repeat('b', 32) WHERE id = $1`,
        [id, JSON.stringify(approval)],
      );
      return inTransaction(database(), async (tx) => {
        const locked = await lockMission(tx, id, null);
        if (locked === undefined) throw new Error('there is no such mission');
        const guard = (await readClaimGuards(tx, [id])).get(id);
        const record = { sn: locked.dock_sn } as never;
        const around = { guard, record, view: aDockView(locked.dock_sn), policy: DEFAULT_POLICY, way: null };
        return guardExecute(locked, around).event;
      });
    };
    expect(await eventOf(7)).toEqual({ type: 'executeHeld', because: 'approval_missing' });
    expect(executes(await due(id))).toEqual([]);
    expect(await eventOf(1)).not.toMatchObject({ because: 'approval_missing' });
    expect(executes(await due(id))).toEqual([id]);
  });
});

const reads = { query: <Row>(sql: string, values: readonly unknown[] = []) => owner().query<Row[]>(sql, [...values]) };
