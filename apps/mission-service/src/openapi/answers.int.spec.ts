import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  type DockFact,
  MISSION_FACTS,
  type MissionFactName,
  releaseDockQuestion,
  cutOffDockQuestion,
  endCutOffQuestion,
  takeDockQuestion,
} from '@aerie/bus-contract';
import {
  type CallParts,
  Caller,
  describeAudit,
  describePermissions,
  describeRefusedInput,
  keyOfRole,
  successesOf,
} from '@aerie/http-api/testing';
import { type NatsConnection, ask } from '@aerie/messaging';
import { type MissionEvent, DEFAULT_POLICY } from '@aerie/mission-core';
import { inTransaction, ofAnyOrganisation } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { type Evidence, advance } from '../missions/advance-mission.js';
import { AutoResume } from '../missions/breakpoints/auto-resume.js';
import { CONTROL_ACTIONS } from '../missions/control/controls.js';
import { handle, progress } from '../missions/fixtures/dock-words.js';
import { aDockView, aMission } from '../missions/fixtures/mission-database.js';
import { PolicyStore } from '../missions/store/policy.store.js';
import { detailPrune } from '../missions/retention/ended-missions.js';
import { judgeDock } from '../missions/preflight/judge-dock.js';
import { lockMission, recordReplies } from '../missions/store/flight-critical.js';
import { applyUplinks } from '../missions/uplink/apply-uplinks.js';
import { aConfig, aFolder, aKmz, aPoint, aWaylines } from '../waylines/kmz/kmz.fixture.js';
import { MISSION_API, ROUTES } from './mission-api.js';
import { API_KEY, ORGANISATION, type RunningService, startService, tokenOf } from './running-service.fixture.js';

let service: RunningService | undefined;
let caller: Caller;
let kmz: Buffer;
let waylineId: string;
beforeAll(async () => {
  service = await startService();
  caller = new Caller({ url: service.url, routes: ROUTES, key: API_KEY });
  kmz = await aKmz();
  const { body } = await upload('first');
  waylineId = String(body['id']);
}, 60_000);
afterAll(() => service?.stop(), 30_000);

const database = (): DataSource => service?.dataSource as DataSource;

const upload = (name: string) =>
  caller.call('uploadWayline', { query: { name }, body: kmz, contentType: 'application/vnd.google-earth.kmz' });

/** Each mission has its own hour, so that none is in the way of another. */
let hours = 1;
const nextHour = (): string => new Date(Date.now() + ++hours * 3_600_000).toISOString();

/** fetch asks past every copy where it is told a tag; a caller with a copy does not. */
const FRESH = { 'Cache-Control': 'max-age=0' };

const aTimed = (parts: Readonly<Record<string, unknown>> = {}): CallParts => ({
  body: { dockSn: 'TWO-1', waylineId, kind: 'timed', executeAt: nextHour(), rthAltitudeMeters: 80, ...parts },
});

async function planned(parts: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { body } = await caller.call('createMission', aTimed(parts));
  return String(body['id']);
}

async function happens(id: string, event: MissionEvent, evidence: Evidence = {}): Promise<void> {
  await inTransaction(database(), async (tx) => {
    const locked = await lockMission(tx, id, null);
    if (locked === undefined) throw new Error(`there is no mission ${id}`);
    await advance(tx, locked, event, evidence);
  });
}

const PROGRESS = {
  status: 'in_progress',
  percent: 12.5,
  currentStep: 19,
  waypointIndex: 1,
  mediaCount: null,
  reportedAt: new Date().toISOString(),
};

async function aFlight(dockSn?: string): Promise<string> {
  const id = await aMission(database(), dockSn === undefined ? {} : { dockSn });
  await happens(id, { type: 'prepareDue' });
  await happens(id, { type: 'prepareAccepted', edition: 1 });
  await happens(id, { type: 'executeDue' });
  await happens(id, { type: 'flightInProgress' }, { progress: PROGRESS });
  return id;
}

describe('waylines answer as described', () => {
  it('when the same bytes come again', async () => {
    const { status, body } = await upload('second');
    expect([status, body['warnings']]).toEqual([200, []]);
  });

  it('when they are listed and shown', async () => {
    await caller.call('listWaylines', { query: { limit: '1' } });
    await caller.call('getWayline', { params: { id: waylineId } });
    await caller.call('getWaylineRoute', { params: { id: waylineId } });
  });

  it('when one is renamed, archived and taken back: only then it can be planned again', async () => {
    const params = { id: waylineId };
    const change = async (body: object) => (await caller.call('changeWayline', { params, body })).body;
    const before = await planned();
    expect(await change({ name: 'Perimeter' })).toMatchObject({ name: 'Perimeter', archivedAt: null });
    expect(await change({ archived: true })).toMatchObject({ name: 'Perimeter', archivedAt: expect.any(String) });
    const listed = async (archived: string) =>
      ((await caller.call('listWaylines', { query: { archived } })).body['items'] as { id: string }[]).map(
        ({ id }) => id,
      );
    expect([(await listed('false')).includes(waylineId), (await listed('true')).includes(waylineId)]).toEqual([
      false,
      true,
    ]);
    const refused = await caller.call('createMission', aTimed({}));
    expect([refused.status, refused.body['code']]).toEqual([409, 'wayline_archived']);
    const moved = await caller.call('rescheduleMission', { params: { id: before }, body: { executeAt: nextHour() } });
    expect([moved.status, moved.body['state']]).toEqual([200, 'scheduled']);
    // The same bytes again are a wish to fly them.
    expect((await upload('again')).body).toMatchObject({ id: waylineId, archivedAt: null });
    await change({ archived: true });
    expect(await change({ archived: false })).toMatchObject({ archivedAt: null });
    expect((await caller.call('changeWayline', { params, body: {} })).status).toBe(422);
    expect(
      (await caller.call('changeWayline', { params: { id: randomUUID() }, body: { archived: true } })).status,
    ).toBe(404);
  });

  it('when there is no such one, or what comes is no route', async () => {
    await caller.call('getWayline', { params: { id: randomUUID() } });
    const { status } = await caller.call('uploadWayline', { body: 'no zip', contentType: 'application/octet-stream' });
    expect(status).toBe(422);
  });

  it('when the file is too large', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    const { status } = await caller.call('uploadWayline', { body, contentType: 'application/octet-stream' });
    expect(status).toBe(413);
  });
});

