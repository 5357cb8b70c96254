import { inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { aMission, missionTestDatabase } from '../fixtures/mission-database.js';
import { aStart, handle, progress } from '../fixtures/dock-words.js';
import { lockForCutOff } from './cut-offs.js';
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

describe('a report that is kept beside its mission', () => {
  const versionOf = (dockSn: string): Promise<unknown> =>
    dataSource.query('SELECT ctid::text FROM mission.dock WHERE sn = $1', [dockSn]);
  /** A mission that flies and has reported, and another one of its dock. */
  async function aFlightAndAnother(receivedAtMs: number) {
    const flight = await aStart(dataSource);
    await handle(dataSource, [progress(flight, 'in_progress', 5, { receivedAtMs: receivedAtMs - 60_000 })]);
    await dataSource.query(
      `UPDATE mission.dock SET heard_at = heard_at - interval '1 min', flight_at = flight_at - interval '1 min' WHERE sn = $1`,
      [flight.dockSn],
    );
    const before = await versionOf(flight.dockSn);
    await handle(dataSource, [progress(flight, 'in_progress', 6, { receivedAtMs })]);
    return { flight, before, other: await aMission(dataSource, { dockSn: flight.dockSn }) };
  }

  it('leaves the row of the dock alone, and is known to whoever locks a mission of that dock', async () => {
    const at = new Date();
    const { flight, before, other } = await aFlightAndAnother(at.getTime());
    expect(await versionOf(flight.dockSn)).toEqual(before);
    for (const id of [flight.id, other]) {
      const locked = await inTransaction(dataSource, (tx) => lockMission(tx, id, null));
      expect(locked).toMatchObject({ dock_heard_at: at, dock_flight_id: flight.id, dock_flight_at: at });
    }
  });

  it('is known to whoever cuts the dock off', async () => {
    const at = new Date();
    const { flight } = await aFlightAndAnother(at.getTime());
    const locked = await inTransaction(dataSource, (tx) => lockForCutOff(tx, flight.dockSn));
    expect(locked).toMatchObject({ dock_flight_id: flight.id, dock_flight_at: at });
  });

  it('says nothing any more once the dock has spoken of a flight that is none of ours', async () => {
    const at = new Date();
    const { flight, other } = await aFlightAndAnother(at.getTime());
    const byHand = { dockSn: flight.dockSn, id: 'by-hand', goesOn: true, receivedAtMs: at.getTime() - 10_000 };
    await inTransaction(dataSource, (tx) => noteForeignFlights(tx, [byHand]));
    const locked = await inTransaction(dataSource, (tx) => lockMission(tx, other, null));
    expect(locked).toMatchObject({ dock_flight_id: 'by-hand', dock_flight_at: new Date(at.getTime() - 10_000) });
  });
});
