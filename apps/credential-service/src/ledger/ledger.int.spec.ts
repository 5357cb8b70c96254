import { bothOf } from '@aerie/persistence/testing';
import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { eventually } from '@aerie/testing';
import { type RunningService, startService } from '../running-service.fixture.js';
import { type Issue, Ledger } from './ledger.js';

let service: RunningService;
let ledger: Ledger;
beforeAll(async () => {
  service = await startService();
  ledger = new Ledger(bothOf(service.dataSource), createLogger('ledger-spec', 'silent'));
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
