import { randomUUID } from 'node:crypto';
import { createLogger } from '@aerie/observability';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource } from '../data-source.js';
import { migratedDatabase } from './migrated-database.js';

const logger = createLogger('test', 'silent');
/** Of this run alone, so that the template is made anew. */
const SCHEMA = `spec_${randomUUID().replaceAll('-', '')}`;

class CreateThing1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE ${SCHEMA}.thing (id integer PRIMARY KEY)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ${SCHEMA}.thing`);
  }
}

let opened: string[];
const open =
  (applicationName: string) =>
  (url: string): DataSource => {
    opened.push(applicationName);
    return createDataSource({
      ...{ url, applicationName, schema: SCHEMA, migrations: [CreateThing1700000000000], logger },
      ...{ poolSize: 2, warmConnections: 1, statementTimeoutMs: 3_000 },
    });
  };
const aDatabase = () =>
  migratedDatabase({
    ...{ schema: SCHEMA, migrations: [CreateThing1700000000000], pools: 2 },
    ...{ openForMigrations: open('migrations'), openPool: open('work') },
  });
beforeEach(() => (opened = []));

it('is migrated once, and each test file has one of its own, with as many pools as it wants', async () => {
  const [one, other] = [await aDatabase(), await aDatabase()];
  try {
    const ofOne = ['migrations', 'migrations', 'work', 'work'];
    expect(opened).toEqual(['migrations', ...ofOne, ...ofOne]);
    await one.pools[0]?.query(`INSERT INTO ${SCHEMA}.thing VALUES (1)`);
    const things = (pool: DataSource | undefined) => pool?.query<unknown[]>(`SELECT id FROM ${SCHEMA}.thing`);
    for (const number of [0, 1]) {
      expect(await things(one.pools[number])).toEqual([{ id: 1 }]);
      expect(await things(other.pools[number])).toEqual([]);
    }
  } finally {
    await Promise.all([one.drop(), other.drop()]);
  }
  expect(one.pools.map(({ isInitialized }) => isInitialized)).toEqual([false, false]);
});
