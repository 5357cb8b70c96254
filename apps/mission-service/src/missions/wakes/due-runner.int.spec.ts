import { jest } from '@jest/globals';
import type { DockStateView } from '@aerie/bus-contract';
import { eventually } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { RULE_NAMES } from '@aerie/mission-core';
import { ApiDatabase } from '@aerie/persistence';
import { ResolveMission } from '../control/resolve-mission.js';
import { type Replica, aReplica, executes } from '../fixtures/due-replica.js';
import { aDockView, aMission, apply, missionTestDatabase, stateOf, timelineOf } from '../fixtures/mission-database.js';
import { findPreflights } from '../store/preflights.js';

let pools: DataSource[];
let owner: DataSource;
let api: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, api, owner, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const replica = (number: number, view: Partial<DockStateView> = {}, hasHeardAll = true): Replica =>
  aReplica(pools[number], view, hasHeardAll);

async function aPrepared(dockSn?: string): Promise<string> {
  const dataSource = pools[0] as DataSource;
  const id = await aMission(dataSource, dockSn === undefined ? {} : { dockSn });
  await apply(dataSource, id, { type: 'prepareDue' });
  await apply(dataSource, id, { type: 'prepareAccepted', edition: 1 });
  return id;
}

it('gives each of 40 due missions to exactly one of two replicas that look at once', async () => {
  const ids: string[] = [];
  for (let number = 0; number < 40; number++) ids.push(await aPrepared());
  const [one, two] = [replica(0), replica(1)];
  await Promise.all([one.runner.run(null), two.runner.run(null), one.runner.run(null), two.runner.run(null)]);
  const claimed = [...executes(one), ...executes(two)];
  expect(claimed.sort()).toEqual([...ids].sort());
}, 30_000);

it('looks once at each dock, though a sweep finds the same missions while a wake works on them', async () => {
  const ids: string[] = [];
  for (let number = 0; number < 130; number++) ids.push(await aPrepared());
  const one = replica(0);
  const runs = [one.runner.run(ids), one.runner.run(ids), one.runner.run(ids)];
  expect((await Promise.all(runs)).sort((a, b) => b - a)).toEqual([130, 0, 0]);
  expect(executes(one)).toHaveLength(130);
  expect(one.looked.map((sns) => sns.length).sort((a, b) => b - a)).toEqual([50, 50, 30]);
  // Nothing is left over: what comes next for the same missions is looked at again.
  expect(await one.runner.run(ids)).toBe(0);
}, 60_000);

it('holds a mission whose dock was not heard for half a minute, and says why', async () => {
  const id = await aPrepared();
  await pools[0]?.query(`UPDATE mission.dock SET heard_at = now() - interval '2 minutes'`);
  const one = replica(0, { seenAgoMs: 120_000 });
  await one.runner.run([id]);
  expect(executes(one)).toEqual([]);
  expect(await stateOf(pools[0] as DataSource, id)).toBe('prepared');
  const rows = await pools[0]?.query<{ cause_code: string }[]>('SELECT cause_code FROM mission.mission WHERE id = $1', [
    id,
  ]);
  expect(rows?.[0]?.cause_code).toBe('dock_offline');
});

it('starts the second mission of a dock only when the first has ended', async () => {
  const dockSn = 'QUEUE-1';
  const first = await aPrepared(dockSn);
  const second = await aPrepared(dockSn);
  const one = replica(0);
  await one.runner.run([first, second]);
  expect(executes(one)).toHaveLength(1);
  const [flying] = executes(one);
  expect(flying).toBe(first);

  await apply(pools[0] as DataSource, first, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 });
  await pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [second]);
  await one.runner.run([second]);
  expect(executes(one)).toEqual([first, second]);
});

