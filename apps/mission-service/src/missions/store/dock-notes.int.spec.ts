import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { aMission, missionTestDatabase } from '../fixtures/mission-database.js';
import { lockMission } from './flight-critical.js';
import { DockNotes, noteForeignFlights } from './dock-notes.js';

const AHEAD_MS = 150_000;

let dataSource: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  [dataSource] = database.pools as [DataSource];
}, 60_000);
afterAll(() => drop(), 30_000);

async function noted(dockSn: string): Promise<unknown> {
  const rows = await dataSource.query<unknown[]>(
    `SELECT flight_id, flight_at > clock_timestamp() AS flight_is_ahead, heard_at > clock_timestamp() AS heard_is_ahead
       FROM mission.dock WHERE sn = $1`,
    [dockSn],
  );
  return rows[0];
}

it('does not believe a time from the future of a flight that is none of ours: it keeps the dock for no longer than another', async () => {
  await aMission(dataSource, { dockSn: 'AHEAD-1' });
  const flight = { dockSn: 'AHEAD-1', id: 'by-hand', goesOn: true, receivedAtMs: Date.now() + AHEAD_MS };
  await inTransaction(dataSource, (tx) => noteForeignFlights(tx, [flight]));
  expect(await noted('AHEAD-1')).toMatchObject({ flight_id: 'by-hand', flight_is_ahead: false });
});

it('does not believe a time from the future of a word about a mission: a dock that left does not pass for heard', async () => {
  const id = await aMission(dataSource, { dockSn: 'AHEAD-2' });
  await inTransaction(dataSource, async (tx) => {
    const locked = await lockMission(tx, id, null);
    if (locked === undefined) throw new Error('the mission is not there');
    const notes = new DockNotes();
    notes.note(locked, Date.now() + AHEAD_MS, true);
    await notes.flush(tx);
  });
  expect(await noted('AHEAD-2')).toEqual({ flight_id: id, flight_is_ahead: false, heard_is_ahead: false });
});
