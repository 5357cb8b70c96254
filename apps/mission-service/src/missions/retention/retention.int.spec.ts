import { randomUUID } from 'node:crypto';
import { once } from '@aerie/http-api';
import { Metrics, createLogger } from '@aerie/observability';
import { type Prune, Retention, type Tx, enterInbox, inTransaction, ApiDatabase, wholeOf } from '@aerie/persistence';
import { fill } from '@aerie/persistence/testing';
import { explained } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { loadConfig } from '../../config.js';
import { ResumeMission } from '../breakpoints/resume-mission.js';
import { type Flight, aStart, handle, kinds, progress } from '../fixtures/dock-words.js';
import { ORGANISATION, aMission, apply, missionTestDatabase, stateOf } from '../fixtures/mission-database.js';
import type { CreateMission } from '../planning/create-mission.js';
import { reserveDock } from '../store/dock-reservations.js';
import { recordCalls } from '../store/flight-critical.js';
import { MissionReadModel } from '../views/mission.read-model.js';
import { detailPrune, missionPrune } from './ended-missions.js';
import { missionPrunes } from './prunes.js';

const logger = createLogger('retention-spec', 'silent');
const SETTINGS = {
  MISSION_HTTP_PORT: '1',
  MISSION_GRPC_PORT: '2',
  DATABASE_URL: 'postgres://spec@127.0.0.1:1/spec',
  DATABASE_ENGINE_PASSWORD: 'spec',
  REDIS_URL: 'redis://127.0.0.1:1',
  NATS_URL: 'nats://127.0.0.1:1',
  S3_ENDPOINT: 'http://127.0.0.1:1',
  S3_BUCKET: 'spec',
  S3_ACCESS_KEY_ID: 'spec',
  S3_SECRET_ACCESS_KEY: 'spec',
};
/** Detail for 90 days, missions for a year, all else by default. */
const DAYS = loadConfig({ ...SETTINGS, MISSION_DETAIL_DAYS: '90', MISSION_DAYS: '365' });

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
const query = <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
  owner.query<Row[]>(sql, [...parameters]);
const within = <Result>(work: (tx: Tx) => Promise<Result>) => inTransaction(pool(), work);
const reads = () => new MissionReadModel(new ApiDatabase(pool()));

/** All that mission-service prunes, until nothing is left to prune. */
const prune = (prunes: readonly Prune[] = missionPrunes(DAYS), number = 0): Promise<number> =>
  new Retention({ dataSource: pool(number), prunes, logger, metrics: new Metrics('spec') }).run();

/** As if the mission had come to where it is so many days earlier. */
const age = (id: string, days: number) =>
  query(
    `UPDATE mission.mission SET since = since - $2 * interval '1 day', updated_at = updated_at - $2 * interval '1 day',
       created_at = created_at - $2 * interval '1 day' WHERE id = $1`,
    [id, days],
  );

async function aFlown(days: number, more: Readonly<Record<string, unknown>> = {}): Promise<Flight> {
  const flight = await aStart(pool());
  await handle(pool(), [progress(flight, 'in_progress', 20)]);
  await handle(pool(), [progress(flight, 'in_progress', 40)]);
  await handle(pool(), [progress(flight, 'ok', 100)]);
  expect(await stateOf(pool(), flight.id)).toBe('succeeded');
  await within((tx) =>
    tx.run(
      `INSERT INTO mission.preflight (mission_id, stage, at, verdict, rules) VALUES ($1, 'plan', now(), 'go', '[]')`,
      [flight.id],
    ),
  );
  await aCall(flight, more);
  await age(flight.id, days);
  return flight;
}

const aCall = ({ id, dockSn }: Flight, more: Readonly<Record<string, unknown>> = {}) =>
  within((tx) =>
    recordCalls(tx, [
      {
        ...{ tid: randomUUID(), missionId: id, dockSn, method: 'flighttask_undo', attempt: 0, edition: 1 },
        ...{ notAfterMs: Date.now(), requestedBy: null, reason: null, repeats: false, starts: false },
        ...more,
      },
    ]),
  );