describe('missions answer as described', () => {
  it.each([
    [
      'timed, with everything that can be said',
      { startWindowMs: 10_000, executeLeadMs: 60_000, prepareLeadMs: 600_000 },
    ],
    ['simulated', { simulate: { latitude: 47.3, longitude: 8.5 }, storageNeededMegabytes: 500, flightAreaCheck: true }],
    [
      'conditional',
      {
        kind: 'conditional',
        executeAt: undefined,
        window: { from: new Date(Date.now() + 60_000).toISOString(), until: Date.now() + 3_600_000 },
      },
    ],
  ])('when one is planned that is %s', async (_what, parts) => {
    const { status } = await caller.call('createMission', aTimed({ dockSn: `TWO-${hours}`, ...parts }));
    expect(status).toBe(201);
  });

  it('when one is only thought through, also where another has the dock', async () => {
    const executeAt = nextHour();
    await planned({ executeAt });
    const { status, body } = await caller.call('createMission', {
      ...aTimed({ executeAt }),
      query: { dryRun: 'true' },
    });
    expect({ status, verdict: body['verdict'] }).toEqual({ status: 200, verdict: 'no_go' });
    expect((await caller.call('createMission', aTimed({ executeAt }))).status).toBe(409);
    const preview = await caller.call('previewMission', aTimed({ executeAt }));
    expect(preview.body).toMatchObject({ verdict: 'no_go', plan: { executeAt: expect.any(String) } });
  });

  it('when they are listed by a span of time: one that ends before it begins, and the former name, are refused', async () => {
    const [early, late] = [nextHour(), nextHour()];
    expect((await caller.call('listMissions', { query: { from: early, until: late } })).status).toBe(200);
    const fieldsOf = async (query: Readonly<Record<string, string>>) =>
      (await caller.call('listMissions', { query })).body['errors'];
    expect(await fieldsOf({ from: late, until: early })).toMatchObject([{ field: 'until' }]);
    expect(await fieldsOf({ to: late })).toMatchObject([
      { field: 'to', message: expect.stringMatching(/^is called until/) },
    ]);
  });

  describe('with the distance from the dock to the route', () => {
    const distanceOf = (body: Readonly<Record<string, unknown>>) => {
      const { rules } = body['preflight'] as { rules: { rule: string }[] };
      return rules.find(({ rule }) => rule === 'distance');
    };
    const previewOf = async (parts: Readonly<Record<string, unknown>>) =>
      (await caller.call('previewMission', aTimed(parts))).body;

    it('when the route is near', async () => {
      const body = await previewOf({});
      expect(body['verdict']).toBe('go');
      expect(distanceOf(body)).toMatchObject({
        verdict: 'go',
        input: 223,
        limit: 5_000,
        margin: 4_777,
        unit: 'meters',
      });
    });

    it('when the route is on the other side of the earth: the mission is not go', async () => {
      const points = [aPoint(0, { coordinates: '96.5,6.6' }), aPoint(1, { coordinates: '96.5,6.601' })];
      const body = await aKmz({ waylines: aWaylines(aConfig(), [aFolder({ points })]) });
      const contentType = 'application/vnd.google-earth.kmz';
      const far = (await caller.call('uploadWayline', { query: { name: 'far' }, body, contentType })).body;
      // The wayline itself never changes: the warning is about the docks as they are now.
      expect(far['warnings']).toMatchObject([{ message: expect.stringContaining('nearest to dock TWO-1') }]);
      const stored = await caller.call('getWayline', { params: { id: String(far['id']) } });
      expect(stored.body['warnings']).toEqual([]);
      const preview = await previewOf({ waylineId: String(far['id']) });
      expect(preview['verdict']).toBe('no_go');
      expect(distanceOf(preview)).toMatchObject({ verdict: 'no_go', input: expect.any(Number), limit: 5_000 });
    });

    describe('and with the way there and back in the planned duration', () => {
      /** 223 m along the route, beginning 1,112 m and ending 1,334 m north of the dock. */
      const points = ['47.31', '47.311', '47.312'].map((latitude, at) =>
        aPoint(at, { coordinates: `8.5,${latitude}` }),
      );
      let beyond: string;
      beforeAll(async () => {
        const body = await aKmz({ waylines: aWaylines(aConfig(), [aFolder({ points })]) });
        const contentType = 'application/vnd.google-earth.kmz';
        beyond = String(
          (await caller.call('uploadWayline', { query: { name: 'beyond' }, body, contentType })).body['id'],
        );
      });
      /** Along the route at 5 m/s; there and back at 10 m/s. */
      const ALONG_SECONDS = 222.4 / 5;
      const THERE_AND_BACK_SECONDS = (1_112 + 1_334.3) / 10;
      const secondsOf = (body: Readonly<Record<string, unknown>>) =>
        (body['plan'] as { plannedDurationSeconds: number }).plannedDurationSeconds;

      it('when it is previewed', async () => {
        const body = await previewOf({ waylineId: beyond });
        expect(secondsOf(body)).toBeCloseTo(ALONG_SECONDS + THERE_AND_BACK_SECONDS, 0);
        expect(secondsOf(await previewOf({ waylineId: beyond, dockSn: 'LOST-2' }))).toBeCloseTo(ALONG_SECONDS, 0);
      });

      it('when it reserves its dock, and when a decision is made on it', async () => {
        const spanOf = async (dockSn: string) => {
          const id = await planned({ waylineId: beyond, dockSn });
          const [row] = await database().query<{ seconds: number }[]>(
            `SELECT extract(epoch FROM upper(during) - lower(during))::float8 AS seconds
               FROM mission.dock_reservation WHERE holder_id = $1`,
            [id],
          );
          const locked = await inTransaction(database(), (tx) => lockMission(tx, id, null));
          return { reserved: row?.seconds ?? 0, decided: (locked?.planned_duration_ms ?? 0) / 1_000 };
        };
        const [near, lost] = [await spanOf('TWO-BEYOND'), await spanOf('LOST-3')];
        expect(near.reserved - lost.reserved).toBeCloseTo(THERE_AND_BACK_SECONDS, 0);
        expect(near.decided).toBeCloseTo(ALONG_SECONDS + THERE_AND_BACK_SECONDS, 0);
      });

      it('when a mission was planned by an older release: that of its wayline counts', async () => {
        const id = await planned({ waylineId: beyond });
        await database().query('UPDATE mission.mission SET planned_duration_ms = NULL WHERE id = $1', [id]);
        const locked = await inTransaction(database(), (tx) => lockMission(tx, id, null));
        expect((locked?.planned_duration_ms ?? 0) / 1_000).toBeCloseTo(ALONG_SECONDS, 0);
      });
    });

    it('when the position of the dock is unknown: that passes, and says how to enter it', async () => {
      const body = await previewOf({ dockSn: 'LOST-1' });
      expect(body['verdict']).toBe('go');
      const message = expect.stringContaining('PUT /api/v1/docks/{sn}/position');
      expect(distanceOf(body)).toMatchObject({ verdict: 'unknown', input: null, message });
    });
  });

  it.each(['dry_run', 'dryrun', 'DryRun'])('when a dry run is misspelt as %s: nothing is planned', async (name) => {
    const dockSn = `TWO-${name}`;
    const { status, body } = await caller.call('createMission', { ...aTimed({ dockSn }), query: { [name]: 'true' } });
    expect([status, body['code'], body['knownParameters']]).toEqual([422, 'unknown_parameter', ['dryRun']]);
    expect((await caller.call('listMissions', { query: { dockSn } })).body['items']).toEqual([]);
  });

  it('when a field comes twice: nothing is planned', async () => {
    const dockSn = 'TWO-TWICE';
    const text = JSON.stringify(aTimed({ dockSn }).body).replace('{', `{"kind":"immediate",`);
    const { status, body } = await caller.call('createMission', { body: text });
    expect([status, body['code']]).toEqual([422, 'repeated_field']);
    expect((await caller.call('listMissions', { query: { dockSn } })).body['items']).toEqual([]);
  });

  it('when one is immediate and says within which time it starts', async () => {
    const parts = { dockSn: 'TWO-NOW', kind: 'immediate', executeAt: undefined, startWithinMs: 8_000 };
    const { status, body } = await caller.call('createMission', aTimed(parts));
    expect([status, body['startWithinMs']]).toEqual([201, 8_000]);
    const withinMs = Date.parse(String(body['deadline'])) - Date.parse(String(body['createdAt']));
    // The plan is made before the row is written.
    expect(withinMs).toBeGreaterThan(7_000);
    expect(withinMs).toBeLessThanOrEqual(8_000);
  });

  it.each([
    ['no key', 401, { key: null }],
    ['a bad key', 401, { key: 'bad' }],
    ['a body that is no JSON', 400, { body: '{' }],
    ['a body that is too large', 413, { body: { name: 'x'.repeat(70_000) } }],
    ['a field that nobody knows', 422, { body: { unheardOf: 1 } }],
    ['a dry run that is neither true nor false', 422, { query: { dryRun: 'perhaps' }, body: {} }],
    ['an unknown dock', 404, { body: { dockSn: 'GONE-1', kind: 'immediate', rthAltitudeMeters: 80 } }],
  ])('when the request has %s', async (_what, status, { body, ...parts }: CallParts) => {
    const whole = typeof body === 'object' ? { waylineId, ...body } : body;
    expect((await caller.call('createMission', { ...parts, body: whole })).status).toBe(status);
  });

  it('when they are listed and shown', async () => {
    await planned();
    const { body } = await caller.call('listMissions', {
      query: { limit: '1', state: 'scheduled,preparing', sort: 'time' },
    });
    expect(body['nextCursor']).not.toBeNull();
    expect((await caller.call('listMissions', { query: { state: 'lost' } })).status).toBe(422);
    expect((await caller.call('getMission', { params: { id: randomUUID() } })).status).toBe(404);
  });

  it('when one is moved, called off, and moved once more', async () => {
    const params = { id: await planned() };
    await caller.call('rescheduleMission', { params, body: { executeAt: nextHour() }, headers: { 'If-Match': '*' } });
    const outdated = await caller.call('cancelMission', { params, headers: { 'If-Match': '"1"' } });
    expect({ status: outdated.status, version: outdated.body['version'] }).toEqual({ status: 412, version: 2 });
    expect((await caller.call('cancelMission', { params, body: { reason: 'fog' } })).status).toBe(200);
    expect((await caller.call('rescheduleMission', { params, body: { executeAt: nextHour() } })).status).toBe(409);
    await caller.call('getMission', { params });
  });

  it('when one awaits the approval of another person, gets it, or is refused', async () => {
    await caller.call('replaceMissionPolicy', { body: { approval: { missions: 'planned' } } });
    const [approved, refused] = [await planned(), await planned()];
    await caller.call('replaceMissionPolicy', { body: {} });
    const ask = (operation: string, id: string) =>
      caller.call(operation, { params: { id }, headers: { 'If-Match': '"1"' }, key: tokenOf('ben') });
    expect((await ask('approveMission', approved)).body['approval']).toMatchObject({ state: 'given' });
    expect((await ask('refuseMission', refused)).body['approval']).toMatchObject({ state: 'refused' });
    await caller.call('getMission', { params: { id: refused } });
  });

  it('when one of a dock that is no longer in service is to be moved', async () => {
    const id = await aMission(database(), { dockSn: 'GONE-1', kind: 'timed', executeInMs: 3_600_000 });
    const { status, body } = await caller.call('rescheduleMission', {
      params: { id },
      body: { executeAt: nextHour() },
    });
    expect([status, body['code']]).toEqual([409, 'dock_retired']);
    expect((await caller.call('cancelMission', { params: { id } })).status).toBe(200);
  });

  it('when a rule holds one back', async () => {
    const id = await aMission(database());
    await happens(id, { type: 'prepareDue' });
    await happens(id, { type: 'prepareAccepted', edition: 1 });
    const wish = {
      kind: 'timed' as const,
      simulate: null,
      positioning: 'rtk' as const,
      planned_duration_ms: 1_000,
      storage_needed_megabytes: null,
      auto_resume_count: 0,
      model: 'dock2' as const,
      ...{ aircraft_model_key: '0-91-1', names_sub_type: true, payload_model_keys: null },
    };
    const { properties } = aDockView('x');
    const view = { ...aDockView('x'), properties: { ...properties, rainfall: { value: 3, agoMs: 0 } } };
    const distances = { firstMeters: 0, farthestMeters: 0, lastMeters: 0 };
    const way = { distances, durationMs: 1_000 };
    const calm = { blockedBy: null, exportsLogs: false, cutOff: false, getsReadyForThis: false };
    const around = { view, record: undefined, heardAgoMs: 0, ...calm, way };
    const result = judgeDock('execute', wish, around, DEFAULT_POLICY);
    await happens(id, { type: 'executeHeld', because: 'preflight_no_go' }, { preflight: { stage: 'execute', result } });
    const { body } = await caller.call('getMission', { params: { id } });
    expect(body['cause']).toMatchObject({ code: 'preflight_no_go', failedRules: ['rain'] });
    await caller.call('getPreflight', { params: { id } });
  });

  it('when one stopped and another goes on', async () => {
    const id = await aFlight();
    expect((await caller.call('resumeFromBreakPoint', { params: { id } })).status).toBe(409);
    const point = {
      index: 1,
      state: 0,
      progress: 0.5,
      wayline_id: 0,
      break_reason: 773,
      latitude: 47.3,
      longitude: 8.5,
    };
    const event: MissionEvent = { type: 'flightEnded', outcome: 'failed', dockResult: 321_773 };
    await happens(id, event, { breakPoint: point, progress: { ...PROGRESS, status: 'failed', mediaCount: 4 } });
    const { body } = await caller.call('getMission', { params: { id } });
    expect(body['cause']).toMatchObject({ dockResult: 321_773, dockError: { retry: expect.any(String) } });
    const points = await caller.call('listBreakPoints', { params: { id } });
    expect(points.body['items']).toMatchObject([{ resumable: true, meaning: { en: expect.any(String) } }]);
    const resumed = await caller.call('resumeFromBreakPoint', { params: { id }, body: { executeAt: nextHour() } });
    expect(resumed).toMatchObject({ status: 201, body: { resumedFrom: id } });
  });

  it('when nobody knows the end of one, whoever finds it out', async () => {
    const [person, dock] = [await aFlight(), await aFlight()];
    expect((await caller.call('resolveMission', { params: { id: person }, body: { note: 'x' } })).status).toBe(409);
    for (const id of [person, dock]) await happens(id, { type: 'observationGivenUp' });
    await caller.call('resolveMission', { params: { id: person }, body: { note: 'it is unharmed' } });
    const late = { progress: PROGRESS, detail: { tid: 'tid-1' } };
    await happens(dock, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 }, late);
    const { body } = await caller.call('getMission', { params: { id: dock } });
    expect(body['resolution']).toMatchObject({ by: 'dock', event: { type: 'flightEnded' } });
    await caller.call('getMission', { params: { id: person } });
  });
});

