import { type Logger, Metrics } from '@aerie/observability';
import { ClaimUpload } from './claim-upload.js';
import type { Claim } from './claim.store.js';

const claimant = { organisationId: '11111111-1111-4111-8111-111111111111', dockSn: 'D-1' };
const REPORTED = { file: { name: 'a.jpeg' } };
const OWN = `org/${claimant.organisationId}/dock/D-1/media/a.jpeg`;

let recorded: Claim[];
let logged: unknown[];
let storeFails: boolean;
let metrics: Metrics;
let claimUpload: ClaimUpload;
beforeEach(() => {
  recorded = [];
  logged = [];
  storeFails = false;
  metrics = new Metrics('claims-spec');
  const record = async (claim: Claim): Promise<void> => {
    if (storeFails) throw new Error('the database is away');
    recorded.push(claim);
  };
  const logger = { warn: (line: unknown) => logged.push(line) } as unknown as Logger;
  claimUpload = new ClaimUpload({ store: { record }, logger, metrics });
});

const alarms = async (): Promise<number | undefined> => {
  const { values } = (await metrics.registry.getMetricsAsJSON()).find(
    ({ name }) => name === 'credential_foreign_claims_total',
  ) as { values: { value: number }[] };
  return values[0]?.value;
};

it('takes down a file in the folder of the dock, and alarms nobody', async () => {
  await expect(claimUpload.execute(claimant, { objectKey: OWN, flightId: 'f-1', reported: REPORTED })).resolves.toBe(
    'inside',
  );
  expect(recorded).toEqual([{ ...claimant, objectKey: OWN, flightId: 'f-1', verdict: 'inside', reported: REPORTED }]);
  expect([logged, await alarms()]).toEqual([[], 0]);
});

it('N63: takes down a file elsewhere, too, and alarms, with no more of a long key than is good for a log', async () => {
  const objectKey = `elsewhere/${'x'.repeat(900)}`;
  await expect(claimUpload.execute(claimant, { objectKey, flightId: undefined, reported: REPORTED })).resolves.toBe(
    'outside',
  );
  expect(recorded).toEqual([{ ...claimant, objectKey, flightId: null, verdict: 'outside', reported: REPORTED }]);
  expect(logged).toEqual([{ sn: 'D-1', objectKey: objectKey.slice(0, 200) }]);
  expect(await alarms()).toBe(1);
});

it.each(['', 'f'.repeat(129)])('takes down no flight for an id that is none: %j', async (flightId) => {
  await claimUpload.execute(claimant, { objectKey: OWN, flightId, reported: REPORTED });
  expect(recorded).toMatchObject([{ flightId: null }]);
});

it('says nothing while it cannot be taken down, so that the dock says it again', async () => {
  storeFails = true;
  await expect(
    claimUpload.execute(claimant, { objectKey: 'elsewhere', flightId: undefined, reported: REPORTED }),
  ).rejects.toThrow('away');
  expect([logged, await alarms()]).toEqual([[], 0]);
});
