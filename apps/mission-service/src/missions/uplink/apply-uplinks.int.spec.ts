import type { DockFact } from '@aerie/bus-contract';
import type { DataSource } from 'typeorm';
import { type Flight, aFact, aStart as anyStart, handle as handleAt, kinds, progress } from '../fixtures/dock-words.js';
import { aMission, missionTestDatabase, stateOf, timelineOf, knownLive } from '../fixtures/mission-database.js';
import type { Applied } from './apply-uplinks.js';

let pools: DataSource[];
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ pools, drop } = await missionTestDatabase(2));
}, 60_000);
afterAll(() => drop(), 30_000);

const pool = (number = 0): DataSource => {
  const found = pools[number];
  if (found === undefined) throw new Error('there is no such pool');
  return found;
};

const aStart = (dockSn?: string): Promise<Flight> => anyStart(pool(), dockSn);

const reply = (sn: string, tid: string, result: number): DockFact =>
  aFact({ sn, tid, channel: 'services_reply', method: 'flighttask_execute', data: { result } });

const handle = (facts: readonly DockFact[], number = 0): Promise<Applied[]> => handleAt(pool(number), facts);

/** What is left of a mission, without ids and times. */
async function recordOf({ id }: Flight): Promise<unknown> {
  const [mission] = await pool().query<Record<string, unknown>[]>(
    `SELECT state, revision, m.attempt, cause_code, cause_dock_result, m.progress->>'percent' AS percent,
            m.progress->>'status' AS status, resolution IS NOT NULL AS resolved,
            l.gathered,
            (SELECT sum(array_length(string_to_array(t.reports, E'\\n'), 1))
               FROM mission.flight_track t WHERE t.mission_id = m.id) AS tracked
       FROM mission.mission m LEFT JOIN mission.flight_live l ON l.mission_id = m.id WHERE m.id = $1`,
    [id],
  );
  const timeline = await timelineOf(pool(), id);
  const live = await knownLive(pool(), id);
  const { reports = null, progress = null } = live ?? {};
  return { mission, reports, reported: progress?.percent, timeline: timeline.map(({ detail: _, ...entry }) => entry) };
}

const executeTid = async ({ id }: Flight): Promise<string> => {
  const [call] = await pool().query<{ tid: string }[]>(
    `SELECT tid FROM mission.dock_call WHERE mission_id = $1 AND method = 'flighttask_execute'`,
    [id],
  );
  return call?.tid ?? '';
};

