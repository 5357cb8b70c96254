import type { DockFact } from '@aerie/bus-contract';
import { createLogger } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { ApiDatabase, wholeOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { WatchMissions } from '../../grpc/watch-missions.js';
import { type Flight, aStart, handle as handleAt, kinds, progress } from '../fixtures/dock-words.js';
import { aReplica } from '../fixtures/due-replica.js';
import {
  ORGANISATION,
  aMission,
  apply,
  missionTestDatabase,
  stateOf,
  timelineOf,
  knownLive,
} from '../fixtures/mission-database.js';
import { keepTrackDays } from '../store/flight-track.js';
import { MissionReadModel } from '../views/mission.read-model.js';

let pools: DataSource[];
let owner: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, owner, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (number = 0): DataSource => {
  const found = pools[number];
  if (found === undefined) throw new Error('there is no such pool');
  return found;
};
const handle = (facts: readonly DockFact[], number = 0) => handleAt(pool(number), facts);
const ask = async <Row>(sql: string, id: string): Promise<Row> => {
  const [row] = await pool().query<Row[]>(sql, [id]);
  if (row === undefined) throw new Error('there is no such row');
  return row;
};

async function aFlight(): Promise<Flight> {
  const flight = await aStart(pool());
  await handle([progress(flight, 'in_progress', 5)]);
  return flight;
}

interface Wide {
  readonly state: string;
  readonly revision: number;
  readonly heard_at: Date;
  readonly next_action_at: Date;
  readonly contradicted_at: Date | null;
}
const wide = ({ id }: Flight): Promise<Wide> =>
  ask(`SELECT state, revision, heard_at, next_action_at, contradicted_at FROM mission.mission WHERE id = $1`, id);

const count = async (table: string, { id }: Flight): Promise<number> => {
  const where = table === 'inbox' ? `method LIKE '%' || $1` : 'mission_id = $1::uuid';
  const { rows } = await ask<{ rows: number }>(`SELECT count(*)::int AS rows FROM mission.${table} WHERE ${where}`, id);
  return rows;
};

/** Percentages of the reports in the track. */
const tracked = async ({ id }: Flight): Promise<(number | null)[]> =>
  ((await new MissionReadModel(new ApiDatabase(pool())).track(wholeOf(ORGANISATION), id))?.items ?? []).map(
    ({ percent }) => percent,
  );

const shown = async ({ id }: Flight) => {
  const view = await new MissionReadModel(new ApiDatabase(pool())).find(wholeOf(ORGANISATION), id);
  if (view === undefined) throw new Error('there is no such mission');
  return view;
};

describe('a report of a flight that goes on as before', () => {
  it('leaves the row of the mission and the inbox alone, and is shown as its progress', async () => {
    const flight = await aFlight();
    const before = { ...(await wide(flight)), inbox: await count('inbox', flight), view: await shown(flight) };
    for (const percent of [6, 7, 8])
      expect(kinds(await handle([progress(flight, 'in_progress', percent)]))).toEqual(['kept']);
    expect({ ...(await wide(flight)), inbox: await count('inbox', flight) }).toMatchObject({
      state: 'executing',
      revision: before.revision,
      next_action_at: before.next_action_at,
      inbox: before.inbox,
    });
    const view = await shown(flight);
    expect(view).toMatchObject({ version: before.view.version, progress: { percent: 8, status: 'in_progress' } });
    expect(Date.parse(view.updatedAt)).toBeGreaterThanOrEqual(Date.parse(before.view.updatedAt));
  });

  it('leaves no row in the inbox beside the end of its flight, and its repeat is known there and later', async () => {
    const flight = await aFlight();
    const before = await count('inbox', flight);
    const batch = [
      progress(flight, 'in_progress', 90),
      progress(flight, 'in_progress', 95),
      progress(flight, 'ok', 100),
      progress(flight, 'in_progress', 99),
    ];
    await handle(batch);
    // The end, and the one behind it: it was not told before the flight moved.
    expect(await count('inbox', flight)).toBe(before + 2);
    const told = { track: await tracked(flight), view: await shown(flight) };
    expect(told.track).toEqual(expect.arrayContaining([90, 95, 100]));
    expect(kinds(await handle(batch))).toEqual(['repeat', 'repeat', 'repeat', 'repeat']);
    for (const fact of batch) expect(kinds(await handle([fact]))).toEqual(['repeat']);
    expect({ track: await tracked(flight), view: await shown(flight) }).toEqual(told);
    expect(await count('inbox', flight)).toBe(before + 4);
  });

  it('is in the track whole, and in the timeline for each step and each tenth of the flight', async () => {
    const flight = await aFlight();
    await handle([11, 12, 13, 19, 21, 22].map((percent) => progress(flight, 'in_progress', percent)));
    await handle([progress(flight, 'in_progress', 23, {}, 2)]);
    const all = [5, 11, 12, 13, 19, 21, 22, 23];
    expect(await tracked(flight)).toEqual(all);
    await handle([progress(flight, 'paused', 24)]);
    expect(await tracked(flight)).toEqual([...all, 24]);
    const timeline = (await timelineOf(pool(), flight.id)).slice(-3);
    expect(timeline.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'message_in flighttask_progress',
      'message_in flighttask_progress',
      'decision flightPaused',
    ]);
    expect(timeline[0]?.detail['reports']).toEqual(
      [11, 21, 23].map((percent) => ({
        ...{ at: expect.any(String) as string, percent, currentStep: percent === 23 ? 2 : 1 },
        ...{ waypointIndex: null, mediaCount: null },
      })),
    );
  });

  it('goes into the track with two dozen others, whether they come together or one by one', async () => {
    const flight = await aFlight();
    const percents = Array.from({ length: 60 }, (_, number) => 10 + number);
    await handle(percents.slice(0, 30).map((percent) => progress(flight, 'in_progress', percent)));
    for (const percent of percents.slice(30)) await handle([progress(flight, 'in_progress', percent)]);
    expect(await tracked(flight)).toEqual([5, ...percents]);
    // With the first report of the flight, which was decided on, thirteen have gathered since.
    expect(await count('flight_track', flight)).toBe(2);
    await apply(pool(), flight.id, { type: 'observationGivenUp' });
    expect(await tracked(flight)).toEqual([5, ...percents]);
    expect(await count('flight_track', flight)).toBe(3);
    const { gathered, kept } = await ask<{ gathered: number; kept: number }>(
      `SELECT gathered, array_length(string_to_array(lines, E'\\n'), 1) AS kept FROM mission.flight_live WHERE mission_id = $1`,
      flight.id,
    );
    // The last that were taken before, and at the end of the flight all that gathered.
    expect({ gathered, kept }).toEqual({ gathered: 0, kept: 32 + 13 });
  });

  it('keeps the words of a dock that knows others', async () => {
    const flight = await aFlight();
    await handle([progress(flight, 'going on * -\n', 20)]);
    const track = await new MissionReadModel(new ApiDatabase(pool())).track(wholeOf(ORGANISATION), flight.id);
    expect(track?.items.map(({ status }) => status)).toEqual(['in_progress', 'going on * -\n']);
  });

  it('counts up only, whichever comes first', async () => {
    const flight = await aFlight();
    const [early, late] = [progress(flight, 'in_progress', 30, {}, 3), progress(flight, 'in_progress', 40, {}, 4)];
    await handle([late]);
    await handle([early]);
    expect(await shown(flight)).toMatchObject({ progress: { percent: 40, currentStep: 4 } });
    expect(await tracked(flight)).toEqual([5, 30, 40]);
  });

  it('is shown once although a whole backlog of it comes again after a crash', async () => {
    const flight = await aFlight();
    const backlog = Array.from({ length: 60 }, (_, number) => progress(flight, 'in_progress', 20 + number));
    await handle(backlog);
    await handle(backlog);
    expect(await tracked(flight)).toEqual([5, ...backlog.map((_, number) => 20 + number)]);
    expect(await shown(flight)).toMatchObject({ progress: { percent: 79 } });
  });

  it.each([
    ['at once', (fact: DockFact) => fact],
    ['received once more', (fact: DockFact) => ({ ...fact, receivedAtMs: fact.receivedAtMs + 60_000 })],
  ])('does not set a paused flight going when it comes again, %s', async (_when, again) => {
    const flight = await aFlight();
    const report = progress(flight, 'in_progress', 20);
    await handle([report]);
    await handle([progress(flight, 'paused', 20)]);
    expect(kinds(await handle([again(report)]))).toEqual(['repeat']);
    expect(await stateOf(pool(), flight.id)).toBe('paused');
    expect(kinds(await handle([progress(flight, 'in_progress', 21)]))).toEqual(['advanced']);
    expect(await stateOf(pool(), flight.id)).toBe('executing');
  });

  it('leaves no more than the last few, also where a dock pauses and goes on for ever', async () => {
    const flight = await aFlight();
    const facts = Array.from({ length: 100 }, () => [
      progress(flight, 'paused', 20),
      progress(flight, 'in_progress', 20),
    ]).flat();
    await handle(facts);
    const { kept } = await ask<{ kept: number }>(
      `SELECT array_length(string_to_array(lines, E'\\n'), 1) AS kept FROM mission.flight_live WHERE mission_id = $1`,
      flight.id,
    );
    expect(kept).toBeLessThanOrEqual(56);
    // Those that gather behind them are not lost by that.
    const percents = Array.from({ length: 30 }, (_, number) => 21 + number);
    for (const percent of percents) await handle([progress(flight, 'in_progress', percent)]);
    expect((await tracked(flight)).slice(-30)).toEqual(percents);
  });

  it('is no word against an end when a whole backlog of it comes again', async () => {
    const flight = await aFlight();
    const backlog = Array.from({ length: 60 }, (_, number) => progress(flight, 'in_progress', 20 + number));
    await handle(backlog);
    await apply(pool(), flight.id, { type: 'observationGivenUp' });
    expect(new Set(kinds(await handle(backlog)))).toEqual(new Set(['repeat']));
    expect(await wide(flight)).toMatchObject({ state: 'outcome_unknown', contradicted_at: null });
    await handle([progress(flight, 'in_progress', 90)]);
    expect((await wide(flight)).contradicted_at).not.toBeNull();
  });

  it('is counted once when two replicas handle it at the same instant', async () => {
    const flight = await aFlight();
    const reports = Array.from({ length: 20 }, (_, number) => progress(flight, 'in_progress', 10 + number));
    await Promise.all([handle(reports, 0), handle(reports, 1)]);
    expect(await knownLive(pool(), flight.id)).toMatchObject({ reports: 21 });
    expect(await tracked(flight)).toHaveLength(21);
  });

  it('changes only its own line of the row, and all that follows from it is known', async () => {
    const flight = await aFlight();
    const row = <Row>() =>
      ask<Row>(
        'SELECT heard_at, received_at, reports, progress, gathered FROM mission.flight_live WHERE mission_id = $1',
        flight.id,
      );
    const before = await row<{ gathered: number }>();
    const receivedAtMs = Date.now();
    await handle([progress(flight, 'in_progress', 30, { receivedAtMs }, 4)]);
    await handle([progress(flight, 'in_progress', 20, { receivedAtMs: receivedAtMs - 1 }, 3)]);
    expect(await row()).toEqual({ ...before, gathered: before.gathered + 2 });
    const known = {
      ...{ heard_at: new Date(receivedAtMs), received_at: new Date(receivedAtMs), reports: 3 },
      progress: { percent: 30, currentStep: 4, reportedAt: new Date(receivedAtMs).toISOString() },
    };
    expect(await knownLive(pool(), flight.id)).toMatchObject(known);
    await handle([progress(flight, 'paused', 31)]);
    expect(await row()).toMatchObject({ ...known, gathered: 0 });
  });

  it('is counted on top of the row that the release before wrote whole', async () => {
    const flight = await aFlight();
    await handle([progress(flight, 'in_progress', 30, {}, 4)]);
    const live = await knownLive(pool(), flight.id);
    await pool().query(
      `UPDATE mission.flight_live SET heard_at = $2, received_at = $3, progress = $4 WHERE mission_id = $1`,
      [flight.id, live?.heard_at, live?.received_at, JSON.stringify(live?.progress)],
    );
    expect(await knownLive(pool(), flight.id)).toMatchObject({ ...live, kept: expect.anything() as unknown });
  });

  it('is part of what the end of the flight shows', async () => {
    const flight = await aFlight();
    await handle([progress(flight, 'in_progress', 70)]);
    await apply(pool(), flight.id, { type: 'observationGivenUp' });
    expect(await shown(flight)).toMatchObject({ state: 'outcome_unknown', progress: { percent: 70 } });
  });

  it('is not left gathered where the dock says in the same batch that it flies another mission', async () => {
    const flight = await aFlight();
    const { dockSn } = flight;
    const other = await aMission(pool(), { dockSn });
    await apply(pool(), other, { type: 'prepareDue' });
    await apply(pool(), other, { type: 'prepareAccepted', edition: 1 });
    await handle([progress(flight, 'in_progress', 11), progress({ id: other, dockSn }, 'in_progress', 1)]);
    expect([await stateOf(pool(), flight.id), await stateOf(pool(), other)]).toEqual(['outcome_unknown', 'executing']);
    expect(await ask('SELECT gathered FROM mission.flight_live WHERE mission_id = $1', flight.id)).toEqual({
      gathered: 0,
    });
    expect(await tracked(flight)).toEqual([5, 11]);
    expect(await shown(flight)).toMatchObject({ progress: { percent: 11 } });
  });

  it('is told to whoever watches the mission', async () => {
    const flight = await aFlight();
    const watches = new WatchMissions(new ApiDatabase(pool()), createLogger('reports-spec', 'silent'));
    watches.start();
    const told: (number | null)[] = [];
    const watching = watches
      .watch(wholeOf(ORGANISATION), await shown(flight))
      .subscribe(({ progress: at }) => told.push(at?.percent ?? null));
    try {
      for (const percent of [30, 40]) {
        await handle([progress(flight, 'in_progress', percent)]);
        await eventually(`the watcher was told of ${percent} %`, () => told.includes(percent));
      }
      expect(told).toEqual([5, 30, 40]);
    } finally {
      watching.unsubscribe();
      watches.stop();
    }
  });

  it('of a clock ahead of ours does not count as heard in the future', async () => {
    const flight = await aFlight();
    await handle([progress(flight, 'in_progress', 20, { receivedAtMs: Date.now() + 600_000 })]);
    const live = await knownLive(pool(), flight.id);
    const { now } = await ask<{ now: Date }>(
      'SELECT clock_timestamp() AS now FROM mission.mission WHERE id = $1',
      flight.id,
    );
    expect(live?.heard_at.getTime()).toBeLessThanOrEqual(now.getTime());
    // Nor later on, while nothing more is heard.
    expect((await knownLive(pool(), flight.id))?.heard_at).toEqual(live?.heard_at);
  });
});

