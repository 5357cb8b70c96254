import { randomUUID } from 'node:crypto';
import type { DockFact } from '@aerie/bus-contract';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../../fixtures/fleet-database.js';
import { KeepMessages } from './keep-messages.js';

let dataSource: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ dataSource, drop } = await fleetTestDatabase());
}, 60_000);
afterAll(() => drop(), 30_000);

/** A dock says what has changed. */
const tell = (sn: string, data: Readonly<Record<string, unknown>>, receivedAtMs: number): Promise<void> =>
  new KeepMessages(dataSource).keep([], [{ sn, data, receivedAtMs } as unknown as DockFact]);

async function kept(sn: string): Promise<{ readonly value: unknown; readonly is_ahead: boolean } | undefined> {
  const rows = await dataSource.query<{ value: unknown; is_ahead: boolean }[]>(
    `SELECT value, received_at > clock_timestamp() AS is_ahead FROM fleet.device_property
      WHERE sn = $1 AND property = 'emergency_stop_state'`,
    [sn],
  );
  return rows[0];
}

it('keeps the newest value of a property, whatever comes late', async () => {
  const sn = randomUUID();
  await tell(sn, { emergency_stop_state: 1 }, Date.now());
  await tell(sn, { emergency_stop_state: 0 }, Date.now() - 60_000);
  expect(await kept(sn)).toMatchObject({ value: 1 });
});

it('takes the next value also after one whose time lay in the future', async () => {
  const sn = randomUUID();
  await tell(sn, { emergency_stop_state: 0 }, Date.now() + 150_000);
  expect(await kept(sn)).toEqual({ value: 0, is_ahead: false });
  await tell(sn, { emergency_stop_state: 1 }, Date.now() + 1);
  expect(await kept(sn)).toMatchObject({ value: 1 });
});

it('writes a value that it has anew only when it is ten minutes old', async () => {
  const sn = randomUUID();
  const version = async () => {
    const [row] = await dataSource.query<{ version: string }[]>(
      'SELECT xmin::text AS version FROM fleet.device_property WHERE sn = $1',
      [sn],
    );
    return row?.version;
  };
  await tell(sn, { emergency_stop_state: 1 }, Date.now() - 700_000);
  const first = await version();
  await tell(sn, { emergency_stop_state: 1 }, Date.now() - 60_000);
  const second = await version();
  expect(second).not.toBe(first);
  await tell(sn, { emergency_stop_state: 1 }, Date.now());
  expect(await version()).toBe(second);
  await tell(sn, { emergency_stop_state: 0 }, Date.now());
  expect(await kept(sn)).toMatchObject({ value: 0 });
});