/** A place where the dock can begin, or one that names nothing. */
const aBreakPoint = (id: string, resumable = true) =>
  query('INSERT INTO mission.breakpoint (mission_id, reason, point) VALUES ($1, 1, $2)', [
    id,
    JSON.stringify({ index: resumable ? 3 : 65_535, state: 0, progress: 0.5, wayline_id: 0 }),
  ]);

const DETAIL = ['timeline', 'dock_call', 'preflight', 'flight_live', 'breakpoint'] as const;
async function rowsOf(id: string): Promise<Record<(typeof DETAIL)[number], number>> {
  const counts = await Promise.all(
    DETAIL.map((table) =>
      query<{ rows: number }>(`SELECT count(*)::int AS rows FROM mission.${table} WHERE mission_id = $1`, [id]),
    ),
  );
  return Object.fromEntries(DETAIL.map((table, at) => [table, counts[at]?.[0]?.rows])) as never;
}
const exists = async (id: string): Promise<boolean> =>
  (await query('SELECT 1 FROM mission.mission WHERE id = $1', [id])).length === 1;
const NOTHING = { timeline: 0, dock_call: 0, preflight: 0, flight_live: 0, breakpoint: 0 };

describe('the detail of a mission that ended long ago', () => {
  it('is deleted, and the mission stays and shows what it showed', async () => {
    const [old, young] = [await aFlown(91), await aFlown(89)];
    const [view, kept] = [await reads().find(wholeOf(ORGANISATION), old.id), await rowsOf(young.id)];
    expect(kept).toMatchObject({ preflight: 1, flight_live: 1 });
    await prune();
    expect([await rowsOf(old.id), await rowsOf(young.id)]).toEqual([NOTHING, kept]);
    expect(await reads().find(wholeOf(ORGANISATION), old.id)).toEqual(view);
  });

  it('is said to be deleted wherever it was shown', async () => {
    const { id } = await aFlown(91);
    expect(await reads().timeline(wholeOf(ORGANISATION), id)).toMatchObject({ prunedAt: null });
    await prune();
    const timeline = await reads().timeline(wholeOf(ORGANISATION), id);
    const prunedAt = timeline?.prunedAt ?? '';
    expect(Date.now() - Date.parse(prunedAt)).toBeLessThan(60_000);
    expect(timeline?.items).toMatchObject([{ at: prunedAt, kind: 'note', what: 'detailPruned' }]);
    expect(await reads().commands(wholeOf(ORGANISATION), id)).toEqual({ items: [], prunedAt });
    expect(await reads().breakPoints(wholeOf(ORGANISATION), id)).toEqual({ items: [], prunedAt });
    expect(await reads().preflight(wholeOf(ORGANISATION), id)).toEqual({ prunedAt });
  });

  it('is deleted in small batches, and is said to be deleted from the first of them', async () => {
    const { id } = await aFlown(91);
    const { timeline } = await rowsOf(id);
    const small = detailPrune(90, { missions: 1, rows: timeline - 1 });
    expect(await within((tx) => small.batch(tx))).toMatchObject({ rows: { timeline: timeline - 1 }, more: true });
    expect(await reads().timeline(wholeOf(ORGANISATION), id)).toMatchObject({
      // A message and what was decided on it are one row.
      items: [{ what: 'detailPruned' }, { kind: 'message_in' }, { kind: 'decision' }],
    });
    await prune([small]);
    expect(await rowsOf(id)).toEqual(NOTHING);
  });

  it('is deleted once when replicas do so at the same time', async () => {
    const flights = await Promise.all(Array.from({ length: 12 }, () => aFlown(91)));
    const small = () => [detailPrune(90, { missions: 2, rows: 1_000 })];
    const rows = await Promise.all(flights.map(({ id }) => rowsOf(id)));
    const sum = rows.flatMap((row) => Object.values(row)).reduce((all, count) => all + count, 0);
    const [one, other] = await Promise.all([prune(small(), 0), prune(small(), 1)]);
    expect(one + other).toBe(sum);
  });

  it('waits for nobody who works on the mission, and goes on with others', async () => {
    const [locked, other] = [await aFlown(93), await aFlown(92)];
    await within(async (tx) => {
      await tx.query('SELECT 1 FROM mission.mission WHERE id = $1 FOR NO KEY UPDATE', [locked.id]);
      await prune([detailPrune(90)], 1);
      expect([(await rowsOf(locked.id)).preflight, await rowsOf(other.id)]).toEqual([1, NOTHING]);
    });
  });
});