describe('the watch over a flight', () => {
  const SILENCE_MS = 60_000;
  const dueNow = (id: string) =>
    pool().query(`UPDATE mission.mission SET next_action_at = clock_timestamp() WHERE id = $1`, [id]);
  const lastDecision = async ({ id }: Flight) => {
    const last = (await timelineOf(pool(), id)).filter(({ kind }) => kind === 'decision').at(-1);
    if (last === undefined) throw new Error('nothing was decided');
    return last;
  };

  it('goes on a silence after the last report, and says in its decision when that was', async () => {
    const flight = await aFlight();
    await handle([progress(flight, 'in_progress', 20)]);
    await dueNow(flight.id);
    const replica = aReplica(pool());
    expect(await replica.runner.run([flight.id])).toBe(1);
    const { heard_at } = (await knownLive(pool(), flight.id)) ?? { heard_at: new Date(NaN) };
    const { what, detail } = await lastDecision(flight);
    expect(what).toBe('progressHeard');
    expect(detail).toMatchObject({
      heardAtMs: heard_at.getTime(),
      effects: [],
      nextActionAtMs: heard_at.getTime() + SILENCE_MS,
    });
    expect((await wide(flight)).next_action_at.getTime()).toBe(heard_at.getTime() + SILENCE_MS);
  });

  it('looks at a flight whose last report lies a silence back', async () => {
    const flight = await aFlight();
    await handle([progress(flight, 'in_progress', 20)]);
    await pool().query(
      `UPDATE mission.flight_live SET gathered = 0, heard_at = clock_timestamp() - interval '61 seconds' WHERE mission_id = $1`,
      [flight.id],
    );
    await pool().query(
      `UPDATE mission.mission SET heard_at = clock_timestamp() - interval '62 seconds', next_action_at = clock_timestamp() WHERE id = $1`,
      [flight.id],
    );
    await aReplica(pool()).runner.run([flight.id]);
    expect(await lastDecision(flight)).toMatchObject({
      what: 'progressSilent',
      detail: { effects: ['observeFlight'] },
    });
  });

  it('counts the later word where a replica of the previous release has heard the flight', async () => {
    const flight = await aFlight();
    await handle([progress(flight, 'in_progress', 20)]);
    await pool().query(
      `UPDATE mission.mission SET heard_at = clock_timestamp() + interval '1 second', revision = revision + 1,
              progress = jsonb_set(progress, '{percent}', '33') WHERE id = $1`,
      [flight.id],
    );
    expect(await shown(flight)).toMatchObject({ progress: { percent: 33 } });
    await handle([progress(flight, 'in_progress', 34)]);
    expect(await shown(flight)).toMatchObject({ progress: { percent: 34 } });
  });
});