it('holds a mission whose dock has another aircraft by now, and starts it when the right one is back', async () => {
  const id = await aPrepared();
  const other = aReplica(pools[0], {}, true, { aircraftModelKey: '0-91-0' });
  await other.runner.run([id]);
  expect(executes(other)).toEqual([]);
  const [row] = (await pools[0]?.query<{ cause_code: string; verdicts: unknown }[]>(
    'SELECT cause_code, verdicts FROM mission.mission WHERE id = $1',
    [id],
  )) as { cause_code: string; verdicts: unknown }[];
  expect(row).toMatchObject({ cause_code: 'preflight_no_go', verdicts: { execute: { failed: ['aircraft_model'] } } });

  await pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  const right = aReplica(pools[0], {}, true, { aircraftModelKey: '0-91-1' });
  await right.runner.run([id]);
  expect(executes(right)).toEqual([id]);
});

it('holds a mission whose dock reports another model than it is registered as, and takes over what it reports', async () => {
  const id = await aPrepared();
  const wrong = aReplica(pools[0], {}, true, { aircraftModelKey: '0-91-1', reportedModel: 'dock1' });
  await wrong.runner.run([id]);
  expect(executes(wrong)).toEqual([]);
  const rows = await pools[0]?.query<unknown[]>(
    `SELECT m.cause_code, m.verdicts, d.model FROM mission.mission m JOIN mission.dock d ON d.sn = m.dock_sn WHERE m.id = $1`,
    [id],
  );
  const [row] = rows ?? [];
  expect(row).toMatchObject({ cause_code: 'preflight_no_go', verdicts: { execute: { failed: ['dock_model'] } } });
  // Commands have the form of the model that the dock reports.
  expect(row).toMatchObject({ model: 'dock1' });

  await pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  const corrected = aReplica(pools[0], {}, true, {
    aircraftModelKey: '0-91-1',
    model: 'dock1',
    reportedModel: 'dock1',
  });
  await corrected.runner.run([id]);
  expect(executes(corrected)).toEqual([id]);
});

it('holds a mission while nobody says which aircraft the dock has recorded', async () => {
  const id = await aPrepared();
  const one = aReplica(pools[0], {}, true, null);
  await one.runner.run([id]);
  expect(executes(one)).toEqual([]);
});

describe('a dock that was retired', () => {
  const causeOf = async (id: string): Promise<unknown> => {
    const rows = await pools[0]?.query<unknown[]>('SELECT state, cause_code FROM mission.mission WHERE id = $1', [id]);
    return rows?.[0];
  };
  const retired = (): Replica => aReplica(pools[0], {}, true, 'retired');

  it('starts no mission although it was heard a second ago, and is the cause of its end', async () => {
    const id = await aPrepared();
    const one = retired();
    await one.runner.run([id]);
    expect(executes(one)).toEqual([]);
    expect(await causeOf(id)).toEqual({ state: 'prepared', cause_code: 'dock_retired' });
    await pools[0]?.query(`UPDATE mission.mission SET next_action_at = now(), deadline = now() WHERE id = $1`, [id]);
    await one.runner.run([id]);
    expect(await causeOf(id)).toEqual({ state: 'missed', cause_code: 'dock_retired' });
  });

  it('starts it once the dock was registered again within the window', async () => {
    const id = await aPrepared();
    await retired().runner.run([id]);
    await pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
    const one = replica(0);
    await one.runner.run([id]);
    expect(executes(one)).toEqual([id]);
  });

  it.each(['preparing', 'waiting_ready'])('is the cause of the end of a mission that is %s', async (state) => {
    const dataSource = pools[0] as DataSource;
    const id = await aMission(dataSource);
    await apply(dataSource, id, { type: 'prepareDue' });
    await dataSource.query(
      `UPDATE mission.mission SET state = $2, next_action_at = now(), deadline = now() WHERE id = $1`,
      [id, state],
    );
    await retired().runner.run([id]);
    expect(await causeOf(id)).toEqual({ state: 'missed', cause_code: 'dock_retired' });
  });

  it('is the cause as soon as a mission is to be told to it', async () => {
    const id = await aMission(pools[0] as DataSource);
    await retired().runner.run([id]);
    expect(await causeOf(id)).toEqual({ state: 'preparing', cause_code: 'dock_retired' });
  });
});

