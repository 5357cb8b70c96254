import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { type RunningService, startService } from '../running-service.fixture.js';
import { type Issue, Ledger } from './ledger.js';

let service: RunningService;
let ledger: Ledger;
beforeAll(async () => {
  service = await startService();
  ledger = new Ledger(service.dataSource, createLogger('ledger-spec', 'silent'));
}, 60_000);
afterAll(() => service?.stop(), 30_000);

const anIssue = (organisationId: string, objectPrefix: string): Issue => ({
  ...{ organisationId, kind: 'download', dockSn: null, objectPrefix, actions: ['get'], provider: 's3' },
  ...{ storageVersion: 0, accessKeyId: null, askedBy: 'service:spec', reason: 'irrelevant' },
  expiresAtMs: Date.now() + 60_000,
});
const listed = async (organisationId: string): Promise<string[]> =>
  (await ledger.list(organisationId, {}, 10, null)).items.map(({ objectPrefix }) => objectPrefix);

it('writes an address down by itself soon after it was made, and at its stop what still waits', async () => {
  const organisationId = randomUUID();
  ledger.start();
  ledger.note(anIssue(organisationId, 'first'));
  await eventually('the first is written down', async () => (await listed(organisationId)).includes('first'));
  ledger.note(anIssue(organisationId, 'last'));
  await ledger.stop();
  expect((await listed(organisationId)).sort()).toEqual(['first', 'last']);
});

it('keeps an entry for 400 days and no longer', async () => {
  const organisationId = randomUUID();
  const other = new Ledger(service.dataSource, createLogger('ledger-spec', 'silent'));
  await ledger.record(anIssue(organisationId, 'old'), Date.now());
  await ledger.record(anIssue(organisationId, 'young'), Date.now());
  await service.dataSource.query(
    `UPDATE credential.issue SET issued_at = now() - make_interval(days => CASE object_prefix WHEN 'old' THEN 401 ELSE 399 END)
      WHERE organisation_id = $1`,
    [organisationId],
  );
  // A ledger looks for old entries in its first turn, and its stop is a turn.
  await other.stop();
  expect(await listed(organisationId)).toEqual(['young']);
});