describe('the days of the track', () => {
  const days = async (): Promise<string[]> => {
    const rows = await pool().query<{ name: string }[]>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'mission.flight_track'::regclass ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  };

  it('are made a week ahead by any replica, and dropped when they are too old', async () => {
    await owner.query(`
      CREATE TABLE mission.flight_track_20200101 PARTITION OF mission.flight_track
        FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00')`);
    await Promise.all([keepTrackDays(pool(0), 30), keepTrackDays(pool(1), 30)]);
    const kept = await days();
    expect(kept).not.toContain('flight_track_20200101');
    expect(kept).toContain('flight_track_other');
    expect(kept.length).toBeGreaterThanOrEqual(9);
  });

  it('are no bound for a repeat: a report that comes again a second after midnight is known', async () => {
    const flight = await aFlight();
    const report = progress(flight, 'in_progress', 20);
    await handle([report]);
    // As if it had been written a second before midnight.
    await owner.query(
      `UPDATE mission.flight_track SET recorded_at = date_trunc('day', recorded_at) - interval '1 second' WHERE mission_id = $1`,
      [flight.id],
    );
    await pool().query(`UPDATE mission.flight_live SET heard_at = heard_at - interval '1 day' WHERE mission_id = $1`, [
      flight.id,
    ]);
    expect(kinds(await handle([report]))).toEqual(['repeat']);
    expect(await tracked(flight)).toEqual([5, 20]);
  });

  it('take a report whose day was never made', async () => {
    const flight = await aFlight();
    for (const name of (await days()).filter((day) => /\d{8}$/.test(day)))
      await owner.query(`DROP TABLE mission.${name}`);
    expect(kinds(await handle([progress(flight, 'in_progress', 20)]))).toEqual(['kept']);
    await apply(pool(), flight.id, { type: 'observationGivenUp' });
    expect(await tracked(flight)).toEqual([5, 20]);
  });
});