it('claims no mission whose file is not the one that the dock accepted', async () => {
  const id = await aPrepared();
  await pools[0]?.query(`UPDATE mission.mission SET prepared_fingerprint = repeat('c', 32) WHERE id = $1`, [id]);
  const one = replica(0);
  await one.runner.run([id]);
  expect(executes(one)).toEqual([]);
});

it('sends no start when the row of its command is refused among the statements that are sent together', async () => {
  const id = await aPrepared();
  // The start of this attempt is recorded already.
  await pools[0]?.query(
    `INSERT INTO mission.dock_call (tid, mission_id, dock_sn, method, attempt, not_after)
     SELECT gen_random_uuid(), id, dock_sn, 'flighttask_execute', 1, now() FROM mission.mission WHERE id = $1`,
    [id],
  );
  const one = replica(0);
  await one.runner.run([id]);
  expect(executes(one)).toEqual([]);
  expect(await stateOf(pools[0] as DataSource, id)).toBe('prepared');
});

it('looks at what comes next for a mission while another one of its unit still fails', async () => {
  const [good, bad] = [await aPrepared(), await aPrepared()];
  // The bad one fails slowly, each time.
  await owner.query(
    `CREATE FUNCTION mission.refuse_slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF NEW.mission_id = '${bad}' THEN PERFORM pg_sleep(0.5); RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$;
     CREATE TRIGGER refuse_slowly BEFORE INSERT ON mission.dock_call FOR EACH ROW EXECUTE FUNCTION mission.refuse_slowly()`,
  );
  try {
    const one = replica(0);
    let ended = false;
    const run = one.runner.run([good, bad]).finally(() => (ended = true));
    await eventually('the good one has started', () => executes(one).includes(good));
    await pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [good]);
    expect([await one.runner.run([good]), ended]).toEqual([1, false]);
    await run;
  } finally {
    await owner.query('DROP TRIGGER refuse_slowly ON mission.dock_call; DROP FUNCTION mission.refuse_slowly()');
  }
});

it('claims nothing while a reservation holds the dock', async () => {
  const dockSn = 'RESERVED-1';
  const id = await aPrepared(dockSn);
  await pools[0]?.query(
    `INSERT INTO mission.dock_reservation (dock_sn, during, holder_kind, holder_id)
     VALUES ($1, tstzrange(now(), now() + interval '5 minutes'), 'log_upload', gen_random_uuid())`,
    [dockSn],
  );
  const one = replica(0);
  await one.runner.run([id]);
  expect(executes(one)).toEqual([]);
});

it('holds a mission that a rule forbids, and starts it when the rule lets it through within its window', async () => {
  const id = await aPrepared();
  const raining = { ...aDockView('x').properties, rainfall: { value: 3, agoMs: 0 } };
  const one = replica(0, { properties: raining });
  await one.runner.run([id]);
  expect(executes(one)).toEqual([]);
  const [row] = await (pools[0] as DataSource).query<{ cause_code: string; verdicts: Record<string, unknown> }[]>(
    'SELECT cause_code, verdicts FROM mission.mission WHERE id = $1',
    [id],
  );
  expect(row?.cause_code).toBe('preflight_no_go');
  expect(row?.verdicts['execute']).toMatchObject({ verdict: 'no_go' });

  await pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  const dry = replica(1);
  await dry.runner.run([id]);
  expect(executes(dry)).toEqual([id]);
});

