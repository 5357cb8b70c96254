import { createTestDatabase, testEnvironment } from '@aerie/testing';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { closeDatabase } from '../access/make-roles.js';
import { DOERS, MIGRATOR, roleOf } from '../access/roles.js';
import { ApiDatabase, type Databases } from '../organisations.js';
import { migrate } from '../migrate.js';
import { opened } from './opened.js';

export interface MigratedDatabaseOptions {
  readonly schema: string;
  readonly migrations: readonly unknown[];
  /** Opens the pool that migrates. */
  readonly openForMigrations: (url: string) => DataSource;
  /** Opens a pool of the test; default: as the one that migrates. */
  readonly openPool?: (url: string) => DataSource;
  /** As many as a test has replicas. */
  readonly pools: number;
}

/** What a service is told of its database. */
interface Settings {
  readonly DATABASE_URL: string;
  readonly DATABASE_ENGINE_PASSWORD: string;
}

export interface MigratedDatabase {
  /** Of one who may do everything. */
  readonly url: string;
  readonly settings: Settings;
  /** For what a test sets up and no role of the service may do. */
  readonly owner: DataSource;
  /** As the role for requests. */
  readonly api: DataSource;
  /** They may do what the two roles of the service may do together, and nothing else. */
  readonly pools: DataSource[];
  readonly drop: () => Promise<void>;
}

/** Tests that set up rows and then run what both roles run have one pool for all of it. */
const specRoleOf = (schema: string): string => `${schema}_spec`;

/**
 * A database of its own for one test file, with the schema of one service as its migrations make it, and with the roles of
 * a site. A schema that is no service's has none.
 */
export async function migratedDatabase({
  schema,
  migrations,
  openForMigrations,
  openPool = openForMigrations,
  pools,
}: MigratedDatabaseOptions): Promise<MigratedDatabase> {
  const { databaseUrl, databasePasswords: passwords } = testEnvironment();
  const hasRoles = roleOf(schema, 'api') in passwords;
  const as = (url: string, role: string, password = passwords[role] ?? ''): string => withLogin(url, role, password);
  const database = await createTestDatabase(databaseUrl, `template_${schema}_${migrations.length}`, async (url) => {
    if (hasRoles) await prepare(url, schema, passwords[MIGRATOR] ?? '');
    const dataSource = await opened(openForMigrations(hasRoles ? as(url, MIGRATOR) : url));
    await migrate(dataSource);
    await dataSource.destroy();
  });
  if (hasRoles) await withClient(database.url, closeDatabase);
  const poolUrl = hasRoles ? as(database.url, specRoleOf(schema), passwords[MIGRATOR]) : database.url;
  if (hasRoles) {
    const name = new URL(database.url).pathname.slice(1);
    await withClient(database.url, (client) =>
      client.query(`GRANT CONNECT ON DATABASE "${name}" TO ${specRoleOf(schema)}`),
    );
  }
  const owner = await opened(openForMigrations(database.url));
  const apiUrl = hasRoles ? as(database.url, roleOf(schema, 'api')) : database.url;
  const api = await opened(openForMigrations(apiUrl));
  const ofTest = await Promise.all(Array.from({ length: pools }, () => opened(openPool(poolUrl))));
  return {
    url: database.url,
    settings: {
      DATABASE_URL: as(database.url, roleOf(schema, 'api')),
      DATABASE_ENGINE_PASSWORD: passwords[roleOf(schema, 'engine')] ?? '',
    },
    owner,
    api,
    pools: ofTest,
    async drop() {
      await Promise.all([owner, api, ...ofTest].map((pool) => pool.destroy()));
      await database.drop();
    },
  };
}

/** Migrates a database that nobody has let the roles of a site into yet, through a pool of one who may do everything. */
export async function migrateNew(dataSource: DataSource): Promise<void> {
  await withClient((dataSource.options as { url: string }).url, closeDatabase);
  await migrate(dataSource);
}

/** For specs whose one pool is both. */
export const bothOf = (dataSource: DataSource): Databases => ({
  api: new ApiDatabase(dataSource),
  engine: dataSource,
});

async function prepare(url: string, schema: string, password: string): Promise<void> {
  await withClient(url, async (client) => {
    await closeDatabase(client);
    const role = specRoleOf(schema);
    const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
    if (rowCount === 0) {
      const roles = DOERS.map((doer) => roleOf(schema, doer)).join(', ');
      await client.query(`CREATE ROLE ${role} LOGIN IN ROLE ${roles} PASSWORD '${password}'`);
    }
  });
}

async function withClient(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function withLogin(text: string, user: string, password: string): string {
  const url = new URL(text);
  url.username = user;
  url.password = password;
  return url.href;
}