describe('retention leaves alone', () => {
  const stays = async (id: string) => {
    await aCall({ id, dockSn: 'irrelevant' });
    const before = await rowsOf(id);
    expect(before.timeline + before.dock_call).toBeGreaterThan(0);
    await prune();
    expect([await exists(id), await rowsOf(id)]).toEqual([true, before]);
  };

  it.each(['scheduled', 'preparing', 'prepared', 'starting', 'executing', 'paused', 'canceling'])(
    'a mission that is %s, however old it is',
    async (state) => {
      const id = await aMission(pool());
      await query('UPDATE mission.mission SET state = $2 WHERE id = $1', [id, state]);
      await age(id, 1_000);
      await stays(id);
    },
  );

  it('a mission whose outcome nobody knows, until it is resolved', async () => {
    const flight = await aStart(pool());
    await handle(pool(), [progress(flight, 'in_progress', 20)]);
    await apply(pool(), flight.id, { type: 'observationGivenUp' });
    await age(flight.id, 1_000);
    await stays(flight.id);
    await query(`UPDATE mission.mission SET resolution = '{}', updated_at = now() WHERE id = $1`, [flight.id]);
    await stays(flight.id);
    await age(flight.id, 91);
    await prune([detailPrune(90)]);
    expect(await rowsOf(flight.id)).toEqual(NOTHING);
  });

  it('a command that is still repeated, and the mission with it', async () => {
    const { id } = await aFlown(1_000, { repeats: true });
    await stays(id);
    await query('UPDATE mission.dock_call SET next_attempt_at = NULL WHERE mission_id = $1', [id]);
    await prune();
    expect(await exists(id)).toBe(false);
  });

  it('a place where a flight can still be resumed, and its mission', async () => {
    const { id } = await aFlown(1_000);
    await aBreakPoint(id);
    await aBreakPoint(id, false);
    await prune();
    expect([await exists(id), await rowsOf(id)]).toEqual([true, { ...NOTHING, breakpoint: 1 }]);
    const resumed: unknown[] = [];
    const create = { execute: async (...given: unknown[]) => resumed.push(given) } as unknown as CreateMission;
    const caller = {
      organisationId: ORGANISATION,
      keyId: randomUUID(),
      roles: ['pilot'],
      siteIds: null,
      dockSns: null,
    } as never;
    const wish = { breakPointId: null, executeAtMs: null, name: null, rthAltitudeMeters: null };
    await new ResumeMission(new ApiDatabase(pool()), create).execute(caller, id, wish, {} as never);
    expect(resumed).toHaveLength(1);
  });

  it('idempotency keys of less than a week, and inbox rows of less than eight days', async () => {
    await query(
      `INSERT INTO mission.idempotency_key (organisation_id, route, key, request_hash, status, body, created_at)
       SELECT gen_random_uuid(), 'r', days::text, '', 201, '', now() - days * interval '1 day' + interval '1 minute'
         FROM unnest(ARRAY[7, 8]) AS days`,
    );
    await query(
      `INSERT INTO mission.inbox SELECT 'sn', 'spec', days::text, now() - days * interval '1 day' + interval '1 minute'
         FROM unnest(ARRAY[8, 9]) AS days`,
    );
    await prune();
    expect(await query(`SELECT key FROM mission.idempotency_key WHERE route = 'r'`)).toEqual([{ key: '7' }]);
    expect(await query(`SELECT message_id FROM mission.inbox WHERE method = 'spec'`)).toEqual([{ message_id: '8' }]);
  });

  it('the reservation of a mission that has not ended, but not one of the past whose holder is gone', async () => {
    const id = await aMission(pool());
    const gone = randomUUID();
    const hourMs = 3_600_000;
    const past = { fromMs: Date.now() - 24 * 9 * hourMs, untilMs: Date.now() - 24 * 9 * hourMs + hourMs };
    await within((tx) => reserveDock(tx, id, `D-${id}`, past));
    await within((tx) => reserveDock(tx, gone, `D-${gone}`, past));
    await prune();
    const left = await query<{ holder_id: string }>(
      'SELECT holder_id FROM mission.dock_reservation WHERE holder_id = ANY($1)',
      [[id, gone]],
    );
    expect(left).toEqual([{ holder_id: id }]);
  });
});