describe('a new mission', () => {
  it('finds its wayline also by an id in capital letters', async () => {
    const answer = await caller.call(
      'createMission',
      aTimed({ dockSn: 'TWO-CAPITALS', waylineId: waylineId.toUpperCase() }),
    );
    expect([answer.status, answer.body['waylineId']]).toEqual([201, waylineId]);
  });

  it('is refused with half a character in its name, which nobody can store', async () => {
    const { status, body } = await caller.call('createMission', aTimed({ dockSn: 'TWO-HALF', name: 'a \ud83d' }));
    expect([status, body['errors']]).toMatchObject([422, [{ field: 'name' }]]);
  });
});

describe('many missions in one request', () => {
  interface Result {
    readonly status: number;
    readonly mission?: { readonly id: string; readonly dockSn: string };
    readonly problem?: { readonly code: string; readonly errors?: readonly { readonly field: string }[] };
  }
  let batches = 0;
  /** Docks that no other test has. */
  const docks = (count: number): string[] => {
    const batch = ++batches;
    return Array.from({ length: count }, (_, index) => `TWO-BATCH-${batch}-${index}`);
  };
  const one = (dockSn: string, parts: Readonly<Record<string, unknown>> = {}) => ({
    ...{ dockSn, waylineId, kind: 'timed', executeAt: new Date(Date.now() + 3_600_000).toISOString() },
    ...{ rthAltitudeMeters: 80, ...parts },
  });
  const send = async (body: Readonly<Record<string, unknown>>, key?: string) => {
    const headers = key === undefined ? {} : { 'Idempotency-Key': key };
    const answer = await caller.call('createMissions', { body, headers });
    return { ...answer, results: (answer.body['results'] ?? []) as readonly Result[] };
  };
  const plannedOn = async (sns: readonly string[]): Promise<number> => {
    const rows = await database().query<unknown[]>('SELECT 1 FROM mission.mission WHERE dock_sn = ANY($1)', [sns]);
    return rows.length;
  };

  it('get each the verdict that it would get alone, in the order of the request', async () => {
    const [first = '', second = ''] = docks(2);
    const { status, results } = await send({
      missions: [
        one(first),
        one(first),
        one(second, { rthAltitudeMeters: 5 }),
        one(second, { waylineId: randomUUID() }),
        one(second, { name: 'no\u0000text' }),
        null,
        one(second),
      ],
    });
    expect(status).toBe(200);
    expect(results.map((result) => [result.status, result.mission?.dockSn ?? result.problem?.code])).toEqual([
      [201, first],
      [409, 'dock_taken'],
      [422, 'invalid_input'],
      [404, 'unknown_wayline'],
      [422, 'invalid_input'],
      [422, 'invalid_input'],
      [201, second],
    ]);
    expect(results[1]?.problem).toMatchObject({ conflicts: [{ id: results[0]?.mission?.id }] });
    expect(results[2]?.problem?.errors).toMatchObject([{ field: 'rthAltitudeMeters' }]);
    expect(await plannedOn([first, second])).toBe(2);
  });

  it('name a time to one that is refused at which it is accepted, also beside those of the same request', async () => {
    const [sn = ''] = docks(1);
    const { results } = await send({ missions: [one(sn), one(sn)] });
    const { earliestExecuteAt } = results[1]?.problem as { earliestExecuteAt?: string };
    expect((await send({ missions: [one(sn, { executeAt: earliestExecuteAt })] })).results[0]?.status).toBe(201);
  });

  it('are planned, all 300 of them, though their text is larger than other bodies may be', async () => {
    const sns = docks(300);
    const body = {
      missions: sns.map((sn) =>
        one(sn, { name: 'Roof of the northern hall, both halves, and the yard with its fence' }),
      ),
    };
    expect(JSON.stringify(body).length).toBeGreaterThan(64 * 1024);
    const { results } = await send(body);
    expect(results.filter(({ status }) => status === 201)).toHaveLength(300);
    expect(results.map(({ mission }) => mission?.dockSn)).toEqual(sns);
    const { body: tooMany } = await send({ missions: docks(501).map((sn) => one(sn)) });
    expect(tooMany['errors']).toMatchObject([{ field: 'missions' }]);
  }, 30_000);

  it.each([false, true])('are planned once when the request is repeated with its key, allOrNothing %s', async (all) => {
    const sns = docks(3);
    const [key, body] = [randomUUID(), { missions: sns.map((sn) => one(sn)), allOrNothing: all }];
    const answers = await Promise.all([send(body, key), send(body, key), send(body, key)]);
    answers.push(await send(body, key));
    for (const { results } of answers) expect(results).toEqual(answers[0]?.results);
    expect(answers[0]?.results.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(await plannedOn(sns)).toBe(3);
  });

  it('are tried again, those that were refused, when the request is repeated with its key', async () => {
    const [free = '', taken = ''] = docks(2);
    const other = (await send({ missions: [one(taken)] })).results[0]?.mission?.id ?? '';
    const [key, body] = [randomUUID(), { missions: [one(free), one(taken)] }];
    const before = await send(body, key);
    expect(before.results.map(({ status }) => status)).toEqual([201, 409]);
    await caller.call('cancelMission', { params: { id: other } });
    const after = await send(body, key);
    expect(after.results[0]).toEqual(before.results[0]);
    expect(after.results[1]?.status).toBe(201);
  });

  it('are not planned, none of them, when one is refused and all or none were wanted', async () => {
    const sns = docks(3);
    const missions = [one(sns[0] ?? ''), one(sns[1] ?? ''), one(sns[1] ?? ''), one(sns[2] ?? '')];
    const key = randomUUID();
    const { status, body } = await send({ missions, allOrNothing: true }, key);
    expect([status, body['code']]).toEqual([409, 'batch_refused']);
    expect(body['refused']).toMatchObject([{ index: 2, problem: { code: 'dock_taken' } }]);
    expect(body['errors']).toMatchObject([{ field: 'missions.2' }]);
    expect(await plannedOn(sns)).toBe(0);
    const wrong = await send({ missions: [missions[0], { ...missions[1], kind: 'sometime' }], allOrNothing: true });
    expect(wrong.body['refused']).toMatchObject([{ index: 1, problem: { code: 'invalid_input' } }]);
    expect(await plannedOn(sns)).toBe(0);
    // The key is free again.
    const mended = await send({ missions: [missions[0], missions[1], missions[3]], allOrNothing: true }, key);
    expect(mended.results.map(({ status: each }) => each)).toEqual([201, 201, 201]);
  });
});

describe('a refusal says what was sent and what can be done', () => {
  it('of a mission that is only planned: it is canceled or moved, and both work', async () => {
    const params = { id: await planned() };
    const { status, body } = await caller.call('pause', { params });
    const choices = body['choices'] as { action: string; method: string; href: string }[];
    expect([status, choices.map(({ action }) => action)]).toEqual([409, ['cancel', 'reschedule']]);
    expect(body['detail']).toMatch(/: choose one of cancel, reschedule\.$/);
    for (const { action, method, href } of choices.reverse()) {
      const response = await fetch(`${service?.url}${href}`, {
        method,
        headers: { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(action === 'reschedule' ? { executeAt: nextHour() } : {}),
      });
      expect([action, response.status]).toEqual([action, 200]);
    }
  });

  it('of a time in the past: what was sent, and what time it is here', async () => {
    const executeAt = new Date(Date.now() - 1_000).toISOString();
    const answers = [
      await caller.call('createMission', aTimed({ executeAt })),
      await caller.call('rescheduleMission', { params: { id: await planned() }, body: { executeAt } }),
    ];
    for (const { status, body } of answers) {
      const [error] = body['errors'] as { field: string; message: string }[];
      expect([status, error?.field]).toEqual([422, 'executeAt']);
      expect(error?.message).toMatch(new RegExp(`^is ${executeAt}, which lies in the past; here it is \\d{4}-`));
    }
  });

  it('of a mission that has ended: no choice is left, and a new one can be planned', async () => {
    const params = { id: await planned() };
    await caller.call('cancelMission', { params });
    const { body } = await caller.call('pause', { params });
    expect([body['choices'], body['detail']]).toEqual([undefined, expect.stringContaining('POST /api/v1/missions')]);
  });

  it.each([
    ['createMission', aTimed({ dockSn: 'GONE-1', waylineId: randomUUID() }), 'dockSn', '"GONE-1"', 'GET /api/v1/docks'],
    ['getMission', { params: { id: 'nosuch' } }, 'id', '"nosuch"', 'GET /api/v1/missions'],
    ['getWayline', { params: { id: 'nosuch' } }, 'id', '"nosuch"', 'GET /api/v1/waylines'],
  ])('of %s for something that is not there: where to look', async (operationId, parts, field, sent, where) => {
    const { status, body } = await caller.call(operationId, parts);
    const [error] = body['errors'] as { field: string; message: string }[];
    expect([status, error?.field]).toEqual([404, field]);
    expect(error?.message).toContain(`${sent} is no `);
    expect(error?.message).toContain(where);
  });
});

describe('versions', () => {
  const called = async (operationId: string, parts: CallParts, ifMatch?: string) => {
    const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch };
    const { status, headers: answered, body } = await caller.call(operationId, { ...parts, headers });
    return { status, etag: answered.get('ETag') ?? '', body };
  };

  it('come with every answer that shows a mission, and are taken by the next change', async () => {
    const params = { id: await planned() };
    const first = await called('getMission', { params });
    const moved = await called('rescheduleMission', { params, body: { executeAt: nextHour() } }, first.etag);
    expect([first.etag, moved.status, moved.etag]).toEqual(['"1"', 200, '"2"']);
    const canceled = await called('cancelMission', { params }, moved.etag);
    expect([canceled.status, canceled.etag]).toEqual([200, '"3"']);
  });

  it('come with every answer that shows the policy, and are taken by the next change', async () => {
    const { etag } = await called('getMissionPolicy', {});
    const first = await called('replaceMissionPolicy', { body: {} }, etag);
    const second = await called('replaceMissionPolicy', { body: {} }, `"0", ${first.etag}`);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.etag).not.toBe(first.etag);
  });

  it('may be several in If-Match, of which one must be the present one', async () => {
    const params = { id: await planned() };
    const body = { executeAt: nextHour() };
    expect((await called('rescheduleMission', { params, body }, '"7", W/"1"')).status).toBe(412);
    expect((await called('rescheduleMission', { params, body }, '"7", "1"')).status).toBe(200);
  });

  it('are refused without their quotes, and the caller is told so', async () => {
    const { status, body } = await called('cancelMission', { params: { id: await planned() } }, '1');
    expect([status, body['errors']]).toMatchObject([
      422,
      [{ field: 'If-Match', message: expect.stringMatching(/^1 is not in quotes/) }],
    ]);
  });

  it('spare a caller the answer that it has', async () => {
    // By itself, fetch asks for an answer whatever the caller has.
    const params = { id: await planned() };
    const same = await caller.call('getMission', { params, headers: { 'If-None-Match': '"1"', ...FRESH } });
    expect([same.status, same.text]).toEqual([304, '']);
    expect((await caller.call('getMission', { params, headers: { 'If-None-Match': '"2"', ...FRESH } })).status).toBe(
      200,
    );
  });

  // The caller holds every answer of this file to it: a version has its ETag, and nothing else has one.
  it('are not in a list, nor in an error', async () => {
    for (const answer of [
      await caller.call('listMissions', { query: { limit: '1' } }),
      await caller.call('getMission', { params: { id: randomUUID() } }),
    ]) {
      expect(answer.headers.has('ETag')).toBe(false);
    }
  });
});

