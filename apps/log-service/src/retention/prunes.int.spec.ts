import { randomUUID } from 'node:crypto';
import { once } from '@aerie/http-api';
import { Metrics } from '@aerie/observability';
import { ApiDatabase, type Prune, Retention, type Tx, enterInbox, inTransaction, wholeOf } from '@aerie/persistence';
import { fill } from '@aerie/persistence/testing';
import { explained } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { loadConfig } from '../config.js';
import { ORGANISATION, aStart, anExport, anUpload, apply, logTestDatabase, logger } from '../fixtures/log-database.js';
import { recordCall } from '../uploads/store/upload-critical.js';
import { UploadReadModel } from '../uploads/store/upload.read-model.js';
import { logPrunes, uploadDetailPrune } from './prunes.js';

const SETTINGS = {
  ...{
    LOG_HTTP_PORT: '1',
    LOG_GRPC_PORT: '2',
    DATABASE_URL: 'postgres://spec@127.0.0.1:1/spec',
    DATABASE_ENGINE_PASSWORD: 'spec',
  },
  ...{ REDIS_URL: 'redis://127.0.0.1:1', NATS_URL: 'nats://127.0.0.1:1' },
};
const DAYS = loadConfig(SETTINGS);

let pools: DataSource[];
let owner: DataSource;
let drop: () => Promise<void>;
let pool: DataSource;
beforeAll(async () => {
  ({ pools, owner, drop } = await logTestDatabase(1));
  [pool] = pools as [DataSource];
}, 60_000);
afterAll(() => drop?.(), 30_000);

const query = <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
  owner.query<Row[]>(sql, [...parameters]);
const within = <Result>(work: (tx: Tx) => Promise<Result>) => inTransaction(pool, work);
const prune = (prunes: readonly Prune[] = logPrunes(DAYS)): Promise<number> =>
  new Retention({ dataSource: pool, prunes, logger, metrics: new Metrics('spec') }).run();
const age = (id: string, days: number) =>
  query(
    `UPDATE log.upload SET since = since - $2 * interval '1 day', updated_at = updated_at - $2 * interval '1 day' WHERE id = $1`,
    [id, days],
  );
const count = async (table: string, id: string): Promise<number> => {
  const [row] = await query<{ rows: number }>(`SELECT count(*)::int AS rows FROM log.${table} WHERE upload_id = $1`, [
    id,
  ]);
  return row?.rows ?? -1;
};
const detailOf = async (id: string) => [await count('timeline', id), await count('dock_call', id)];

/** An upload that was canceled so many days ago, and whose dock was given back. */
async function anEnded(days: number): Promise<string> {
  const { id } = await anExport(pool);
  await apply(pool, id, { type: 'cancelRequested' });
  await apply(pool, id, { type: 'stopAccepted', attempt: 1, sentAtMs: Date.now() + 1_000 });
  const files = (['dock', 'aircraft'] as const).map((module) => ({ module, verdict: 'missing' as const }));
  await apply(pool, id, { type: 'objectsChecked', attempt: 1, files });
  await query('DELETE FROM log.dock_hold WHERE upload_id = $1', [id]);
  await age(id, days);
  return id;
}

describe('the detail of an upload that ended long ago', () => {
  it('is deleted, and the upload stays and says so', async () => {
    const [old, young] = [await anEnded(91), await anEnded(89)];
    const reads = new UploadReadModel(new ApiDatabase(pool));
    const [view, kept] = [await reads.find(wholeOf(ORGANISATION), old), await detailOf(young)];
    expect(await reads.timeline(wholeOf(ORGANISATION), old)).toMatchObject({ prunedAt: null });
    await prune();
    expect([await detailOf(old), await detailOf(young)]).toEqual([[0, 0], kept]);
    expect(await reads.find(wholeOf(ORGANISATION), old)).toEqual(view);
    expect(await reads.timeline(wholeOf(ORGANISATION), old)).toEqual({ items: [], prunedAt: expect.any(String) });
    expect(await reads.timeline(wholeOf(ORGANISATION), randomUUID())).toBeUndefined();
  });

  it('is deleted in small batches', async () => {
    const id = await anEnded(91);
    const [timeline = 0] = await detailOf(id);
    const small = uploadDetailPrune(90, { uploads: 1, rows: 2 });
    expect(await within((tx) => small.batch(tx))).toMatchObject({ rows: { timeline: 2 }, more: true });
    expect(await count('timeline', id)).toBe(timeline - 2);
    await prune([small]);
    expect(await detailOf(id)).toEqual([0, 0]);
  });
});

