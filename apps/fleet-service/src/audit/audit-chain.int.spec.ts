import { randomUUID } from 'node:crypto';
import { type AuditEntry, AuditIntake, auditPrune, verifyChains } from '@aerie/http-api';
import { createLogger } from '@aerie/observability';
import { inTransaction, ApiDatabase } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { fleetTestDatabase } from '../fixtures/fleet-database.js';

let database: DataSource;
let owner: DataSource;
let drop: (() => Promise<void>) | undefined;
let audit: AuditIntake;

beforeEach(async () => {
  const made = await fleetTestDatabase();
  ({ dataSource: database, owner, drop } = made);
  audit = new AuditIntake(
    { api: new ApiDatabase(made.api), engine: database },
    'fleet',
    createLogger('audit-spec', 'silent'),
  );
}, 60_000);
afterEach(() => drop?.());

async function anOrganisation(): Promise<string> {
  const id = randomUUID();
  await database.query('INSERT INTO fleet.organisation (id, name) VALUES ($1, $2)', [id, id]);
  return id;
}
const anEntry = (organisationId: string): AuditEntry => ({
  ...{ id: randomUUID(), organisationId, by: 'key:irrelevant', address: '192.0.2.1', operationId: 'retireDock' },
  ...{ resources: { sn: 'SN-1', aircraftSn: 'A-1' }, requestId: 'irrelevant', atMs: Date.now() },
});
/** So many records of one organisation, in its chain. */
async function kept(count: number, organisationId?: string): Promise<string> {
  const id = organisationId ?? (await anOrganisation());
  for (let each = 0; each < count; each++) await audit.note(anEntry(id), 200);
  await audit.keep();
  return id;
}
const seqsOf = async (organisationId: string): Promise<number[]> =>
  (
    await database.query<{ seq: string }[]>(
      'SELECT seq FROM fleet.audit_record WHERE organisation_id = $1 ORDER BY seq',
      [organisationId],
    )
  ).map(({ seq }) => Number(seq));
/** As somebody who may do everything with the database, and not through the service. */
const tamper = async (sql: string, parameters: readonly unknown[]): Promise<void> => {
  await owner.query('ALTER TABLE fleet.audit_record DISABLE TRIGGER USER');
  await owner.query(sql, [...parameters]);
  await owner.query('ALTER TABLE fleet.audit_record ENABLE TRIGGER USER');
};

it.each([
  ["UPDATE fleet.audit_record SET by = 'key:another'"],
  ['DELETE FROM fleet.audit_record'],
  ['TRUNCATE fleet.audit_record'],
])('refuses %s', async (sql) => {
  await kept(1);
  // Whoever owns the table may do everything with it, but for the trigger.
  await expect(owner.query(sql)).rejects.toThrow('audit records are not changed and not deleted');
});

it.each([
  [
    'a record was changed',
    'UPDATE fleet.audit_record SET status = 204 WHERE organisation_id = $1 AND seq = 3',
    '3',
    'it was changed',
  ],
  [
    'a record is missing',
    'DELETE FROM fleet.audit_record WHERE organisation_id = $1 AND seq = 3',
    '3',
    'it is missing',
  ],
  [
    'the last record is missing',
    'DELETE FROM fleet.audit_record WHERE organisation_id = $1 AND seq = 5',
    '5',
    'its end is missing',
  ],
  [
    'two records were exchanged',
    `UPDATE fleet.audit_record SET seq = CASE seq WHEN 2 THEN 3 ELSE 2 END + 100 WHERE organisation_id = $1 AND seq IN (2, 3)`,
    '2',
    'it is missing',
  ],
])('names the first record at which a chain does not hold, where %s [N69]', async (_what, sql, seq, what) => {
  const [organisationId, other] = [await kept(5), await kept(2)];
  expect(await verifyChains(database, 'fleet')).toEqual({ records: 7, faults: [] });
  await tamper(sql, [organisationId]);
  expect((await verifyChains(database, 'fleet')).faults).toEqual([{ organisationId, seq, what }]);
  expect(await seqsOf(other)).toEqual([1, 2]);
});

it('keeps each record once where several replicas keep at the same time', async () => {
  const organisations = await Promise.all([1, 2, 3].map(() => anOrganisation()));
  for (let each = 0; each < 30; each++) for (const id of organisations) await audit.note(anEntry(id), 200);
  await Promise.all([1, 2, 3].map(() => audit.keep()));
  await audit.keep();
  for (const id of organisations)
    expect(await seqsOf(id)).toEqual(Array.from({ length: 30 }, (_each, index) => index + 1));
  expect((await verifyChains(database, 'fleet')).faults).toEqual([]);
});

it('waits for a request to end, and keeps one whose process died without a status', async () => {
  const organisationId = await anOrganisation();
  const [ending, dying] = [anEntry(organisationId), anEntry(organisationId)];
  await audit.begin(ending);
  await audit.begin(dying);
  await audit.keep();
  expect(await seqsOf(organisationId)).toEqual([]);
  await audit.end(ending, 409);
  await owner.query(`UPDATE fleet.audit_intake SET began_at = began_at - interval '7 minutes' WHERE id = $1`, [
    dying.id,
  ]);
  await audit.keep();
  const rows = await database.query('SELECT id, status FROM fleet.audit_record WHERE organisation_id = $1', [
    organisationId,
  ]);
  expect(rows).toEqual(
    expect.arrayContaining([
      { id: ending.id, status: 409 },
      { id: dying.id, status: null },
    ]),
  );
});

describe('old records', () => {
  const prune = (months: number) => inTransaction(database, (tx) => auditPrune('fleet', months).batch(tx));
  /** Their hashes are of no use then, so chains are not verified where it is called. */
  const age = (organisationId: string, seqs: readonly number[], months: number) =>
    tamper(
      `UPDATE fleet.audit_record SET kept_at = date_trunc('month', now()) - make_interval(months => $3) + interval '1 day'
        WHERE organisation_id = $1 AND seq = ANY ($2::bigint[])`,
      [organisationId, seqs, months],
    );

  it('are deleted by whole months, the oldest first, and the rest still is a chain', async () => {
    const organisationId = await kept(5);
    await age(organisationId, [1, 2], 4);
    await age(organisationId, [3], 2);
    expect(await prune(3)).toEqual({ rows: { audit_record: 2 }, more: true });
    expect(await prune(3)).toEqual({ rows: { audit_record: 0 }, more: false });
    expect(await seqsOf(organisationId)).toEqual([3, 4, 5]);
    // The third was aged behind the back of its hash; that it is reached shows that the beginning fits.
    expect((await verifyChains(database, 'fleet')).faults).toEqual([
      { organisationId, seq: '3', what: 'it was changed' },
    ]);
    expect(await prune(1)).toMatchObject({ rows: { audit_record: 1 } });
    expect(await verifyChains(database, 'fleet')).toEqual({ records: 2, faults: [] });
  });

  it('of this month and the one before stay, whatever is asked for', async () => {
    const organisationId = await kept(2);
    await age(organisationId, [1], 1);
    expect(await prune(0)).toEqual({ rows: { audit_record: 0 }, more: false });
    expect(await seqsOf(organisationId)).toEqual([1, 2]);
  });
});
