import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DataSource } from 'typeorm';
import { aMission, missionTestDatabase, stateOf } from './missions/fixtures/mission-database.js';

const HOUR_MS = 3_600_000;

let pool: DataSource;
let settings: NodeJS.ProcessEnv;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await missionTestDatabase(1);
  drop = database.drop;
  settings = { ...database.settings };
  pool = database.pools[0] as DataSource;
}, 60_000);
afterAll(() => drop(), 30_000);

const afterRestore = (...args: string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('./after-restore.js', import.meta.url)), ...args], {
    ...{ env: { PATH: process.env['PATH'], ...settings }, encoding: 'utf8', timeout: 60_000 },
  });
const linesOf = ({ stdout }: { readonly stdout: string }): unknown[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

it.each([
  [['--stopped-at', 'yesterday'], '--stopped-at is "yesterday"; it must be an instant with its offset'],
  [['--stopped-at', '2999-01-01T00:00:00Z'], 'which lies in the future'],
  [['--stopped-at', '2020-01-01T00:00:00Z', '--all'], '--stopped-at and --all exclude each other'],
  [['--al'], "Unknown option '--al'"],
])('refuses %j, says what is allowed, and touches nothing', (args, message) => {
  const { status, stderr, stdout } = afterRestore(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(stderr).toContain('Usage: node after-restore.js');
});

it('shows what has not started, and ends what may have been started', async () => {
  const due = await aMission(pool);
  const later = await aMission(pool, { kind: 'timed', executeInMs: HOUR_MS });
  const preview = afterRestore('--dry-run');
  expect([preview.status, linesOf(preview)]).toMatchObject([
    0,
    [
      { id: due, kind: 'immediate', mayHaveStarted: true },
      { id: later, kind: 'timed', mayHaveStarted: false },
    ],
  ]);
  expect(await stateOf(pool, due)).toBe('scheduled');

  const settled = afterRestore();
  expect([settled.status, linesOf(settled)]).toMatchObject([0, [{ id: due, to: 'outcome_unknown' }]]);
  expect([await stateOf(pool, due), await stateOf(pool, later)]).toEqual(['outcome_unknown', 'scheduled']);
  expect(linesOf(afterRestore('--all'))).toMatchObject([{ id: later, to: 'outcome_unknown' }]);
}, 120_000);