describe('a batch of messages', () => {
  it('leaves the same rows as its messages one by one, whatever they are', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state % below;
    };
    const words = [
      'sent',
      'in_progress',
      'in_progress',
      'in_progress',
      'paused',
      'ok',
      'failed',
      'canceled',
      'strange',
    ];
    for (let round = 0; round < 12; round++) {
      const flights = await Promise.all([aStart(), aStart(), aStart()]);
      const twins = await Promise.all([aStart(), aStart(), aStart()]);
      const fresh = Array.from({ length: 20 }, (_, number) => ({
        place: random(3),
        word: words[random(words.length)] ?? 'ok',
        percent: random(100),
        tid: `${number}`,
        isReply: random(8) === 0,
        result: random(2) === 0 ? 0 : 316_026,
      }));
      // Some come once more: at once, or after others.
      const script = fresh.flatMap((one, number) => [
        one,
        ...(random(3) === 0 ? [fresh[random(number + 1)] ?? one] : []),
      ]);
      const factsFor = async (those: readonly Flight[]): Promise<DockFact[]> =>
        Promise.all(
          script.map(async ({ place, word, percent, tid, isReply, result }) => {
            const flight = those[place] as Flight;
            return isReply
              ? reply(flight.dockSn, await executeTid(flight), result)
              : progress(flight, word, percent, { tid });
          }),
        );
      await handle(await factsFor(flights));
      for (const fact of await factsFor(twins)) await handle([fact]);
      for (const [place, flight] of flights.entries()) {
        const [together, alone] = [await recordOf(flight), await recordOf(twins[place] as Flight)];
        expect({ seed, round, record: together }).toEqual({ seed, round, record: alone });
      }
    }
  }, 60_000);

  it('takes a repeat inside itself once, and answers it like the first', async () => {
    const flight = await aStart();
    const first = progress(flight, 'in_progress');
    expect(kinds(await handle([first, first, { ...first, receivedAtMs: first.receivedAtMs + 1 }]))).toEqual([
      'advanced',
      'repeat',
      'repeat',
    ]);
  });

  it('that comes again after a crash between its commit and its acknowledgement changes nothing', async () => {
    const flight = await aStart();
    const batch = ['in_progress', 'paused', 'in_progress', 'ok'].map((word) => progress(flight, word));
    await handle(batch);
    const before = await recordOf(flight);
    expect(kinds(await handle(batch))).toEqual(['repeat', 'repeat', 'repeat', 'repeat']);
    expect(await recordOf(flight)).toEqual(before);
  });

  it('that was half worked off comes again and only the rest has an effect', async () => {
    const flight = await aStart();
    const batch = ['in_progress', 'paused', 'ok'].map((word) => progress(flight, word));
    await handle(batch.slice(0, 2));
    expect(kinds(await handle(batch))).toEqual(['repeat', 'repeat', 'advanced']);
    expect(await stateOf(pool(), flight.id)).toBe('succeeded');
  });

  it('has its effect once when two replicas handle it at the same instant, in either order of its docks', async () => {
    for (let round = 0; round < 10; round++) {
      const flights = await Promise.all(Array.from({ length: 8 }, () => aStart()));
      const batch = flights.flatMap((flight) => [progress(flight, 'in_progress'), progress(flight, 'ok')]);
      const [one, two] = await Promise.all([handle(batch, 0), handle([...batch].reverse(), 1)]);
      const advanced = [...one, ...two].filter(({ kind }) => kind === 'advanced');
      expect(advanced).toHaveLength(batch.length);
      for (const { id } of flights) expect(await stateOf(pool(), id)).toBe('succeeded');
    }
  }, 60_000);

  it('counts the first of several replies to one command, and keeps the others as evidence', async () => {
    const flight = await aStart();
    const tid = await executeTid(flight);
    expect(kinds(await handle([reply(flight.dockSn, tid, 314_001), reply(flight.dockSn, tid, 0)]))).toEqual([
      'advanced',
      'repeat',
    ]);
    expect(await stateOf(pool(), flight.id)).toBe('rejected');
    const [call] = await pool().query<{ reply_result: number }[]>(
      'SELECT reply_result FROM mission.dock_call WHERE tid = $1',
      [tid],
    );
    expect(call?.reply_result).toBe(314_001);
  });

  it('keeps each other reply to one command once, and nothing of the same one, however often they come again', async () => {
    const flight = await aStart();
    const tid = await executeTid(flight);
    const said = [314_001, 0, 0, 314_001, 316_026].map((result) => reply(flight.dockSn, tid, result));
    await handle(said);
    const before = await recordOf(flight);
    const words = (await timelineOf(pool(), flight.id)).filter(({ kind }) => kind === 'message_in');
    expect(words.map(({ what, detail }) => [what, detail['result']])).toEqual(
      [314_001, 0, 316_026].map((result) => ['flighttask_execute reply', result]),
    );
    await handle(said);
    for (const fact of said) await handle([fact]);
    expect(await recordOf(flight)).toEqual(before);
  });

  it('takes no reply of another dock, and no word about the mission of another dock', async () => {
    const [flight, other] = await Promise.all([aStart(), aStart()]);
    const foreign = [
      reply(other.dockSn, await executeTid(flight), 0),
      progress({ id: flight.id, dockSn: other.dockSn }, 'ok'),
    ];
    expect(kinds(await handle(foreign))).toEqual(['orphan', 'orphan']);
    expect(await stateOf(pool(), flight.id)).toBe('starting');
  });

  it('ends one flight of a dock and begins the next one', async () => {
    const first = await aStart();
    await handle([progress(first, 'in_progress')]);
    const id = await aMission(pool(), { dockSn: first.dockSn });
    const next = { id, dockSn: first.dockSn };
    await handle([progress(first, 'ok'), progress(next, 'in_progress')]);
    expect([await stateOf(pool(), first.id), await stateOf(pool(), next.id)]).toEqual(['succeeded', 'executing']);
  });

  it('calls the outcome of a flight unknown when its dock names another, and takes its late end as the resolution', async () => {
    const first = await aStart();
    await handle([progress(first, 'in_progress')]);
    const next = { id: await aMission(pool(), { dockSn: first.dockSn }), dockSn: first.dockSn };
    await handle([progress(first, 'in_progress', 20), progress(next, 'in_progress'), progress(first, 'ok')]);
    expect([await stateOf(pool(), first.id), await stateOf(pool(), next.id)]).toEqual(['outcome_unknown', 'executing']);
    expect(await recordOf(first)).toMatchObject({ mission: { resolved: true } });
  });

  const inboxRows = async ({ dockSn }: Flight): Promise<number> => {
    const [row] = await pool().query<{ count: string }[]>('SELECT count(*) FROM mission.inbox WHERE sn = $1', [dockSn]);
    return Number(row?.count);
  };

  it('has an inbox row for the report with which a flight begins, and none for those behind it', async () => {
    const flight = await aStart();
    const batch = [10, 11, 12].map((percent) => progress(flight, 'in_progress', percent));
    expect(kinds(await handle(batch))).toEqual(['advanced', 'kept', 'kept']);
    expect(await inboxRows(flight)).toBe(1);
    const before = await recordOf(flight);
    expect(kinds(await handle(batch))).toEqual(['repeat', 'repeat', 'repeat']);
    expect(await recordOf(flight)).toEqual(before);
  });

  it('has an inbox row for a report that finds the flight in another state, and takes its repeat inside itself once', async () => {
    const flight = await aStart();
    const begins = [progress(flight, 'in_progress', 10), progress(flight, 'paused', 20)];
    const goesOn = progress(flight, 'in_progress', 30);
    expect(kinds(await handle([...begins, goesOn, goesOn]))).toEqual(['advanced', 'advanced', 'advanced', 'repeat']);
    expect(await inboxRows(flight)).toBe(3);
    await handle([progress(flight, 'paused', 40)]);
    expect(kinds(await handle([goesOn]))).toEqual(['repeat']);
    expect(await recordOf(flight)).toMatchObject({ mission: { state: 'paused' } });
  });

  it('takes nothing of itself when one of its messages cannot be written', async () => {
    const flight = await aStart();
    const poison = progress(flight, 'paused', 20, { tid: 'a\u0000b' });
    const batch = [progress(flight, 'in_progress'), poison, progress(flight, 'ok')];
    await expect(handle(batch)).rejects.toMatchObject({ code: '22021' });
    expect(await stateOf(pool(), flight.id)).toBe('starting');
    expect(kinds(await handle([batch[0] as DockFact, batch[2] as DockFact]))).toEqual(['advanced', 'advanced']);
    expect(await stateOf(pool(), flight.id)).toBe('succeeded');
  });
});