describe('a mission itself', () => {
  it('is kept for ever by default, and deleted after MISSION_DAYS where that is set', async () => {
    const [old, young] = [await aFlown(5_000), await aFlown(364)];
    await prune(missionPrunes(loadConfig({ ...SETTINGS, MISSION_DETAIL_DAYS: '90' })));
    expect(await exists(old.id)).toBe(true);
    await prune();
    expect([await exists(old.id), await exists(young.id)]).toEqual([false, true]);
  });

  it('goes after those that went on with it, also where it could be resumed before', async () => {
    const [first, second, third] = [await aFlown(1_003), await aFlown(1_002), await aFlown(1_001)];
    for (const { id } of [first, second]) {
      await aBreakPoint(id);
      await query(`UPDATE mission.mission SET state = 'failed' WHERE id = $1`, [id]);
    }
    await prune();
    await query('UPDATE mission.mission SET resumed_from = $2 WHERE id = $1', [second.id, first.id]);
    expect([await exists(first.id), await exists(second.id), await exists(third.id)]).toEqual([true, true, false]);
    const last = await aFlown(1_001);
    await query('UPDATE mission.mission SET resumed_from = $2 WHERE id = $1', [last.id, second.id]);
    await prune([detailPrune(90), missionPrune(365)]);
    const left = await Promise.all([first, second, last].map(({ id }) => exists(id)));
    expect(left).toEqual([false, false, false]);
  });
});

/** One second after midnight: the first came half a second before it. */
const LATE = `date_trunc('day', clock_timestamp()) - interval '500 milliseconds'`;

