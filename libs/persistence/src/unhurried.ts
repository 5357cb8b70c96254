// For migrations that run outside a transaction (`readonly transaction = false`). What is done here lets readers and
// writers of the table go on meanwhile, so it may take its time. Such a migration may be cut off in the middle and runs
// again from its beginning: each step bears being repeated.
import type { QueryRunner } from 'typeorm';

/** Of one statement that locks out nobody. Half a day with it would be a fault. */
const LONGEST_MS = 4 * 60 * 60_000;

export interface NewIndex {
  readonly schema: string;
  readonly name: string;
  /** The table without its schema, and all that follows it: `mission (created_at) WHERE …`. */
  readonly on: string;
}

/** Makes an index beside those who write. One that an earlier attempt left half-made is thrown away first. */
export async function makeIndex(runner: QueryRunner, { schema, name, on }: NewIndex): Promise<void> {
  const [found] = (await runner.query(
    'SELECT indisvalid AS "isValid" FROM pg_index WHERE indexrelid = to_regclass($1)',
    [`${schema}.${name}`],
  )) as { isValid: boolean }[];
  if (found?.isValid === true) return;
  await unhurried(runner, async () => {
    if (found !== undefined) await runner.query(`DROP INDEX CONCURRENTLY ${schema}.${name}`);
    await runner.query(`CREATE INDEX CONCURRENTLY ${name} ON ${schema}.${on}`);
  });
}

/** Puts another index in the place of the one of this name, which serves until then. */
export async function replaceIndex(runner: QueryRunner, { schema, name, on }: NewIndex): Promise<void> {
  const next = `${name}_next`;
  await makeIndex(runner, { schema, name: next, on });
  await runner.startTransaction();
  try {
    await runner.query(`DROP INDEX ${schema}.${name}`);
    await runner.query(`ALTER INDEX ${schema}.${next} RENAME TO ${name}`);
    await runner.commitTransaction();
  } catch (error) {
    await runner.rollbackTransaction();
    throw error;
  }
}

/** Looks at the rows that were there before a constraint was added as NOT VALID. */
export async function validateConstraint(runner: QueryRunner, table: string, constraint: string): Promise<void> {
  await unhurried(runner, () => runner.query(`ALTER TABLE ${table} VALIDATE CONSTRAINT ${constraint}`));
}

/** To wait for a lock behind which nobody else waits may take long too. */
async function unhurried(runner: QueryRunner, work: () => Promise<unknown>): Promise<void> {
  const [before] = (await runner.query(
    `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement`,
  )) as { lock: string; statement: string }[];
  if (before === undefined) throw new Error('the settings of the connection were not answered');
  const set = (lock: string, statement: string): Promise<unknown> =>
    runner.query(`SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)`, [
      lock,
      statement,
    ]);
  await set('0', String(LONGEST_MS));
  try {
    await work();
  } finally {
    // A connection that is lost has no settings any more.
    await set(before.lock, before.statement).catch(() => undefined);
  }
}
