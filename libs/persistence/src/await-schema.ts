import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, sayWhileAwaited } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { isOutage, sqlState } from './database-errors.js';

const LOOK_EVERY_MS = 1_000;
const UNDEFINED_TABLE = '42P01';
/** The schema is there, and what its roles may do is given once all migrations have run. */
const NO_RIGHTS_YET = '42501';

/**
 * Waits until every migration that this release knows has run, for as long as it takes: programs never migrate, and one that
 * starts before its migrations is not ready. A schema that is ahead, of a later release, is as good.
 */
export function awaitSchema(dataSource: DataSource, logger: Logger): Promise<void> {
  const { schema } = dataSource.options as { schema?: string };
  if (schema === undefined) throw new Error('a data source whose schema is awaited must name it');
  return sayWhileAwaited(`the migrations of schema ${schema}`, logger, async () => {
    while (await isBehind(dataSource, schema)) await pause(LOOK_EVERY_MS);
  });
}

async function isBehind(dataSource: DataSource, schema: string): Promise<boolean> {
  try {
    const rows = await dataSource.query<{ name: string }[]>(`SELECT name FROM "${schema}".migrations`);
    const done = new Set(rows.map(({ name }) => name));
    return dataSource.migrations.some((migration) => !done.has(migration.name ?? migration.constructor.name));
  } catch (error) {
    if ([UNDEFINED_TABLE, NO_RIGHTS_YET].includes(sqlState(error) ?? '') || isOutage(error)) return true;
    throw error;
  }
}
