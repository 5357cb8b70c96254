import { createTestDatabase, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { migrate } from '../migrate.js';

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

export interface MigratedDatabase {
  readonly url: string;
  readonly pools: DataSource[];
  readonly drop: () => Promise<void>;
}

/** A database of its own for one test file, with the schema of one service as its migrations make it. */
export async function migratedDatabase({
  schema,
  migrations,
  openForMigrations,
  openPool = openForMigrations,
  pools,
}: MigratedDatabaseOptions): Promise<MigratedDatabase> {
  const database = await createTestDatabase(
    testEnvironment().databaseUrl,
    `template_${schema}_${migrations.length}`,
    async (url) => {
      const dataSource = await openForMigrations(url).initialize();
      await migrate(dataSource);
      await dataSource.destroy();
    },
  );
  const opened = await Promise.all(Array.from({ length: pools }, () => openPool(database.url).initialize()));
  return {
    url: database.url,
    pools: opened,
    async drop() {
      await Promise.all(opened.map((pool) => pool.destroy()));
      await database.drop();
    },
  };
}