describe('retention leaves alone', () => {
  it('an upload that has not ended, however old it is', async () => {
    for (const { id } of [await aStart(pool), await anExport(pool)]) {
      await query('DELETE FROM log.dock_hold WHERE upload_id = $1', [id]);
      await age(id, 1_000);
      const before = await detailOf(id);
      await prune();
      expect(await detailOf(id)).toEqual(before);
    }
  });

  it('an upload whose dock was not given back', async () => {
    const id = await anEnded(1_000);
    await query(
      `INSERT INTO log.dock_hold (upload_id, dock_sn, wanted, generation) VALUES ($1, 'irrelevant', false, 1)`,
      [id],
    );
    const before = await detailOf(id);
    await prune();
    expect(await detailOf(id)).toEqual(before);
  });

  it('a list that somebody may wait for', async () => {
    const call = (tid: string) =>
      within((tx) =>
        recordCall(tx, {
          ...{ tid, organisationId: ORGANISATION, uploadId: null, dockSn: 'sn', method: 'fileupload_list', attempt: 0 },
          ...{ notAfterMs: Date.now(), requestedBy: null },
        }),
      );
    const [old, young] = [randomUUID(), randomUUID()];
    await Promise.all([call(old), call(young)]);
    await query(`UPDATE log.dock_call SET claimed_at = now() - interval '61 minutes' WHERE tid = $1`, [old]);
    await query(`UPDATE log.dock_call SET claimed_at = now() - interval '59 minutes' WHERE tid = $1`, [young]);
    await prune();
    expect(await query('SELECT tid FROM log.dock_call WHERE tid = ANY($1)', [[old, young]])).toEqual([{ tid: young }]);
  });
});

/** One second after midnight: the first came half a second before it. */
const LATE = `date_trunc('day', clock_timestamp()) - interval '500 milliseconds'`;

describe('a repeat one second after midnight', () => {
  it('of a message, of a request and of a start meets what was there before', async () => {
    const key = { sn: 'sn', method: 'midnight', messageId: 'tid' };
    await within((tx) => enterInbox(tx, 'log', key));
    await query(`UPDATE log.inbox SET received_at = ${LATE} WHERE method = 'midnight'`);
    const request = { organisationId: ORGANISATION, route: 'midnight', key: 'key', body: {} };
    const ask = () => within((tx) => once(tx, 'log', request, async () => ({ status: 201, body: randomUUID() })));
    const first = await ask();
    await query(`UPDATE log.idempotency_key SET created_at = ${LATE} WHERE route = 'midnight'`);
    const { id, dock_sn: dockSn } = await aStart(pool);
    await query(`UPDATE log.dock_call SET claimed_at = ${LATE} WHERE upload_id = $1`, [id]);
    await query(`UPDATE log.upload SET since = ${LATE}, updated_at = ${LATE} WHERE id = $1`, [id]);
    await prune();
    expect(await within((tx) => enterInbox(tx, 'log', key))).toBe(false);
    expect(await ask()).toEqual(first);
    const again = within((tx) =>
      recordCall(tx, {
        ...{ tid: randomUUID(), organisationId: ORGANISATION, uploadId: id, dockSn, method: 'fileupload_start' },
        ...{ attempt: 1, notAfterMs: Date.now(), requestedBy: null },
      }),
    );
    await expect(again).rejects.toThrow('dock_call_one_start');
  });
});