describe('a repeat one second after midnight', () => {
  it('of a message of a dock meets its inbox row', async () => {
    const key = { sn: 'sn', method: 'midnight', messageId: 'tid' };
    expect(await within((tx) => enterInbox(tx, 'mission', key))).toBe(true);
    await query(`UPDATE mission.inbox SET received_at = ${LATE} WHERE method = 'midnight'`);
    await prune();
    expect(await within((tx) => enterInbox(tx, 'mission', key))).toBe(false);
  });

  it('of a request meets its idempotency key, and makes no second mission', async () => {
    const request = { organisationId: ORGANISATION, route: 'midnight', key: 'key', body: {} };
    let made = 0;
    const ask = () =>
      within((tx) =>
        once(tx, 'mission', request, async () => ({ status: 201, body: `{"id":"${randomUUID()}","n":${++made}}` })),
      );
    const first = await ask();
    await query(`UPDATE mission.idempotency_key SET created_at = ${LATE} WHERE route = 'midnight'`);
    await prune();
    expect([await ask(), made]).toEqual([first, 1]);
  });

  it('of a start is refused by the one command of its attempt', async () => {
    const flight = await aStart(pool());
    await query(`UPDATE mission.dock_call SET claimed_at = ${LATE} WHERE mission_id = $1`, [flight.id]);
    await query(`UPDATE mission.mission SET since = ${LATE}, updated_at = ${LATE} WHERE id = $1`, [flight.id]);
    await prune();
    const again = aCall(flight, { method: 'flighttask_execute', attempt: 1 });
    await expect(again).rejects.toThrow('dock_call_one_execute');
  });

  it('of a reply counts once', async () => {
    const flight = await aStart(pool());
    const [call] = await query<{ tid: string }>(
      `UPDATE mission.dock_call SET claimed_at = ${LATE}, reply_at = ${LATE}, reply_result = 0
        WHERE mission_id = $1 AND method = 'flighttask_execute' RETURNING tid`,
      [flight.id],
    ).then(([rows]) => rows as unknown as { tid: string }[]);
    await prune();
    const reply = {
      ...progress(flight, 'irrelevant'),
      ...{
        channel: 'services_reply' as const,
        method: 'flighttask_execute',
        tid: call?.tid ?? '',
        data: { result: 0 },
      },
      topic: `thing/product/${flight.dockSn}/services_reply`,
    };
    expect(kinds(await handle(pool(), [reply]))).toEqual(['repeat']);
  });

  it('of a reservation meets the other that began before midnight', async () => {
    const dockSn = `D-${randomUUID().slice(0, 8)}`;
    const midnightMs = new Date().setUTCHours(24, 0, 0, 0);
    const span = { fromMs: midnightMs - 500, untilMs: midnightMs + 600_000 };
    await within((tx) => reserveDock(tx, randomUUID(), dockSn, span));
    const after = { fromMs: midnightMs + 500, untilMs: midnightMs + 1_000 };
    await expect(within((tx) => reserveDock(tx, randomUUID(), dockSn, after))).rejects.toThrow('one_at_a_time');
  });

  it('of a flight keeps its dock from a second one', async () => {
    const flight = await aStart(pool());
    await query(`UPDATE mission.mission SET since = ${LATE}, created_at = ${LATE} WHERE id = $1`, [flight.id]);
    const other = await aMission(pool(), { dockSn: flight.dockSn });
    const start = query(`UPDATE mission.mission SET state = 'starting' WHERE id = $1`, [other]);
    await expect(start).rejects.toThrow('mission_one_flight_of_dock');
  });

  it('of a report of a flight is no second report, though its day of the track is another', async () => {
    const flight = await aStart(pool());
    await handle(pool(), [progress(flight, 'in_progress', 5)]);
    const report = progress(flight, 'in_progress', 20);
    expect(kinds(await handle(pool(), [report]))).toEqual(['kept']);
    // Into the partition of yesterday, as it lies there after midnight.
    await query(
      `CREATE TABLE IF NOT EXISTS mission.flight_track_yesterday PARTITION OF mission.flight_track
         FOR VALUES FROM ('${midnight(-1)}') TO ('${midnight(0)}')`,
    );
    await query(`UPDATE mission.flight_track SET recorded_at = ${LATE} WHERE mission_id = $1`, [flight.id]);
    await query(`UPDATE mission.flight_live SET heard_at = ${LATE}, received_at = ${LATE} WHERE mission_id = $1`, [
      flight.id,
    ]);
    expect(kinds(await handle(pool(), [report]))).toEqual(['repeat']);
    const track = await reads().track(wholeOf(ORGANISATION), flight.id);
    expect(track?.items.map(({ percent }) => percent)).toEqual([5, 20]);
    const [live] = await query<{ reports: number }>(
      'SELECT reports + gathered AS reports FROM mission.flight_live WHERE mission_id = $1',
      [flight.id],
    );
    // The one with which the flight began, and this one.
    expect(live).toEqual({ reports: 2 });
  });
});

const midnight = (days: number): string => new Date(new Date().setUTCHours(24 * days, 0, 0, 0)).toISOString();

describe('the settings', () => {
  it.each([
    ['MISSION_INBOX_DAYS', '7', 'must be at least 8, not "7"'],
    ['MISSION_IDEMPOTENCY_DAYS', '6', 'must be at least 7, not "6"'],
    ['MISSION_DETAIL_DAYS', '7', 'must be at least 8, not "7"'],
    ['MISSION_TRACK_DAYS', '0', 'must be at least 1, not "0"'],
    ['MISSION_OUTBOX_DAYS', '0', 'must be at least 1, not "0"'],
    ['MISSION_DAYS', '29', 'must be 0, which keeps missions for ever, or at least 30; sent was "29"'],
    ['MISSION_DAYS', '399', 'or at least MISSION_DETAIL_DAYS: no detail outlives its mission; sent was "399"'],
  ])('refuse %s=%s at start, and say what is allowed', (name, value, text) => {
    expect(() => loadConfig({ ...SETTINGS, [name]: value })).toThrow(`${name}: `);
    expect(() => loadConfig({ ...SETTINGS, [name]: value })).toThrow(text);
  });
});

const put = (sql: string, parameters: readonly unknown[] = []) => fill(owner, (tx) => tx.run(sql, parameters));

