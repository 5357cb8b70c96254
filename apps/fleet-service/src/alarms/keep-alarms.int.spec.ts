import { randomUUID } from 'node:crypto';
import type { DockFact } from '@aerie/bus-contract';
import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';
import { importDocks, readDocks } from '../docks/import-docks.js';
import { readAlarms } from '../docks/dock/read-alarms.js';
import { KeepAlarms, closeAlarms } from './keep-alarms.js';

let dataSource: DataSource;
let drop: () => Promise<void>;
let keepAlarms: KeepAlarms;
let dockSn: string;
const START_MS = Date.now() - 3_600_000;

beforeAll(async () => {
  ({ dataSource, drop } = await fleetTestDatabase());
  keepAlarms = new KeepAlarms(dataSource);
}, 60_000);
afterAll(() => drop(), 30_000);
beforeEach(async () => {
  dockSn = `D-${randomUUID()}`;
  await importDocks(dataSource, readDocks(JSON.stringify({ sn: dockSn, model: 'dock2', name: dockSn })));
});

/** What a device says so many seconds after the start; the dock speaks. */
const says = (seconds: number, codes: readonly unknown[], sn = dockSn) => {
  const list = codes.map((code) => (typeof code === 'string' ? { code, level: 1, module: 3 } : code));
  const fact = { sn, channel: 'events', method: 'hms', data: { list }, receivedAtMs: START_MS + seconds * 1_000 };
  return readAlarms(fact as unknown as DockFact, dockSn);
};
const keep = (...facts: readonly ReturnType<typeof says>[]): Promise<void> =>
  keepAlarms.keep(facts.flatMap((fact) => fact ?? []));

interface Row {
  readonly code: string;
  readonly opened: number;
  readonly closed: number | null;
  readonly times: number;
}
const rows = (sn = dockSn): Promise<Row[]> =>
  dataSource.query<Row[]>(
    `SELECT code, extract(epoch FROM opened_at)::float8 - $2 AS opened, extract(epoch FROM closed_at)::float8 - $2 AS closed, times
       FROM fleet.alarm WHERE device_sn = $1 ORDER BY opened_at, code`,
    [sn, START_MS / 1_000],
  );
const told = async (): Promise<string[]> => {
  const facts = await dataSource.query<{ subject: string; payload: { code: string; dockSn: string } }[]>(
    `SELECT subject, payload FROM fleet.outbox WHERE payload->>'dockSn' = $1 ORDER BY id`,
    [dockSn],
  );
  return facts.map(({ subject, payload }) => `${subject.split('.').at(-1)} ${payload.code}`);
};
const written = async (): Promise<string> =>
  JSON.stringify(await dataSource.query(`SELECT id, xmin::text FROM fleet.alarm ORDER BY id`));

it('opens what a list has, closes what the next has not, and tells others both', async () => {
  await keep(says(0, ['0x1', '0x2']));
  await keep(says(2, ['0x2']));
  expect(await rows()).toEqual([
    { code: '0x1', opened: 0, closed: 2, times: 1 },
    { code: '0x2', opened: 0, closed: null, times: 1 },
  ]);
  expect(await told()).toEqual(['alarmOpened 0x1', 'alarmOpened 0x2', 'alarmClosed 0x1']);
});

it('writes nothing for a list that says what the one before said, nor for one that comes again', async () => {
  await keep(says(0, ['0x1']));
  await keep(says(2, []));
  await keep(says(100, ['0x3']));
  const before = await written();
  await keep(says(102, ['0x3']), says(104, ['0x3']));
  await keep(says(0, ['0x1']), says(2, []));
  await keep(says(100, ['0x3']));
  expect(await written()).toBe(before);
  expect(await told()).toEqual(['alarmOpened 0x1', 'alarmClosed 0x1', 'alarmOpened 0x3']);
});

it('has dock and aircraft apart', async () => {
  const aircraftSn = `${dockSn}-A`;
  await keep(says(0, ['0x1']), says(0, ['0x1'], aircraftSn), says(1, []));
  expect(await rows()).toMatchObject([{ closed: 1 }]);
  expect(await rows(aircraftSn)).toMatchObject([{ closed: null }]);
});

it('goes on with the row of an alarm that comes back within a minute, and makes another one later', async () => {
  await keep(says(0, ['0x1']), says(10, []));
  await keep(says(70, ['0x1']));
  await keep(says(80, []), says(141, ['0x1']));
  expect(await rows()).toEqual([
    { code: '0x1', opened: 0, closed: 80, times: 2 },
    { code: '0x1', opened: 141, closed: null, times: 1 },
  ]);
});

it('keeps what came and went within one batch', async () => {
  await keep(says(0, ['0x1']), says(2, []), says(200, ['0x1']), says(202, []));
  expect(await rows()).toMatchObject([
    { opened: 0, closed: 2 },
    { opened: 200, closed: 202 },
  ]);
  expect(await told()).toEqual(['alarmOpened 0x1', 'alarmClosed 0x1', 'alarmOpened 0x1', 'alarmClosed 0x1']);
});