it('keeps with a mission what preflight said before its dock was told and as the last word, the last of each', async () => {
  const dataSource = pools[0] as DataSource;
  const kept = async (): Promise<Record<string, string>> => {
    const stored = await findPreflights(
      { query: (sql, parameters) => dataSource.query(sql, [...(parameters ?? [])]) },
      id,
    );
    for (const { rules } of Object.values(stored)) expect(rules.map(({ rule }) => rule)).toEqual(RULE_NAMES);
    return Object.fromEntries(Object.entries(stored).map(([stage, { verdict }]) => [stage, verdict]));
  };
  const { properties } = aDockView('x');
  const rain = { properties: { ...properties, rainfall: { value: 3, agoMs: 0 } } };
  const id = await aMission(dataSource);
  await replica(0).runner.run([id]);
  expect(await kept()).toEqual({ prepare: 'go' });
  await apply(dataSource, id, { type: 'prepareAccepted', edition: 1 });
  await replica(0, rain).runner.run([id]);
  expect(await kept()).toEqual({ prepare: 'go', execute: 'no_go' });
  await dataSource.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  await replica(0).runner.run([id]);
  expect(await kept()).toEqual({ prepare: 'go', execute: 'go' });
});

describe('a mission that is held back again and again for one reason', () => {
  const due = (id: string) => pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);
  const entries = (id: string) => timelineOf(pools[0] as DataSource, id);
  const held = (values: Record<string, unknown>) => {
    const told = Object.entries(values).map(([name, value]) => [name, { value, agoMs: 0 }]);
    return replica(0, { properties: { ...aDockView('x').properties, ...Object.fromEntries(told) } });
  };

  it('gets one version and one entry, and the number of holds once the reason changes', async () => {
    const id = await aPrepared();
    for (const rainfall of [3, 2, 3, 2]) {
      await due(id);
      await held({ rainfall }).runner.run([id]);
    }
    const [row] = await (pools[0] as DataSource).query<{ revision: number; verdicts: unknown; later: boolean }[]>(
      'SELECT revision, verdicts, next_action_at > now() AS later FROM mission.mission WHERE id = $1',
      [id],
    );
    expect(row).toMatchObject({ revision: 4, later: true, verdicts: { execute: { failed: ['rain'], times: 4 } } });
    expect((await entries(id)).filter(({ what }) => what === 'executeHeld')).toHaveLength(1);

    await due(id);
    await held({ rainfall: 3, wind_speed: 30 }).runner.run([id]);
    await due(id);
    await replica(0).runner.run([id]);
    const told = (await entries(id)).slice(-3);
    expect(told.map(({ what }) => what)).toEqual(['heldBack', 'executeHeld', 'executeDue']);
    expect(told[0]?.detail).toMatchObject({ because: 'preflight_no_go', failed: ['rain'], times: 4 });
  });

  it('ends as missed when its window closes, and its timeline says how often it was held', async () => {
    const id = await aPrepared();
    for (let times = 0; times < 3; times++) {
      await due(id);
      await held({ rainfall: 3 }).runner.run([id]);
    }
    await pools[0]?.query(`UPDATE mission.mission SET deadline = now(), next_action_at = now() WHERE id = $1`, [id]);
    await replica(0).runner.run([id]);
    expect(await stateOf(pools[0] as DataSource, id)).toBe('missed');
    expect((await entries(id)).filter(({ what }) => what === 'heldBack')).toMatchObject([{ detail: { times: 3 } }]);
  });
});

