import { createLogger } from '@aerie/observability';
import { inTransaction } from '@aerie/persistence';
import { migrateNew } from '@aerie/persistence/testing';
import { createTestDatabase, testEnvironment } from '@aerie/testing';
import type { DataSource } from 'typeorm';
import { MIGRATIONS, missionDatabase } from '../database.js';
import { aStart, handle, progress } from '../missions/fixtures/dock-words.js';
import { aMission, knownLive } from '../missions/fixtures/mission-database.js';
import { findPreflights, keepPreflights } from '../missions/store/preflights.js';
import { RULE_WORDS_1 } from '../missions/store/rule-words.js';
import type { RuleResult } from '@aerie/mission-core';
import { LeanRows1765300000000 } from './1765300000000-lean-rows.js';

let source: DataSource;
let drop: () => Promise<void>;
beforeEach(async () => {
  const database = await createTestDatabase(testEnvironment().databaseUrl, 'template_empty', () => Promise.resolve());
  source = await missionDatabase(database.url, createLogger('migration-spec', 'silent'), 'chores').initialize();
  await migrateNew(source);
  drop = async () => {
    await source.destroy();
    await database.drop();
  };
}, 60_000);
afterEach(() => drop(), 30_000);

const rules = JSON.parse(`[${RULE_WORDS_1}]`) as RuleResult[];
const plainRules = async (id: string): Promise<unknown[]> => {
  const rows = await source.query<{ rules: unknown }[]>(
    'SELECT rules FROM mission.preflight WHERE mission_id = $1 ORDER BY stage',
    [id],
  );
  return rows.map((row) => row.rules);
};
const stored = (id: string) => inTransaction(source, (tx) => findPreflights(tx, id));

describe('rules of a preflight', () => {
  it('are plain again on the way back, and read from both', async () => {
    const id = await aMission(source);
    const judged = (['prepare', 'execute'] as const).map((stage, n) => ({
      ...{ missionId: id, stage, at: new Date(n) },
      result: { verdict: 'go' as const, rules: rules.slice(n) },
    }));
    await inTransaction(source, (tx) => keepPreflights(tx, judged));
    const before = await stored(id);
    expect(before).toMatchObject({ prepare: { rules }, execute: { rules: rules.slice(1) } });
    expect(await plainRules(id)).toEqual([[], []]);

    const later = MIGRATIONS.length - MIGRATIONS.indexOf(LeanRows1765300000000);
    for (let undone = 0; undone < later; undone++) await source.undoLastMigration({ transaction: 'each' });
    expect(await plainRules(id)).toEqual([rules.slice(1), rules]);

    await migrateNew(source);
    expect(await stored(id)).toEqual(before);
  });

  it('are those of a replica of the previous release, where it judged last', async () => {
    const id = await aMission(source);
    const judged = { missionId: id, stage: 'execute' as const, at: new Date(0) };
    await inTransaction(source, (tx) => keepPreflights(tx, [{ ...judged, result: { verdict: 'go', rules } }]));
    await source.query(
      `INSERT INTO mission.preflight (mission_id, stage, at, verdict, rules) VALUES ($1, 'execute', now(), 'no_go', $2)
       ON CONFLICT (mission_id, stage)
       DO UPDATE SET at = excluded.at, verdict = excluded.verdict, rules = excluded.rules`,
      [id, JSON.stringify(rules.slice(2))],
    );
    expect(await stored(id)).toMatchObject({ execute: { verdict: 'no_go', rules: rules.slice(2) } });
    await inTransaction(source, (tx) => keepPreflights(tx, [{ ...judged, result: { verdict: 'go', rules } }]));
    expect(await stored(id)).toMatchObject({ execute: { verdict: 'go', rules } });
  });
});

it('a flight is known whole by its row on the way back', async () => {
  const flight = await aStart(source);
  await handle(source, [progress(flight, 'in_progress', 5)]);
  for (const percent of [20, 30]) await handle(source, [progress(flight, 'in_progress', percent)]);
  const known = await knownLive(source, flight.id);
  expect(known).toMatchObject({ reports: 3, progress: { percent: 30 } });
  const later = MIGRATIONS.length - MIGRATIONS.indexOf(LeanRows1765300000000);
  for (let undone = 0; undone < later; undone++) await source.undoLastMigration({ transaction: 'each' });
  const [row] = await source.query<Record<string, unknown>[]>(
    'SELECT heard_at, received_at, reports, progress FROM mission.flight_live WHERE mission_id = $1',
    [flight.id],
  );
  const { heard_at, received_at, reports, progress: last } = known ?? {};
  expect(row).toEqual({ heard_at, received_at, reports, progress: last });
});