describe('control answers as described', () => {
  const operationOf = (action: string): string =>
    ROUTES.find(({ path }) => path.endsWith(`/{id}/${action}`))?.operationId ?? '';

  it.each(CONTROL_ACTIONS)('when %s is asked of a flight', async (action) => {
    const id = await aFlight();
    if (action === 'resume') await happens(id, { type: 'flightPaused' });
    // Only the first dock has it.
    if (action === 'abort-setup') await database().query(`UPDATE mission.dock SET model = 'dock1'`);
    const body = action === 'return-to-dock' ? { dockSn: 'TWO-9' } : undefined;
    const answer = await caller.call(operationOf(action), { params: { id }, ...(body ? { body } : {}) });
    expect(answer.status).toBe(202);
    await database().query(`UPDATE mission.dock SET model = 'dock2'`);
  });

  it('when it comes too late, or the dock cannot', async () => {
    const params = { id: await aFlight() };
    expect((await caller.call('abortSetup', { params })).status).toBe(422);
    expect((await caller.call('resume', { params })).body['choices']).not.toEqual([]);
    expect((await caller.call('cancelMission', { params })).body['choices']).not.toEqual([]);
  });
});

describe('history answers as described', () => {
  it('with commands that were answered, and those that were not', async () => {
    const params = { id: await aFlight() };
    const { body } = await caller.call('pause', { params, body: { reason: 'birds' } });
    const { id: tid } = body['command'] as { id: string };
    await inTransaction(database(), (tx) => recordReplies(tx, [{ tid, result: 319_001, receivedAtMs: Date.now() }]));
    const { body: commands } = await caller.call('listCommands', { params });
    const replies = (commands['items'] as { reply: unknown }[]).map(({ reply }) => reply);
    expect(replies).toContainEqual(expect.objectContaining({ result: 319_001, error: expect.anything() }));
    expect(replies).toContain(null);
  });

  it('as a list and as lines', async () => {
    const params = { id: await aFlight() };
    await happens(params.id, { type: 'prepareDue' });
    const { body } = await caller.call('getTimeline', { params });
    const { text } = await caller.call('getTimeline', { params, query: { format: 'ndjson' } });
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(body['items']);
    expect((await caller.call('getTimeline', { params, query: { format: 'xml' } })).status).toBe(422);
  });

  it('for a mission that was planned by a caller', async () => {
    const params = { id: await planned() };
    await caller.call('getTimeline', { params });
    await caller.call('getPreflight', { params });
    expect((await caller.call('getTrack', { params })).body).toEqual({ items: [], keptFrom: expect.any(String) });
  });

  it('with the reports of a flight, of which each changes the ETag and none the version', async () => {
    const params = { id: await aFlight() };
    const [{ sn } = { sn: '' }] = await database().query<{ sn: string }[]>(
      'SELECT dock_sn AS sn FROM mission.mission WHERE id = $1',
      [params.id],
    );
    const flight = { id: params.id, dockSn: sn };
    await handle(database(), [progress(flight, 'in_progress', 12)]);
    const first = await caller.call('getMission', { params });
    await handle(database(), [progress(flight, 'in_progress', 13)]);
    const second = await caller.call('getMission', { params });
    expect(second.body).toMatchObject({ version: first.body['version'], progress: { percent: 13 } });
    const tags = [first, second].map(({ headers }) => headers.get('ETag') ?? '');
    expect(new Set(tags).size).toBe(2);
    const asked = tags.map((tag) => caller.call('getMission', { params, headers: { 'If-None-Match': tag, ...FRESH } }));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 304]);
    const { body } = await caller.call('getTrack', { params });
    expect((body['items'] as { percent: number }[]).map(({ percent }) => percent)).toEqual([12, 13]);
  });
});