describe('a dock whose last flight ended in a way that nobody knows', () => {
  const caller = {
    keyId: 'spec',
    organisationId: '11111111-1111-4111-8111-111111111111',
    roles: ['pilot'],
    siteIds: null,
    dockSns: null,
  };

  async function aBlockedDock(dockSn: string): Promise<{ unknown: string; next: string }> {
    const dataSource = pools[0] as DataSource;
    const unknown = await aPrepared(dockSn);
    await apply(dataSource, unknown, { type: 'executeDue' });
    await apply(dataSource, unknown, { type: 'observationGivenUp' });
    const next = await aMission(dataSource, { dockSn, kind: 'timed', executeInMs: 60_000 });
    await apply(dataSource, next, { type: 'prepareDue' });
    await apply(dataSource, next, { type: 'prepareAccepted', edition: 1 });
    return { unknown, next };
  }
  const due = (id: string) => pools[0]?.query('UPDATE mission.mission SET next_action_at = now() WHERE id = $1', [id]);

  it('starts no timed mission by itself until a person has looked', async () => {
    const { unknown, next } = await aBlockedDock('BLOCKED-1');
    const one = replica(0);
    await due(next);
    await one.runner.run([next]);
    expect(executes(one)).toEqual([]);

    const note = 'it stands in its dock, unharmed';
    const resolved = await new ResolveMission(new ApiDatabase(api)).execute(caller, unknown, note, null);
    expect(resolved).toMatchObject({ state: 'outcome_unknown', resolution: { by: 'person', note } });
    await due(next);
    await one.runner.run([next]);
    expect(executes(one)).toEqual([next]);
  });

  it('is freed by the late word of the dock as well', async () => {
    const { unknown, next } = await aBlockedDock('BLOCKED-2');
    await apply(pools[0] as DataSource, unknown, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 });
    const one = replica(0);
    await due(next);
    await one.runner.run([next]);
    expect(executes(one)).toEqual([next]);
  });

  it('is resolved by nobody of another organisation, and no other mission is resolved at all', async () => {
    const { unknown, next } = await aBlockedDock('BLOCKED-3');
    const resolve = new ResolveMission(new ApiDatabase(api));
    const stranger = { ...caller, organisationId: '22222222-2222-4222-8222-222222222222' };
    await expect(resolve.execute(stranger, unknown, 'x', null)).rejects.toMatchObject({ code: 'unknown_mission' });
    await expect(resolve.execute(caller, next, 'x', null)).rejects.toMatchObject({ code: 'mission_state' });
  });
});

describe('a flight that nobody has seen or heard for ten minutes', () => {
  async function aSilentFlight(): Promise<string> {
    const dataSource = pools[0] as DataSource;
    const id = await aPrepared();
    for (const type of ['executeDue', 'executeAccepted', 'flightInProgress'] as const)
      await apply(dataSource, id, { type });
    await dataSource.query(
      `UPDATE mission.mission SET started_at = now() - interval '20 minutes', since = now() - interval '19 minutes',
              heard_at = now() - interval '11 minutes', next_action_at = now() WHERE id = $1`,
      [id],
    );
    return id;
  }

  it('has an unknown outcome', async () => {
    const id = await aSilentFlight();
    await replica(0).runner.run([id]);
    await eventually('it is given up', async () => (await stateOf(pools[0] as DataSource, id)) === 'outcome_unknown');
  });

  it('is not given up while words of its dock wait to be read, as they do after an outage of ours', async () => {
    const id = await aSilentFlight();
    await replica(0, {}, false).runner.run([id]);
    await apply(pools[0] as DataSource, id, { type: 'flightEnded', outcome: 'succeeded', dockResult: 0 });
    expect(await stateOf(pools[0] as DataSource, id)).toBe('succeeded');
  });
});

describe('an answer of a dock that lies unread in its lane', () => {
  const prepares = ({ carriedOut }: Replica): number =>
    carriedOut.flatMap(({ orders }) => orders).filter(({ effect }) => effect === 'sendPrepare').length;

  /** A timed mission whose dock has not answered its prepare, due for so long. */
  async function anUnanswered(overdueSeconds: number): Promise<string> {
    const dataSource = pools[0] as DataSource;
    const id = await aMission(dataSource, { kind: 'timed', executeInMs: 600_000 });
    await apply(dataSource, id, { type: 'prepareDue' });
    await dataSource.query(
      `UPDATE mission.mission SET next_action_at = now() - make_interval(secs => $2) WHERE id = $1`,
      [id, overdueSeconds],
    );
    return id;
  }

  it('keeps a prepare from being sent again, until the lane is read', async () => {
    const id = await anUnanswered(1);
    const behind = replica(0, {}, false);
    expect(await behind.runner.run([id])).toBe(0);
    expect(prepares(behind)).toBe(0);
    const read = replica(0);
    expect(await read.runner.run([id])).toBe(1);
    expect(prepares(read)).toBe(1);
  });

  it('is waited for during a minute and no longer', async () => {
    const id = await anUnanswered(61);
    const behind = replica(0, {}, false);
    expect(await behind.runner.run([id])).toBe(1);
    expect(prepares(behind)).toBe(1);
  });

  it('keeps no prepared mission from its start', async () => {
    const [unanswered, prepared] = [await anUnanswered(1), await aPrepared()];
    const behind = replica(0, {}, false);
    await behind.runner.run([unanswered, prepared]);
    expect(executes(behind)).toEqual([prepared]);
  });

  it('keeps the end of a window from being named', async () => {
    const dataSource = pools[0] as DataSource;
    const id = await anUnanswered(1);
    await dataSource.query(`UPDATE mission.mission SET deadline = now() - interval '1 second' WHERE id = $1`, [id]);
    await replica(0, {}, false).runner.run([id]);
    expect(await stateOf(dataSource, id)).toBe('preparing');
    await replica(0).runner.run([id]);
    expect(await stateOf(dataSource, id)).toBe('missed');
  });
});