describe('each batch, with many rows and statistics', () => {
  it('finds its rows by an index', async () => {
    const id = await aMission(pool());
    const columns = (
      await query<{ name: string }>(
        `SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = 'mission.mission'::regclass AND attnum > 0
         AND NOT attisdropped AND attname NOT IN ('id', 'state', 'next_action_at', 'since', 'updated_at', 'detail_kept')`,
      ).then((rows) => rows.map(({ name }) => name))
    ).join(', ');
    // Of 20,000 ended missions some are old, some are pruned; each has detail.
    await put(
      `INSERT INTO mission.mission (id, state, next_action_at, since, updated_at, detail_kept, ${columns})
       SELECT gen_random_uuid(), 'succeeded', NULL, now() - n * interval '1 hour', now() - n * interval '1 hour',
              n < 15000, ${columns} FROM mission.mission, generate_series(1, 20000) AS n WHERE id = $1`,
      [id],
    );
    await put(
      `INSERT INTO mission.timeline (mission_id, kind, what, detail)
       SELECT id, 'note', 'spec', '{}' FROM mission.mission, generate_series(1, 3)`,
    );
    await put(
      `INSERT INTO mission.dock_call (tid, mission_id, dock_sn, method, attempt, edition, not_after)
       SELECT gen_random_uuid(), id, 'sn', 'flighttask_prepare', 0, 1, now() FROM mission.mission, generate_series(1, 2)`,
    );
    await put(
      `INSERT INTO mission.preflight (mission_id, stage, at, verdict, rules)
       SELECT id, 'execute', now(), 'go', '[]' FROM mission.mission ON CONFLICT DO NOTHING`,
    );
    await put(
      `INSERT INTO mission.breakpoint (mission_id, point) SELECT id, '{"index":65535}' FROM mission.mission ON CONFLICT DO NOTHING`,
    );
    await put(
      `INSERT INTO mission.flight_live (mission_id, attempt, heard_at, received_at, reports, recent, progress)
       SELECT id, 1, now(), now(), 1, '', '{}' FROM mission.mission ON CONFLICT DO NOTHING`,
    );
    await put(
      `INSERT INTO mission.dock_reservation (dock_sn, during, holder_kind, holder_id)
       SELECT n::text, tstzrange(now() - n * interval '1 hour', now() - (n - 1) * interval '1 hour'), 'log_upload',
              gen_random_uuid() FROM generate_series(1, 20000) AS n`,
    );
    for (const [table, column, values] of [
      ['inbox', 'sn, method, message_id, received_at', `'sn', 'many', n::text`],
      ['outbox', 'subject, payload, done_at', `'s', '{}'`],
      [
        'idempotency_key',
        'organisation_id, route, key, request_hash, status, body, created_at',
        `gen_random_uuid(), 'm', n::text, '', 201, ''`,
      ],
      [
        'flight_track_other',
        'mission_id, attempt, received_at, status, recorded_at',
        `gen_random_uuid(), 1, now(), 's'`,
      ],
    ]) {
      await put(
        `INSERT INTO mission.${table} (${column}) SELECT ${values}, now() - interval '3 days' - n * interval '5 minutes' FROM generate_series(1, 20000) AS n`,
      );
    }
    await put('ANALYZE');
    const plans: string[] = [];
    for (const { batch } of missionPrunes(DAYS)) await within((tx) => batch(explained(tx, plans)));
    const scans = plans.filter((line) => /Scan/.test(line));
    expect(scans.length).toBeGreaterThan(15);
    expect(scans.filter((line) => /Seq Scan/.test(line))).toEqual([]);
    const bounds = plans.filter((line) => line.includes('Index Cond:')).join('\n');
    for (const age of ['since', 'received_at', 'created_at', 'upper(during)', 'recorded_at'])
      expect(bounds).toContain(`${age} < (now()`);
    for (const index of [
      'mission_ended',
      'inbox_received_at',
      'outbox_pkey',
      'idempotency_key_created_at',
      'dock_reservation_over',
    ])
      expect(scans.join('\n')).toContain(index);
  }, 120_000);
});
