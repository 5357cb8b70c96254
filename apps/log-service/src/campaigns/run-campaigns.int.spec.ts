import { randomUUID } from 'node:crypto';
import { dockStateQuestion, docksQuestion } from '@aerie/bus-contract';
import { DEFAULT_TIMING } from '@aerie/log-core';
import { type NatsConnection, connectNats } from '@aerie/messaging';
import { answer } from '@aerie/messaging/testing';
import { inTransaction, ofAnyOrganisation } from '@aerie/persistence';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { ORGANISATION, aDock, anUpload, logTestDatabase, logger } from '../fixtures/log-database.js';
import { PolicyStore } from '../policy/policy.store.js';
import { CancelUpload } from '../uploads/cancel-upload.js';
import { LookAtDocks } from '../uploads/dock/look-at-docks.js';
import { lockCampaign } from './campaign.store.js';
import { RunCampaigns } from './run-campaigns.js';

let nats: PrivateServer;
let connection: NatsConnection;
let one: DataSource;
let other: DataSource;
let owner: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await logTestDatabase(2);
  ({ owner, drop } = database);
  [one, other] = database.pools as [DataSource, DataSource];
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'campaigns-spec', logger);
  answer(connection, docksQuestion, ({ sns }) => ({ docks: sns.map(aDock) }));
  answer(connection, dockStateQuestion, ({ sns }) => ({
    docks: sns.map((sn) => ({ sn, seenAgoMs: 0, backAgoMs: null, clockSkewMs: null, properties: {} })),
  }));
}, 60_000);
afterAll(async () => {
  await connection?.close();
  await nats?.remove();
  await drop?.();
}, 30_000);

const canceled: string[] = [];

/** What a replica runs, without what comes after a commit. */
function aReplica(dataSource: DataSource): RunCampaigns {
  const cancelUpload = new CancelUpload(ofAnyOrganisation(dataSource), {
    run: ({ upload }: { upload: { id: string } }) => void canceled.push(upload.id),
  } as never);
  return new RunCampaigns({
    ...{ dataSource, connection, cancelUpload, logger, timing: DEFAULT_TIMING },
    policies: new PolicyStore(ofAnyOrganisation(dataSource), true),
    lookAtDocks: new LookAtDocks(connection),
    ...{ wakes: { after: () => undefined } as never },
    wakeUploads: () => undefined,
  });
}

/** A campaign that is due, over as many docks, so slow that its second dock is none of this file's affair. */
async function aCampaign(docks: number, state = 'running'): Promise<string> {
  const id = randomUUID();
  await one.query(
    `INSERT INTO log.campaign (id, organisation_id, name, state, revision, filter, selection, docks_per_minute, concurrent,
       threshold, next_start_at, next_action_at, created_by)
     VALUES ($1, $2, 'irrelevant', $3, 1, '{}', $4, 1, 500, $5, now(), clock_timestamp(), 'spec')`,
    [
      ...[id, ORGANISATION, state, JSON.stringify({ kind: 'latest', count: 1, modules: ['dock'] })],
      JSON.stringify({ failedPercent: 20, afterDocks: 10 }),
    ],
  );
  await one.query(
    `INSERT INTO log.campaign_dock (campaign_id, dock_sn, state)
     SELECT $1::uuid, 'C-' || $1::uuid || '-' || number, 'waiting' FROM generate_series(1, $2::int) AS number`,
    [id, docks],
  );
  return id;
}

const begunOf = async (id: string): Promise<number> =>
  Number(
    (await one.query<{ count: string }[]>('SELECT count(*) AS count FROM log.upload WHERE campaign_id = $1', [id]))[0]
      ?.count,
  );

it('goes on with other campaigns while somebody works on the one that is due first', async () => {
  const [held, free] = [await aCampaign(3), await aCampaign(3)];
  await inTransaction(one, async (tx) => {
    await lockCampaign(tx, held);
    await aReplica(other).run();
  });
  expect([await begunOf(held), await begunOf(free)]).toEqual([0, 1]);
  await aReplica(one).run();
  expect(await begunOf(held)).toBe(1);
});

it('puts a campaign off that it cannot handle, and goes on with the others', async () => {
  const broken = await aCampaign(3);
  const sound = await aCampaign(3);
  await owner.query(`ALTER TABLE log.upload ADD CONSTRAINT spec CHECK (campaign_id <> '${broken}')`);
  await aReplica(one).run();
  await owner.query('ALTER TABLE log.upload DROP CONSTRAINT spec');
  expect([await begunOf(broken), await begunOf(sound)]).toEqual([0, 1]);
  const [row] = await one.query<{ later: boolean }[]>(
    'SELECT next_action_at > now() AS later FROM log.campaign WHERE id = $1',
    [broken],
  );
  expect(row?.later).toBe(true);
});

it('leaves a campaign that is paused alone for long, so that many of them keep no other waiting', async () => {
  const id = await aCampaign(1, 'paused');
  await aReplica(one).run();
  const [row] = await one.query<{ state: string; inMinutes: number }[]>(
    `SELECT state, extract(epoch FROM next_action_at - now()) / 60 AS "inMinutes" FROM log.campaign WHERE id = $1`,
    [id],
  );
  expect(row?.state).toBe('paused');
  expect(Number(row?.inMinutes)).toBeGreaterThan(30);
});

it('calls off everything that runs, also more than it calls off at once, and each once', async () => {
  const id = await aCampaign(0, 'canceled');
  const running: string[] = [];
  // As of a dock that was told to stop, and has not: it is not over when the next ones are called off.
  for (let index = 0; index < 103; index++) {
    const upload = await anUpload(one, { campaignId: id });
    running.push(upload.id);
    await one.query(`UPDATE log.upload SET state = 'uploading', attempt = 1, dock_may_export = true WHERE id = $1`, [
      upload.id,
    ]);
  }
  const replica = aReplica(one);
  await replica.run();
  expect(canceled).toHaveLength(100);
  await replica.run();
  expect([...canceled].sort()).toEqual([...running].sort());
  await one.query('UPDATE log.campaign SET next_action_at = clock_timestamp() WHERE id = $1', [id]);
  await replica.run();
  expect(canceled).toHaveLength(103);
});