it('lets no replica of the first release send anything for a mission that it does not understand', async () => {
  const dataSource = pools[0] as DataSource;
  const recordedBy = async (id: string, columns: string, values: string): Promise<unknown> =>
    dataSource.query(
      `INSERT INTO mission.dock_call (tid, mission_id, dock_sn, method, attempt, not_after${columns})
       VALUES (gen_random_uuid(), $1, 'irrelevant', 'flighttask_prepare', 0, now()${values})`,
      [id],
    );
  const [plain, simulated] = [await aMission(dataSource), await aMission(dataSource)];
  await dataSource.query(`UPDATE mission.mission SET simulate = '{"latitude":0,"longitude":0}' WHERE id = $1`, [
    simulated,
  ]);
  await recordedBy(plain, '', '');
  await recordedBy(simulated, ', edition', ', 1');
  await expect(recordedBy(simulated, '', '')).rejects.toThrow(/needs a newer release/);
});

describe('a wake', () => {
  const attempts = async (id: string): Promise<number | undefined> =>
    (
      await (pools[0] as DataSource).query<{ attempt: number }[]>('SELECT attempt FROM mission.mission WHERE id = $1', [
        id,
      ])
    )[0]?.attempt;

  it('C3: of a job that an old copy of Redis brought back starts nothing again', async () => {
    const id = await aPrepared();
    const one = replica(0);
    await one.runner.run([id]);
    expect(executes(one)).toEqual([id]);
    // The job of before the start, of after it, and one of a mission that nobody has.
    for (const stale of [id, id, '99999999-9999-4999-8999-999999999999']) await one.runner.run([stale]);
    expect(executes(one)).toEqual([id]);
    expect(await attempts(id)).toBe(1);
  });

  it('C7: of a worker whose clock is a minute ahead starts nothing before its time by the clock of the database', async () => {
    const dataSource = pools[0] as DataSource;
    const id = await aMission(dataSource, { kind: 'timed', executeInMs: 240_000 });
    await apply(dataSource, id, { type: 'prepareDue' });
    await apply(dataSource, id, { type: 'prepareAccepted', edition: 1 });
    const ahead = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 180_000);
    try {
      const one = replica(0);
      await one.runner.run([id]);
      expect(executes(one)).toEqual([]);
    } finally {
      ahead.mockRestore();
    }
    expect(await stateOf(dataSource, id)).toBe('prepared');
  });
});

it('lets one bad row stop no other', async () => {
  const [bad, good] = [await aPrepared(), await aPrepared()];
  await owner.query(`
    CREATE FUNCTION mission.fail_on_purpose() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.id = '${bad}' THEN RAISE EXCEPTION 'bad row'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER fail_on_purpose BEFORE UPDATE ON mission.mission FOR EACH ROW EXECUTE FUNCTION mission.fail_on_purpose();
  `);
  try {
    const one = replica(0);
    await one.runner.run([bad, good]);
    expect(executes(one)).toEqual([good]);
  } finally {
    await owner.query('DROP TRIGGER fail_on_purpose ON mission.mission');
  }
});
