import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import { roleOf } from '@aerie/persistence';
import type { DataSource } from 'typeorm';
import { SCHEMA, missionDatabase } from '../../database.js';
import { handle, kinds, progress } from '../fixtures/dock-words.js';
import { aReplica, executes } from '../fixtures/due-replica.js';
import { ORGANISATION, aMission, apply, missionTestDatabase, stateOf } from '../fixtures/mission-database.js';

/** As the role itself, which no setting tells an organisation. */
let engine: DataSource;
let owner: DataSource;
let drop: () => Promise<void>;
beforeAll(async () => {
  const { settings, drop: dropDatabase, ...made } = await missionTestDatabase(0);
  ({ owner } = made);
  const url = new URL(settings.DATABASE_URL);
  [url.username, url.password] = [roleOf(SCHEMA, 'engine'), settings.DATABASE_ENGINE_PASSWORD];
  engine = await missionDatabase(url.href, createLogger('mission-spec', 'silent'), 'flight').initialize();
  drop = async () => {
    await engine.destroy();
    await dropDatabase();
  };
}, 60_000);
afterAll(() => drop(), 30_000);

async function aPrepared(organisationId: string) {
  const dockSn = `D-${randomUUID().slice(0, 8)}`;
  const id = await aMission(owner, { organisationId, dockSn });
  await apply(engine, id, { type: 'prepareDue' });
  await apply(engine, id, { type: 'prepareAccepted', edition: 1 });
  return { id, dockSn };
}

it('starts what is due in every organisation, and takes the words of their docks in one batch (N25)', async () => {
  const [own, other] = [await aPrepared(ORGANISATION), await aPrepared(randomUUID())];
  const { runner, ...replica } = aReplica(engine);
  await runner.run(null);
  expect(executes({ runner, ...replica }).sort()).toEqual([own.id, other.id].sort());

  const applied = await handle(engine, [progress(own, 'in_progress'), progress(other, 'in_progress')]);
  expect(kinds(applied)).toEqual(['advanced', 'advanced']);
  expect([await stateOf(engine, own.id), await stateOf(engine, other.id)]).toEqual(['executing', 'executing']);
});
