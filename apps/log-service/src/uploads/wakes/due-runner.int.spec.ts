import { type DockStateView, dockStateQuestion, releaseDockQuestion, takeDockQuestion } from '@aerie/bus-contract';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { Metrics } from '@aerie/observability';
import { inTransaction } from '@aerie/persistence';
import { type PrivateServer, eventually, startPrivateNats } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { anExport, anUpload, apply, logTestDatabase, logger, stateOf } from '../../fixtures/log-database.js';
import type { Advanced } from '../advance-upload.js';
import { LookAtDocks } from '../dock/look-at-docks.js';
import { ReleaseDocks } from '../effects/release-docks.js';
import { claimReleases, forgetHold, noteRelease, wantDock } from '../store/dock-holds.js';
import { lockUpload } from '../store/upload-critical.js';
import { DueRunner } from './due-runner.js';

let nats: PrivateServer;
let connection: NatsConnection;
let pools: DataSource[];
let owner: DataSource;
let drop: () => Promise<void>;
const taken: string[] = [];
const released: string[] = [];
/** What mission-service says to the next ask, by dock. */
const refusals = new Map<string, 'mission' | 'withdrawn'>();
const away = new Set<string>();
let isReleasing = true;
/** Docks about which mission-service says nothing that anybody can read. */
const mute = new Set<string>();

beforeAll(async () => {
  ({ pools, owner, drop } = await logTestDatabase(2));
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'due-spec', logger);
  answer(connection, takeDockQuestion, ({ dockSn, forMs }) => {
    taken.push(dockSn);
    if (mute.has(dockSn)) return 'nothing' as never;
    const because = refusals.get(dockSn);
    if (because === undefined) return { untilMs: Date.now() + forMs, refusal: null };
    return { untilMs: null, refusal: { because, holderId: null, freeAtMs: null } };
  });
  answer(connection, releaseDockQuestion, ({ dockSn }) => {
    if (!isReleasing) throw new Error('no answer today');
    released.push(dockSn);
    return { released: true };
  });
  answer(connection, dockStateQuestion, ({ sns }) => ({
    docks: sns.map((sn): DockStateView => {
      const seenAgoMs = away.has(sn) ? null : 100;
      return { sn, seenAgoMs, backAgoMs: null, clockSkewMs: null, properties: {} };
    }),
  }));
}, 60_000);
afterAll(async () => {
  await connection?.close();
  await nats?.remove();
  await drop?.();
}, 30_000);

const pool = (index: number): DataSource => pools[index] as DataSource;

function aRunner(index = 0, handledUntilNow: () => Promise<boolean> = async () => true) {
  const ran: Advanced[] = [];
  const releases = new ReleaseDocks(pool(index), connection, logger);
  const afterCommit = { run: (advanced: Advanced) => void ran.push(advanced), releaseSoon: () => releases.kick() };
  const runner = new DueRunner({
    ...{ dataSource: pool(index), connection, logger, metrics: new Metrics(`spec-${index}`) },
    ...{ lookAtDocks: new LookAtDocks(connection), afterCommit: afterCommit as never, backlog: { handledUntilNow } },
  });
  /** All that is due, with what others say to it. */
  const run = async (): Promise<void> => {
    await runner.run();
    // What waits until everything is read wakes it once more.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await runner.run();
    await runner.settled();
  };
  return { run, ran, releases };
}

async function aListed(): Promise<{ id: string; sn: string }> {
  const { id, dock_sn: sn } = await anUpload(pool(0));
  await apply(pool(0), id, { type: 'listDue' });
  const [file] = (await anExport(pool(0))).files;
  if (file === undefined) throw new Error('an export has files');
  await apply(pool(0), id, { type: 'listAnswered', files: [{ ...file, told: null }] });
  return { id, sn };
}

const makeDue = (id: string) =>
  pool(0).query(`UPDATE log.upload SET next_action_at = now() - interval '1 second' WHERE id = $1`, [id]);
const holdsOf = (id: string) =>
  pool(0).query<{ wanted: boolean }[]>('SELECT wanted FROM log.dock_hold WHERE upload_id = $1', [id]);