it('is of one mind when two replicas handle lists of one device at once', async () => {
  const other = new KeepAlarms(dataSource);
  const lists = Array.from({ length: 20 }, (_, index) => says(index, index % 2 === 0 ? ['0x1', '0x2'] : ['0x2']));
  await Promise.all(
    lists.map((fact, index) => (index % 2 === 0 ? keepAlarms : other).keep(fact === null ? [] : [fact])),
  );
  await keep(says(30, ['0x2']));
  expect((await rows()).filter(({ closed }) => closed === null)).toMatchObject([{ code: '0x2' }]);
});

describe('an aircraft that another dock speaks for', () => {
  it('has its alarms there, and none that is open where it was', async () => {
    const [aircraftSn, otherSn] = [`${dockSn}-A`, `E-${randomUUID()}`];
    await importDocks(dataSource, readDocks(JSON.stringify({ sn: otherSn, model: 'dock2', name: otherSn })));
    await keep(says(0, ['0x1'], aircraftSn));
    const moved = says(2, ['0x1'], aircraftSn);
    await keepAlarms.keep(moved === null ? [] : [{ ...moved, dockSn: otherSn }]);
    const found = await dataSource.query(
      'SELECT dock_sn, closed_at IS NULL AS open FROM fleet.alarm WHERE device_sn = $1 ORDER BY opened_at',
      [aircraftSn],
    );
    expect(found).toEqual([
      { dock_sn: dockSn, open: false },
      { dock_sn: otherSn, open: true },
    ]);
    expect(await told()).toEqual(['alarmOpened 0x1', 'alarmClosed 0x1']);
  });

  it('has none that is open once its dock has lost it, and the dock keeps its own', async () => {
    await keep(says(0, ['0x1'], `${dockSn}-A`), says(0, ['0x2']));
    await inTransaction(dataSource, (tx) => closeAlarms(tx, { dockSn, deviceSn: `${dockSn}-A` }));
    expect(await rows(`${dockSn}-A`)).toMatchObject([{ closed: expect.any(Number) }]);
    expect(await rows()).toMatchObject([{ closed: null }]);
    await inTransaction(dataSource, (tx) => closeAlarms(tx, { dockSn, deviceSn: null }));
    expect(await rows()).toMatchObject([{ closed: expect.any(Number) }]);
    expect((await told()).sort()).toEqual(['alarmClosed 0x1', 'alarmClosed 0x2', 'alarmOpened 0x1', 'alarmOpened 0x2']);
  });
});

it('forgets who acknowledged an alarm that gets worse, and tells others', async () => {
  const said = (level: number) => [{ code: '0x1', level, module: 3 }];
  await keep(says(0, said(1)));
  const acknowledge = `UPDATE fleet.alarm SET acknowledged_at = now(), acknowledged_by = 'key:spec' WHERE device_sn = $1`;
  const isAcknowledged = async () =>
    (
      await dataSource.query<{ is: boolean }[]>(
        'SELECT acknowledged_by IS NOT NULL AS is FROM fleet.alarm WHERE device_sn = $1',
        [dockSn],
      )
    )[0]?.is;
  await dataSource.query(acknowledge, [dockSn]);
  await keep(says(2, said(0)));
  expect(await isAcknowledged()).toBe(true);
  await keep(says(4, said(2)));
  expect(await isAcknowledged()).toBe(false);
  expect(await told()).toEqual(['alarmOpened 0x1', 'alarmWorsened 0x1']);
});

it('keeps no more than a share of what a dock makes up', async () => {
  const codes = (from: number) => Array.from({ length: 200 }, (_, index) => `0x${from + index}`);
  for (let round = 0; round < 8; round++) await keep(says(round * 70, codes(round * 200)));
  await keep(says(8 * 70, []));
  const [{ closed } = { closed: 0 }] = await dataSource.query<{ closed: number }[]>(
    'SELECT count(closed_at)::int AS closed FROM fleet.alarm WHERE device_sn = $1',
    [dockSn],
  );
  expect(closed).toBeLessThanOrEqual(1_200);
  expect(closed).toBeGreaterThanOrEqual(1_000);
});

it('keeps nothing of a dock that is not registered any more', async () => {
  await dataSource.query('DELETE FROM fleet.broker_user WHERE dock_sn = $1', [dockSn]);
  const fact = says(0, ['0x1']);
  await keepAlarms.keep(fact === null ? [] : [{ ...fact, dockSn: 'GONE' }]);
  expect([await rows(), await told()]).toEqual([[], []]);
});

it('takes a time from the future for now, so that the next list counts', async () => {
  await keep(says(2 * 86_400, ['0x1']));
  await keepAlarms.keep([{ deviceSn: dockSn, dockSn, list: { receivedAtMs: Date.now() + 1, alarms: [] } }]);
  expect(await rows()).toMatchObject([{ code: '0x1', closed: expect.any(Number) }]);
});
