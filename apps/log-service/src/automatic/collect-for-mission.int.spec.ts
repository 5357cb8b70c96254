import { randomUUID } from 'node:crypto';
import { type MissionStateChanged, dockQuestion } from '@aerie/bus-contract';
import { DEFAULT_TIMING } from '@aerie/log-core';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import { ofAnyOrganisation } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { ORGANISATION, aDock, logTestDatabase, logger } from '../fixtures/log-database.js';
import { PolicyStore } from '../policy/policy.store.js';
import { CollectForMission } from './collect-for-mission.js';

let nats: PrivateServer;
let connection: NatsConnection;
let dataSource: DataSource;
let owner: DataSource;
let drop: () => Promise<void>;
let collect: CollectForMission;

beforeAll(async () => {
  const database = await logTestDatabase(1);
  ({ owner, drop } = database);
  [dataSource] = database.pools as [DataSource];
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'collect-spec', logger);
  answer(connection, dockQuestion, ({ sn }) => ({ dock: aDock(sn) }));
  const policies = new PolicyStore(ofAnyOrganisation(dataSource), true);
  collect = new CollectForMission({ dataSource, connection, policies, timing: DEFAULT_TIMING, wake: () => undefined });
}, 60_000);
afterAll(async () => {
  await connection?.close();
  await nats?.remove();
  await drop?.();
}, 30_000);

const aFact = (parts: Partial<MissionStateChanged> = {}): MissionStateChanged => ({
  missionId: randomUUID(),
  dockSn: 'D-1',
  from: 'executing',
  to: 'failed',
  revision: 7,
  cause: { code: 'reported_by_dock', dockResult: 321_784 },
  at: new Date().toISOString(),
  startedAt: new Date(Date.now() - 600_000).toISOString(),
  ...parts,
});

const uploadsOf = (missionId: string) =>
  dataSource.query<{ selection: { kind: string; fromMs: number; untilMs: number }; attached_to: string }[]>(
    'SELECT selection, attached_to FROM log.upload WHERE mission_id = $1',
    [missionId],
  );

it('asks for what was logged from before the start until after the end, once however often the end is told', async () => {
  const fact = aFact();
  await collect.onStateChanged(ORGANISATION, fact);
  await collect.onStateChanged(ORGANISATION, fact);
  const uploads = await uploadsOf(fact.missionId);
  expect(uploads).toHaveLength(1);
  const { selection, attached_to } = uploads[0] ?? {};
  expect(attached_to).toBe(fact.missionId);
  expect(selection?.fromMs).toBe(Date.parse(fact.startedAt ?? '') - 120_000);
  expect(selection?.untilMs).toBe(Date.parse(fact.at) + 120_000);
});

it.each([
  ['that succeeded', { to: 'succeeded' }],
  ['that was called off', { to: 'canceled' }],
  ['that goes on', { to: 'paused' }],
  ['that a person called home', { cause: { code: 'reported_by_dock', dockResult: 322_283 }, endedBy: 'person' }],
  ['of last week', { at: new Date(Date.now() - 7 * 86_400_000).toISOString() }],
] as const)('asks for nothing of a mission %s', async (_what, parts) => {
  const fact = aFact(parts);
  await collect.onStateChanged(ORGANISATION, fact);
  expect(await uploadsOf(fact.missionId)).toEqual([]);
});

it('asks for the logs of a flight that a person ended where the policy says so', async () => {
  await dataSource.query(
    `INSERT INTO log.policy (organisation_id, collect_on_failure, collect_when_ended_by_person, updated_by)
     VALUES ($1, true, true, 'spec')`,
    [ORGANISATION],
  );
  const fact = aFact({ endedBy: 'person' });
  await collect.onStateChanged(ORGANISATION, fact);
  expect(await uploadsOf(fact.missionId)).toHaveLength(1);
  await owner.query('DELETE FROM log.policy');
});

it('asks for nothing where the organisation does not want it, nor for a dock of another one', async () => {
  await dataSource.query(
    `INSERT INTO log.policy (organisation_id, collect_on_failure, updated_by) VALUES ($1, false, 'spec')`,
    [ORGANISATION],
  );
  const unwanted = aFact();
  await collect.onStateChanged(ORGANISATION, unwanted);
  const foreign = aFact();
  await collect.onStateChanged(randomUUID(), foreign);
  expect([...(await uploadsOf(unwanted.missionId)), ...(await uploadsOf(foreign.missionId))]).toEqual([]);
});