describe('history that retention has deleted answers as described', () => {
  const aPruned = async (): Promise<string> => {
    const id = await aFlight();
    await happens(id, { type: 'flightEnded', outcome: 'failed', dockResult: 321_773 });
    const past = `now() - interval '401 days'`;
    await database().query(`UPDATE mission.mission SET since = ${past}, updated_at = ${past} WHERE id = $1`, [id]);
    const { batch } = detailPrune(400);
    await inTransaction(database(), batch);
    return id;
  };

  it('by saying since when it is gone', async () => {
    const params = { id: await aPruned() };
    const { body } = await caller.call('getTimeline', { params });
    expect(body).toMatchObject({ prunedAt: expect.any(String), items: [{ what: 'detailPruned' }] });
    const { text } = await caller.call('getTimeline', { params, query: { format: 'ndjson' } });
    expect(text).toContain('"what":"detailPruned"');
    for (const operation of ['getPreflight', 'listCommands', 'listBreakPoints'])
      expect((await caller.call(operation, { params })).body).toMatchObject({ prunedAt: body['prunedAt'] });
  });

  it('also to whoever wants to resume the mission', async () => {
    const params = { id: await aPruned() };
    const refused = await caller.call('resumeFromBreakPoint', { params, body: { executeAt: nextHour() } });
    expect([refused.status, refused.body['code']]).toEqual([409, 'no_breakpoint']);
    expect(refused.body['detail']).toContain('was deleted by retention at');
  });

  it('for reports of a flight by the first day that is kept', async () => {
    const { body } = await caller.call('getTrack', { params: { id: await aFlight() } });
    expect(body['keptFrom']).toMatch(/T00:00:00.000Z$/);
    expect(Date.parse(String(body['keptFrom']))).toBeLessThanOrEqual(Date.now());
  });
});

