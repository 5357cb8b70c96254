import { randomUUID } from 'node:crypto';
import { BullWakes, type Wake } from '@aerie/job-queue';
import { createLogger } from '@aerie/observability';
import { eventually, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { DueWakes } from '../downlink/due-wakes.js';
import { type Replica, aReplica, executes } from '../fixtures/due-replica.js';
import { aMission, apply, missionTestDatabase } from '../fixtures/mission-database.js';
import { setWakes } from './set-wakes.js';

const MISSIONS = 40;
const logger = createLogger('woken-by-jobs', 'silent');

let pool: DataSource;
let drop: () => Promise<void>;
let wakes: BullWakes;
let replica: Replica;
/** A wake that only tries the connection starts nothing. */
let armed = false;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  pool = database.pools[0] as DataSource;
  replica = aReplica(pool);
  let connected = false;
  wakes = new BullWakes({
    redisUrl: testEnvironment().redisUrl,
    queueName: `woken-${process.pid}-${randomUUID()}`,
    concurrency: 4,
    onWake: async () => {
      connected = true;
      if (armed) replica.runner.wakeAll();
    },
    logger,
  });
  wakes.start();
  let tries = 0;
  await eventually('Redis is connected', () => {
    wakes.set([{ id: 'connected', revision: ++tries, delayMs: 0 }]);
    return connected;
  });
}, 60_000);
afterAll(async () => {
  await wakes.stop(5_000);
  await drop();
}, 30_000);

/** How many due missions were found, by whom. */
const foundBy = async (finder: string): Promise<number> => {
  const text = await replica.metrics.registry.metrics();
  return Number(new RegExp(`mission_due_total\\{[^}]*found_by="${finder}"[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0);
};

it('wakes each of many missions at its instant by a job, so that none is left for a sweep', async () => {
  const ids: string[] = [];
  for (let number = 0; number < MISSIONS; number++) {
    const id = await aMission(pool);
    await apply(pool, id, { type: 'prepareDue' });
    await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
    ids.push(id);
  }
  // As after a restart, or a Redis that was wiped: nobody has set a wake for any of them.
  await pool.query(
    `UPDATE mission.mission AS m SET next_action_at = clock_timestamp() + interval '1 second' + p.place * interval '47 ms'
       FROM unnest($1::uuid[]) WITH ORDINALITY AS p (id, place) WHERE m.id = p.id`,
    [ids],
  );
  armed = true;
  await setWakes(pool, new DueWakes(wakes));
  await eventually('all of them are started', async () => executes(replica).length >= MISSIONS, 20_000);
  expect(executes(replica).sort()).toEqual([...ids].sort());
  expect([await foundBy('wake'), await foundBy('sweep')]).toEqual([MISSIONS, 0]);
}, 40_000);

it('sets a wake at each look, also for an instant that this process has set before', async () => {
  const set: Wake[] = [];
  const known = new DueWakes({ set: (more) => void set.push(...more) });
  const id = await aMission(pool);
  await pool.query(
    `UPDATE mission.mission SET next_action_at = clock_timestamp() + interval '1 minute' WHERE id = $1`,
    [id],
  );
  for (let looks = 1; looks <= 10; looks++) {
    await setWakes(pool, known);
    // Other missions of this file are due sooner.
    expect(set.filter(({ delayMs }) => delayMs > 50_000)).toHaveLength(looks);
  }
});

it('leaves to its wake what has only just become due, and finds by a sweep what no wake has found', async () => {
  const id = await aMission(pool);
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  const dueAgo = (ago: string) =>
    pool.query(`UPDATE mission.mission SET next_action_at = clock_timestamp() - $2::interval WHERE id = $1`, [id, ago]);
  const sweep = () => replica.runner.runAll(new AbortController().signal);
  await dueAgo('-1 minute');
  await sweep();
  await dueAgo('0');
  await sweep();
  expect(executes(replica)).not.toContain(id);
  await dueAgo('1 second');
  await sweep();
  expect(executes(replica)).toContain(id);
  expect(await foundBy('sweep')).toBe(1);
});

it('looks again soon at a mission whose dock somebody else held when it was due', async () => {
  const id = await aMission(pool);
  await apply(pool, id, { type: 'prepareDue' });
  await apply(pool, id, { type: 'prepareAccepted', edition: 1 });
  const holder = pool.createQueryRunner();
  await holder.startTransaction();
  try {
    await holder.query('SELECT 1 FROM mission.mission WHERE id = $1 FOR NO KEY UPDATE', [id]);
    expect(await replica.runner.run([id])).toBe(0);
  } finally {
    await holder.rollbackTransaction();
    await holder.release();
  }
  // No job and no sweep: nobody else looks.
  await eventually('it is started', async () => executes(replica).includes(id));
});
