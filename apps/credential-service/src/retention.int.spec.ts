import { bothOf } from '@aerie/persistence/testing';
import { randomUUID } from 'node:crypto';
import { Metrics, createLogger } from '@aerie/observability';
import { Retention, inTransaction } from '@aerie/persistence';
import { fill } from '@aerie/persistence/testing';
import { explained } from '@aerie/testing';
import { ClaimStore } from './claims/claim.store.js';
import { type Issue, Ledger } from './ledger/ledger.js';
import { credentialPrunes } from './retention.js';
import { ORGANISATION, type RunningService, startService } from './running-service.fixture.js';

const logger = createLogger('retention-spec', 'silent');
let service: RunningService;
beforeAll(async () => {
  service = await startService();
}, 60_000);
afterAll(() => service?.stop(), 30_000);

const query = <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
  service.owner.query<Row[]>(sql, [...parameters]);
const prune = (days = 400): Promise<number> =>
  new Retention({
    ...{ dataSource: service.dataSource, logger, metrics: new Metrics('spec') },
    prunes: credentialPrunes({ CREDENTIAL_AUDIT_MONTHS: 24, CREDENTIAL_LEDGER_DAYS: days }),
  }).run();
const claim = (dockSn: string, objectKey: string) =>
  new ClaimStore(service.dataSource).record({
    ...{ organisationId: ORGANISATION, dockSn, objectKey, flightId: null, verdict: 'outside' as const },
    reported: {},
  });

it('keeps an entry of the ledger for 400 days and no longer', async () => {
  const organisationId = randomUUID();
  const ledger = new Ledger(bothOf(service.dataSource), logger);
  const anIssue = (objectPrefix: string): Issue => ({
    ...{ organisationId, kind: 'download', dockSn: null, objectPrefix, actions: ['get'], provider: 's3' },
    ...{ storageVersion: 0, accessKeyId: null, askedBy: 'service:spec', reason: 'irrelevant' },
    expiresAtMs: Date.now() + 60_000,
  });
  for (const objectPrefix of ['old', 'young']) await ledger.record(anIssue(objectPrefix), Date.now());
  await query(
    `UPDATE credential.issue SET issued_at = now() - make_interval(days => CASE object_prefix WHEN 'old' THEN 401 ELSE 399 END)
      WHERE organisation_id = $1`,
    [organisationId],
  );
  await prune();
  const { items } = await ledger.list(organisationId, {}, 10, null);
  expect(items.map(({ objectPrefix }) => objectPrefix)).toEqual(['young']);
});

it('forgets files that docks uploaded more than 400 days ago', async () => {
  const sn = `D-${randomUUID().slice(0, 8)}`;
  for (const objectKey of ['old', 'young']) await claim(sn, objectKey);
  await query(
    `UPDATE credential.upload_claim SET claimed_at = now() - make_interval(days => CASE object_key WHEN 'old' THEN 401 ELSE 399 END)
      WHERE dock_sn = $1`,
    [sn],
  );
  await prune();
  expect(await query('SELECT object_key FROM credential.upload_claim WHERE dock_sn = $1', [sn])).toEqual([
    { object_key: 'young' },
  ]);
});

it('keeps a file that is reported again one second after midnight as it was reported first', async () => {
  const sn = `D-${randomUUID().slice(0, 8)}`;
  await claim(sn, 'file');
  const late = `date_trunc('day', clock_timestamp()) - interval '500 milliseconds'`;
  const [first] = await query<{ claimed_at: Date }>(
    `WITH moved AS (UPDATE credential.upload_claim SET claimed_at = ${late} WHERE dock_sn = $1 RETURNING claimed_at)
     SELECT claimed_at FROM moved`,
    [sn],
  );
  await prune(30);
  await claim(sn, 'file');
  expect(await query('SELECT claimed_at FROM credential.upload_claim WHERE dock_sn = $1', [sn])).toEqual([first]);
});

it('keeps a revocation that the provider was not told of, however old it is', async () => {
  const organisationId = randomUUID();
  await inTransaction(service.dataSource, (tx) =>
    tx.run(
      `INSERT INTO credential.revocation (id, organisation_id, storage_version, not_before, reason, revoked_by, revoked_at,
         state, next_action_at)
       SELECT gen_random_uuid(), $1, 0, now(), reason, 'spec', now() - days * interval '1 day', state,
              CASE state WHEN 'pending' THEN now() + interval '1 hour' END
         FROM (VALUES ('old', 401, 'denied'), ('young', 399, 'denied'), ('untold', 401, 'pending')) AS r (reason, days, state)`,
      [organisationId],
    ),
  );
  await prune();
  expect(
    await query('SELECT reason FROM credential.revocation WHERE organisation_id = $1 ORDER BY 1', [organisationId]),
  ).toEqual([{ reason: 'untold' }, { reason: 'young' }]);
});

it('finds the rows of each batch by an index', async () => {
  await fill(service.owner, async (tx) => {
    const hoursAgo = `now() - n * interval '1 hour'`;
    const many = `FROM generate_series(1, 20000) AS n`;
    await tx.run(
      `INSERT INTO credential.issue (id, organisation_id, kind, object_prefix, actions, provider, storage_version, asked_by,
         reason, issued_at, expires_at)
       SELECT gen_random_uuid(), $1, 'keys', 'many', '{}', 's3', 0, 'spec', 'spec', ${hoursAgo}, ${hoursAgo} ${many}`,
      [randomUUID()],
    );
    await tx.run(
      `INSERT INTO credential.revocation (id, organisation_id, storage_version, not_before, reason, revoked_by, revoked_at, state)
       SELECT gen_random_uuid(), $1, 0, now(), 'many', 'spec', ${hoursAgo}, 'denied' ${many}`,
      [randomUUID()],
    );
    await tx.run(
      `INSERT INTO credential.upload_claim (organisation_id, dock_sn, object_key, verdict, reported, claimed_at)
       SELECT $1, 'MANY', n::text, 'inside', '{}', ${hoursAgo} ${many}`,
      [randomUUID()],
    );
    await tx.run('ANALYZE');
  });
  const plans: string[] = [];
  for (const { batch } of credentialPrunes({ CREDENTIAL_AUDIT_MONTHS: 24, CREDENTIAL_LEDGER_DAYS: 400 }))
    await inTransaction(service.dataSource, (tx) => batch(explained(tx, plans)));
  expect(plans.filter((line) => /Seq Scan/.test(line))).toEqual([]);
  const bounds = plans.filter((line) => line.includes('Index Cond:')).join('\n');
  for (const age of ['issued_at', 'revoked_at', 'claimed_at']) expect(bounds).toContain(`${age} < (now()`);
  for (const index of ['issue_old', 'revocation_old', 'upload_claim_old']) expect(plans.join('\n')).toContain(index);
}, 60_000);