it('asks a dock for its list once although two replicas look at the same instant', async () => {
  const { id } = await anUpload(pool(0));
  await Promise.all([aRunner(0).run(), aRunner(1).run()]);
  expect(await stateOf(pool(0), id)).toBe('listing');
  const calls = await pool(0).query<unknown[]>('SELECT 1 FROM log.dock_call WHERE upload_id = $1', [id]);
  expect(calls).toHaveLength(1);
});

it('waits for a dock that is away, longer each time', async () => {
  const { id, dock_sn: sn } = await anUpload(pool(0));
  away.add(sn);
  const waits: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    await makeDue(id);
    await aRunner().run();
    const [row] = await pool(0).query<{ cause_code: string; wait_ms: string }[]>(
      `SELECT cause_code, extract(epoch FROM next_action_at - updated_at) * 1000 AS wait_ms FROM log.upload WHERE id = $1`,
      [id],
    );
    expect(row?.cause_code).toBe('dock_offline');
    waits.push(Math.round(Number(row?.wait_ms) / 1_000));
  }
  expect(waits).toEqual([15, 30, 60]);
});

it('takes a dock of mission-service before it starts, and only then', async () => {
  const { id, sn } = await aListed();
  const { run, ran } = aRunner();
  await run();
  expect(taken).toContain(sn);
  expect(await stateOf(pool(0), id)).toBe('starting');
  expect(ran.flatMap(({ orders }) => orders.map(({ effect }) => effect))).toContain('sendStart');
  expect(await holdsOf(id)).toEqual([{ wanted: true }]);
});

it('does not start while a mission comes first, and gives back what it may have been given', async () => {
  const { id, sn } = await aListed();
  refusals.set(sn, 'mission');
  await aRunner().run();
  expect(await stateOf(pool(0), id)).toBe('listed');
  await eventually('the dock is given back', async () => ((await holdsOf(id)).length === 0 ? true : undefined));
  expect(released).toContain(sn);
});

it('stops when the reservation cannot be moved on', async () => {
  const { id, sn } = await aListed();
  await aRunner().run();
  refusals.set(sn, 'withdrawn');
  await pool(0).query(
    `UPDATE log.upload SET dock_until = now() + interval '20 seconds', next_action_at = now(), state = 'uploading',
            heard_at = now() WHERE id = $1`,
    [id],
  );
  await aRunner().run();
  const [row] = await pool(0).query<{ yield_at: Date | null; dock_until: Date }[]>(
    'SELECT yield_at, dock_until FROM log.upload WHERE id = $1',
    [id],
  );
  // In time for the dock to have stopped by then.
  expect(row?.yield_at?.getTime()).toBe((row?.dock_until.getTime() ?? 0) - 30_000);
});

it('asks for a dock again only after it was given back, however long that takes', async () => {
  const { id, sn } = await aListed();
  await inTransaction(pool(0), async (tx) => {
    const locked = await lockUpload(tx, id);
    if (locked !== undefined) await noteRelease(tx, locked);
  });
  isReleasing = false;
  const asksBefore = taken.filter((asked) => asked === sn).length;
  await makeDue(id);
  await aRunner().run();
  expect(taken.filter((asked) => asked === sn)).toHaveLength(asksBefore);
  expect(await holdsOf(id)).toEqual([{ wanted: false }]);

  isReleasing = true;
  await pool(0).query('UPDATE log.dock_hold SET next_try_at = now() WHERE upload_id = $1', [id]);
  await aRunner().releases.run();
  expect(await holdsOf(id)).toEqual([]);
  await makeDue(id);
  await aRunner().run();
  expect(await stateOf(pool(0), id)).toBe('starting');
});