describe('policy, error codes and the document answer as described', () => {
  it('when the policy is shown, changed, and changed by somebody who saw an older one', async () => {
    await caller.call('getMissionPolicy');
    const body = { preflight: { wind: { maximumMetersPerSecond: 8 } } };
    await caller.call('replaceMissionPolicy', { body });
    expect((await caller.call('replaceMissionPolicy', { body, headers: { 'If-Match': '"7"' } })).status).toBe(412);
    expect((await caller.call('replaceMissionPolicy', { body: { preflight: { wind: 1 } } })).status).toBe(422);
  });

  it('when codes are listed, asked for, and not known', async () => {
    await caller.call('listErrorCodes');
    await caller.call('listErrorCodes', { query: { code: '314013' } });
    expect((await caller.call('listErrorCodes', { query: { code: '999999' } })).status).toBe(404);
  });

  it('when somebody without a key wants the document', async () => {
    expect((await caller.call('getOpenApi', { key: null })).body['openapi']).toBe('3.1.0');
  });
});

describeRefusedInput(MISSION_API, () => ({ url: service?.url ?? '', key: API_KEY }));
describePermissions(ROUTES, () => ({ url: service?.url ?? '', keyOf: keyOfRole }));

describe('other services get answers', () => {
  const holderId = randomUUID();
  const nats = (): NatsConnection => service?.nats as NatsConnection;
  const take = (organisationId: string) =>
    ask(nats(), takeDockQuestion, {
      ...{ organisationId, dockSn: 'TWO-LENT', model: 'dock2', protocolGeneration: '1.15', holderId },
      ...{ forMs: 6 * 3_600_000, notAfterMs: Date.now() + 60_000, yields: true, generation: 1 },
    });

  it('when an export wants a dock, a mission is planned over it, and the dock is given back', async () => {
    await expect(take(ORGANISATION)).resolves.toMatchObject({ refusal: null });
    const inTwoHours = new Date(Date.now() + 7_200_000).toISOString();
    const mission = aTimed({ dockSn: 'TWO-LENT', executeAt: inTwoHours });
    const { body } = await caller.call('createMission', { ...mission, query: { dryRun: 'true' } });
    expect(body['conflicts']).toEqual([]);
    expect((await caller.call('createMission', mission)).status).toBe(201);
    await expect(take(ORGANISATION)).resolves.toMatchObject({ untilMs: null, refusal: { because: 'withdrawn' } });
    const release = () => ask(nats(), releaseDockQuestion, { dockSn: 'TWO-LENT', holderId, generation: 1 });
    expect([await release(), await release()]).toEqual([{ released: true }, { released: false }]);
  });

  it('when a dock is to be cut off: preflight says so until that is ended', async () => {
    const dockSn = 'TWO-FLOODS';
    const cutOff = ask(nats(), cutOffDockQuestion, {
      ...{ organisationId: ORGANISATION, dockSn, model: 'dock2', protocolGeneration: '1.15', cutOffId: 1 },
      ...{ untilMs: Date.now() + 60_000, notAfterMs: Date.now() + 60_000 },
    });
    await expect(cutOff).resolves.toMatchObject({ granted: true });
    const failed = async () => {
      const { body } = await caller.call('createMission', { ...aTimed({ dockSn }), query: { dryRun: 'true' } });
      const { rules } = body['preflight'] as { rules: { rule: string; verdict: string }[] };
      return rules.filter(({ verdict }) => verdict === 'no_go').map(({ rule }) => rule);
    };
    expect(await failed()).toContain('cut_off');
    await expect(ask(nats(), endCutOffQuestion, { dockSn, cutOffId: 1 })).resolves.toEqual({ ended: true });
    expect(await failed()).not.toContain('cut_off');
  });

  it('when it is the dock of somebody else: with the field', async () => {
    await expect(take(randomUUID())).rejects.toMatchObject({ cause: { fields: [{ field: 'dockSn' }] } });
  });
});

