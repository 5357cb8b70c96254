import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ServiceName, good, replay } from '@aerie/local';
import { eventually } from '@aerie/testing';
import { Client } from 'pg';
import { type MissionView, type TimelineEntry, World } from './world.js';

let world: World;
let database: Client;
beforeAll(async () => {
  world = await World.start();
  database = new Client({ connectionString: world.stack.infrastructure.databaseUrl });
  await database.connect();
}, 120_000);
afterAll(async () => {
  await database?.end();
  await world?.stop();
}, 60_000);

/** A row that is older than its setting allows, in a table of each of the other services. */
const OLD_ROWS = {
  'fleet-service': {
    table: 'fleet.kept_message',
    insert: `(sn, channel, raw, received_at) VALUES ('OLD', 'events', '{}', now() - interval '31 days')`,
  },
  'log-service': {
    table: 'log.inbox',
    insert: `(sn, method, message_id, received_at) VALUES ('OLD', 'old', 'old', now() - interval '9 days')`,
  },
  'credential-service': {
    table: 'credential.issue',
    insert: `(id, organisation_id, kind, object_prefix, actions, provider, storage_version, asked_by, reason, issued_at, expires_at)
      VALUES (gen_random_uuid(), gen_random_uuid(), 'keys', 'OLD', '{}', 's3', 0, 'spec', 'spec', now() - interval '401 days', now())`,
  },
} as const;

const age = (ids: readonly string[]) =>
  database.query(
    `UPDATE mission.mission SET since = since - interval '401 days', updated_at = updated_at - interval '401 days'
      WHERE id = ANY($1)`,
    [ids],
  );
/** What a service counts of a table at its metrics. */
async function pruned(service: ServiceName, table: string): Promise<number> {
  const text = await (await fetch(world.stack.metricsUrl(service))).text();
  const line = text.split('\n').find((one) => one.startsWith('retention_pruned_total') && one.includes(`"${table}"`));
  return Number(line?.split(' ').at(-1) ?? 0);
}
const timeline = (id: string) =>
  world.api
    .get<{ items: TimelineEntry[]; prunedAt: string | null }>(`/missions/${id}/timeline`)
    .then((answer) => good(answer));

it('deletes what is old in each service, says so, and leaves alone what still flies', async () => {
  const [ended, waiting] = [
    await world.immediate(await world.dock()),
    await world.timed(await world.dock(), 3_600_000),
  ];
  const before = await world.ended(ended.id);
  for (const { table, insert } of Object.values(OLD_ROWS)) await database.query(`INSERT INTO ${table} ${insert}`);
  await age([ended.id, waiting.id]);
  const untouched = await timeline(waiting.id);
  // Each looks for old rows when it starts, and once a minute.
  const services = ['mission-service', ...(Object.keys(OLD_ROWS) as (keyof typeof OLD_ROWS)[])] as const;
  for (const service of services) {
    await world.stack.kill(service);
    await world.stack.start(service);
  }
  await eventually('the timeline is gone', async () => (await timeline(ended.id)).prunedAt !== null, 30_000);
  for (const [service, { table }] of Object.entries(OLD_ROWS)) {
    const name = table.split('.').at(-1) ?? '';
    await eventually(`${table} is counted`, async () => (await pruned(service as ServiceName, name)) === 1, 30_000);
  }
  expect(await pruned('mission-service', 'timeline')).toBeGreaterThan(5);
  expect(good(await world.api.get<MissionView>(`/missions/${ended.id}`))).toEqual({
    ...before,
    updatedAt: expect.any(String),
  });
  expect(await timeline(waiting.id)).toEqual(untouched);
  const { body } = await world.api.text(`/missions/${ended.id}/timeline?format=ndjson`);
  const file = path.join(world.directory, 'deleted.ndjson');
  writeFileSync(file, body);
  expect(await replay('', [file])).toBe(2);
  const next = await world.immediate(await world.dock());
  expect((await world.ended(next.id)).state).toBe('succeeded');
}, 120_000);
