import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, sayWhileAwaited } from '@aerie/observability';
import type { DataSource } from 'typeorm';
import { privilegesOf } from './access/rights.js';
import { DOERS, roleOf } from './access/roles.js';
import { rightsOf, userOf } from './data-source.js';
import { isOutage, sqlState } from './database-errors.js';

const LOOK_EVERY_MS = 1_000;
const UNDEFINED_TABLE = '42P01';
/** The schema is there, and what its roles may do is given once all migrations have run. */
const NO_RIGHTS_YET = '42501';

/**
 * Waits until every migration that this release knows has run, for as long as it takes: programs never migrate, and one that
 * starts before its migrations is not ready; and for the rights of its role, which follow the last of them. A schema that is
 * ahead, of a later release, is as good: it is not waited for, so its rights are not looked at.
 */
export function awaitSchema(dataSource: DataSource, logger: Logger): Promise<void> {
  const { schema } = dataSource.options as { schema?: string };
  if (schema === undefined) throw new Error('a data source whose schema is awaited must name it');
  return sayWhileAwaited(`the migrations of schema ${schema}`, logger, async () => {
    if (!(await isBehind(dataSource, schema, false))) return;
    do await pause(LOOK_EVERY_MS);
    while (await isBehind(dataSource, schema, true));
  });
}

async function isBehind(dataSource: DataSource, schema: string, withRights: boolean): Promise<boolean> {
  try {
    const rows = await dataSource.query<{ name: string }[]>(`SELECT name FROM "${schema}".migrations`);
    const done = new Set(rows.map(({ name }) => name));
    if (dataSource.migrations.some((migration) => !done.has(migration.name ?? migration.constructor.name))) return true;
    return withRights && (await lacksRights(dataSource, schema));
  } catch (error) {
    if ([UNDEFINED_TABLE, NO_RIGHTS_YET].includes(sqlState(error) ?? '') || isOutage(error)) return true;
    throw error;
  }
}

async function lacksRights(dataSource: DataSource, schema: string): Promise<boolean> {
  const doer = DOERS.find((each) => roleOf(schema, each) === userOf(dataSource));
  if (doer === undefined) return false;
  const wanted = Object.entries(rightsOf(dataSource)?.tables ?? {}).flatMap(([table, { [doer]: rights = '' }]) =>
    privilegesOf(rights)
      .split(', ')
      // Without those to one column: all are given in one transaction.
      .filter((privilege) => /^[A-Z]+$/.test(privilege))
      .map((privilege) => [`"${schema}"."${table}"`, privilege] as const),
  );
  const [answer] = await dataSource.query<{ lacks: boolean }[]>(
    `SELECT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS w (name, privilege)
                     WHERE NOT has_table_privilege(w.name, w.privilege)) AS lacks`,
    [wanted.map(([name]) => name), wanted.map(([, privilege]) => privilege)],
  );
  return answer?.lacks === true;
}