it.each([
  ['LOG_DETAIL_DAYS', '7', 'must be at least 8, not "7"'],
  ['LOG_INBOX_DAYS', '7', 'must be at least 8, not "7"'],
  ['LOG_IDEMPOTENCY_DAYS', '6', 'must be at least 7, not "6"'],
  ['LOG_OUTBOX_DAYS', '0', 'must be at least 1, not "0"'],
])('refuses %s=%s at start, and says what is allowed', (name, value, text) => {
  expect(() => loadConfig({ ...SETTINGS, [name]: value })).toThrow(`${name}: ${text}`);
});

describe('each batch, with many rows and statistics', () => {
  it('finds its rows by an index', async () => {
    const { id } = await anUpload(pool);
    const own = `'id', 'dock_sn', 'state', 'next_action_at', 'since', 'updated_at', 'detail_kept'`;
    const names = await query<{ name: string }>(
      `SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = 'log.upload'::regclass AND attnum > 0
         AND NOT attisdropped AND attname NOT IN (${own})`,
    );
    const columns = names.map(({ name }) => name).join(', ');
    const hoursAgo = `now() - n * interval '1 hour'`;
    await fill(owner, async (tx) => {
      await tx.run(
        `INSERT INTO log.upload (id, dock_sn, state, next_action_at, since, updated_at, detail_kept, ${columns})
         SELECT gen_random_uuid(), n::text, 'failed', NULL, ${hoursAgo}, ${hoursAgo}, n < 15000, ${columns}
           FROM log.upload, generate_series(1, 20000) AS n WHERE id = $1`,
        [id],
      );
      for (const [table, more, values] of [
        ['timeline', 'upload_id, kind, what, detail', `u.id, 'note', 'spec', '{}'`],
        ['dock_hold', 'upload_id, dock_sn, wanted, generation', `u.id, u.dock_sn, false, 1`],
        [
          'dock_call',
          'tid, upload_id, organisation_id, dock_sn, method, attempt, not_after',
          `gen_random_uuid(), u.id, u.organisation_id, u.dock_sn, 'fileupload_list', 0, now()`,
        ],
      ]) {
        // Not each upload has a dock that was not given back.
        const where = table === 'dock_hold' ? `u.dock_sn LIKE '%7'` : 'true';
        await tx.run(`INSERT INTO log.${table} (${more}) SELECT ${values} FROM log.upload u WHERE ${where}
          ON CONFLICT DO NOTHING`);
      }
      for (const [table, more, values] of [
        ['inbox', 'sn, method, message_id, received_at', `'sn', 'many', n::text`],
        ['outbox', 'subject, payload, done_at', `'s', '{}'`],
        [
          'idempotency_key',
          'organisation_id, route, key, request_hash, status, body, created_at',
          `gen_random_uuid(), 'm', n::text, '', 201, ''`,
        ],
        [
          'dock_call',
          'tid, organisation_id, dock_sn, method, attempt, not_after, claimed_at',
          `gen_random_uuid(), gen_random_uuid(), 'sn', 'fileupload_list', 0, now()`,
        ],
      ]) {
        await tx.run(
          `INSERT INTO log.${table} (${more}) SELECT ${values}, ${hoursAgo} FROM generate_series(1, 20000) AS n`,
        );
      }
      await tx.run('ANALYZE');
    });
    const plans: string[] = [];
    for (const { batch } of logPrunes(DAYS)) await within((tx) => batch(explained(tx, plans)));
    const scans = plans.filter((line) => /Scan/.test(line));
    expect(scans.filter((line) => /Seq Scan/.test(line))).toEqual([]);
    const bounds = plans.filter((line) => line.includes('Index Cond:')).join('\n');
    for (const age of ['since', 'claimed_at', 'received_at', 'created_at']) expect(bounds).toContain(`${age} < (now()`);
    for (const index of [
      'upload_ended',
      'timeline_upload',
      'dock_call_upload',
      'dock_call_listing',
      'inbox_received_at',
    ])
      expect(scans.join('\n')).toContain(index);
  }, 120_000);
});