// The next two are last, because they look back at all the others.
it('has told others only facts that the bus contract describes, and each of them', async () => {
  const id = await aFlight('TWO-ALARM');
  const notice = { sn: 'TWO-ALARM', method: 'device_exit_homing_notify', tid: 'tid-2', data: { action: 1, reason: 5 } };
  const uplink = {
    kind: 'notice',
    fact: notice as unknown as DockFact,
    dockSn: 'TWO-ALARM',
    method: notice.method,
  } as const;
  await inTransaction(database(), (tx) =>
    applyUplinks(tx, [uplink], new AutoResume(new PolicyStore(ofAnyOrganisation(database())))),
  );
  const facts = await database().query<{ subject: string; payload: unknown }[]>(
    'SELECT subject, payload FROM mission.outbox ORDER BY id',
  );
  const eventOf = (subject: string): MissionFactName => subject.split('.').at(-1) as MissionFactName;
  // What is not described would be left out of the parsed fact.
  for (const { subject, payload } of facts) expect(MISSION_FACTS[eventOf(subject)].parse(payload)).toEqual(payload);
  expect(new Set(facts.map(({ subject }) => eventOf(subject)))).toEqual(new Set(Object.keys(MISSION_FACTS)));
  const resolvedBy = facts.map(({ payload }) => (payload as { resolution?: { by: string } }).resolution?.by);
  expect(resolvedBy).toEqual(expect.arrayContaining(['person', 'dock']));
  expect(facts.at(-1)?.payload).toMatchObject({ missionId: id, method: 'device_exit_homing_notify' });
});

// Looks back at all before it.
describeAudit(ROUTES, ['previewMission'], () => {
  const { audit, dataSource, owner, settings: env } = service as RunningService;
  const keep = () => audit.keep();
  const verify = { script: fileURLToPath(new URL('../verify-audit.js', import.meta.url)), env };
  return { schema: 'mission', caller, operationId: 'listMissionAuditRecords', keep, engine: dataSource, owner, verify };
});

it('has seen every success that is described', () => {
  expect([...caller.seen].sort()).toEqual(successesOf(ROUTES).sort());
});