it('puts an upload off that it cannot handle, and goes on with the others', async () => {
  const { id: broken } = await anUpload(pool(0));
  await pool(0).query(
    `UPDATE log.upload SET selection = '{"kind": "nothing"}', state = 'listing', list_count = 1,
    next_action_at = now() - interval '1 hour', protocol_generation = '1.15' WHERE id = $1`,
    [broken],
  );
  await owner.query(`ALTER TABLE log.dock_call ADD CONSTRAINT spec CHECK (upload_id <> '${broken}')`);
  const { id: sound } = await anUpload(pool(0));
  await aRunner().run();
  await owner.query('ALTER TABLE log.dock_call DROP CONSTRAINT spec');
  expect(await stateOf(pool(0), sound)).toBe('listing');
  const [row] = await pool(0).query<{ later: boolean }[]>(
    'SELECT next_action_at > now() AS later FROM log.upload WHERE id = $1',
    [broken],
  );
  expect(row?.later).toBe(true);
});

it('gives back a dock that it may have been lent, when the upload is called off before it could know', async () => {
  const { id, sn } = await aListed();
  await inTransaction(pool(0), async (tx) => {
    const locked = await lockUpload(tx, id);
    if (locked !== undefined) await wantDock(tx, locked);
  });
  const { releases } = aRunner();
  await apply(pool(0), id, { type: 'cancelRequested' });
  await releases.run();
  expect(await holdsOf(id)).toEqual([]);
  expect(released).toContain(sn);
});

it('gives a dock back again that was noted anew while it was given back', async () => {
  const { id, sn } = await aListed();
  const note = () =>
    inTransaction(pool(1), async (tx) => {
      const locked = await lockUpload(tx, id);
      if (locked !== undefined) await noteRelease(tx, locked);
    });
  await note();
  const holds = await inTransaction(pool(0), (tx) => claimReleases(tx, 50));
  const hold = holds.find(({ upload_id }) => upload_id === id);
  if (hold === undefined) throw new Error('nothing is to be given back');
  await note();
  expect(await inTransaction(pool(0), (tx) => forgetHold(tx, hold))).toBe('kept');
  await aRunner().releases.run();
  expect(released).toContain(sn);
  expect(await holdsOf(id)).toEqual([]);
});

it('gives back once more a dock of which nobody answered whether it was lent, because that may come true', async () => {
  const { id, sn } = await aListed();
  mute.add(sn);
  await makeDue(id);
  await aRunner().run();
  await apply(pool(0), id, { type: 'cancelRequested' });
  const { releases } = aRunner();
  await releases.run();
  await releases.run();
  expect(released.filter((given) => given === sn)).toHaveLength(1);
  expect(await holdsOf(id)).toEqual([{ wanted: false }]);
  await pool(0).query('UPDATE log.dock_hold SET next_try_at = now(), asked_until = now() WHERE upload_id = $1', [id]);
  await releases.run();
  expect(released.filter((given) => given === sn)).toHaveLength(2);
  expect(await holdsOf(id)).toEqual([]);
});

it('gives back once a dock that was refused', async () => {
  const { id, sn } = await aListed();
  refusals.set(sn, 'mission');
  await makeDue(id);
  await aRunner().run();
  await eventually('it is given back', async () => (await holdsOf(id)).length === 0);
  expect(released.filter((given) => given === sn)).toHaveLength(1);
});

describe('a word of a dock that lies unread', () => {
  async function anUnansweredList(overdueSeconds: number): Promise<string> {
    const { id } = await anUpload(pool(0));
    await apply(pool(0), id, { type: 'listDue' });
    await pool(0).query(`UPDATE log.upload SET next_action_at = now() - make_interval(secs => $2) WHERE id = $1`, [
      id,
      overdueSeconds,
    ]);
    return id;
  }
  const listsOf = async (id: string): Promise<number | undefined> =>
    (await pool(0).query<{ list_count: number }[]>('SELECT list_count FROM log.upload WHERE id = $1', [id]))[0]
      ?.list_count;

  it('keeps the dock from being asked again, until it is read', async () => {
    const id = await anUnansweredList(1);
    const before = await listsOf(id);
    await aRunner(0, async () => false).run();
    expect(await listsOf(id)).toBe(before);
    await aRunner(0).run();
    expect(await listsOf(id)).toBe((before ?? 0) + 1);
  });

  it('is waited for during a minute and no longer', async () => {
    const id = await anUnansweredList(61);
    const before = await listsOf(id);
    await aRunner(0, async () => false).run();
    expect(await listsOf(id)).toBe((before ?? 0) + 1);
  });
});
