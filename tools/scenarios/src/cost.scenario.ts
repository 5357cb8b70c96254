import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  COST_SETTINGS,
  type Measured,
  Meter,
  Stack,
  measureAccept,
  measureProgress,
  measureRest,
  measureTrickle,
} from '@aerie/local';
import { rootFolder } from './world.js';

/** What one message or one mission may cost; CPU is none of it, since it differs by machine and by what else runs. */
interface Budget {
  readonly statements: number;
  readonly commits: number;
  readonly walBytes: number;
}

const BUDGETS = JSON.parse(
  readFileSync(path.join(rootFolder(), 'tools', 'scenarios', 'cost-budget.json'), 'utf8'),
) as Readonly<Record<'perProgress' | 'perProgressAlone' | 'accept', Budget>>;

const REST_MS = 5_000;
const DOCKS = 10;
// So many that what all programs do once a minute, some hundred statements, stays within the budget of each.
const BACKLOG = 2_000;
const ALONE = 60;
const POSTS = 60;

let stack: Stack | undefined;
let meter: Meter | undefined;
let measured: Measured;
beforeAll(async () => {
  const root = rootFolder();
  const base = path.join(root, '.aerie', 'scenarios');
  mkdirSync(base, { recursive: true });
  stack = await Stack.up({
    root,
    directory: mkdtempSync(path.join(base, 'cost-')),
    packagesDirectory: path.join(root, '.aerie', 'bin'),
    postgresSettings: COST_SETTINGS,
    say: () => undefined,
  });
  meter = await Meter.open(stack);
  measured = { stack, meter, rest: await measureRest(meter, REST_MS) };
}, 180_000);
afterAll(async () => {
  await meter?.close();
  await stack?.stop();
}, 60_000);

const costs = ({ statements, commits, walBytes }: Budget): Budget => ({ statements, commits, walBytes });

/** Names what is over the budget. */
const over = (cost: Budget, budget: Budget): string[] =>
  (['statements', 'commits', 'walBytes'] as const)
    .filter((name) => cost[name] > budget[name])
    .map((name) => `${name}: ${cost[name]}, of ${budget[name]}`);

it('a progress message out of a backlog costs no more statements, commits and WAL than its budget', async () => {
  const cost = await measureProgress(measured, DOCKS, BACKLOG);
  expect({ over: over(cost, BUDGETS.perProgress), cost: costs(cost) }).toMatchObject({ over: [] });
}, 240_000);

it('a progress message that comes alone costs no more than its budget', async () => {
  const cost = await measureTrickle(measured, ALONE);
  expect({ over: over(cost, BUDGETS.perProgressAlone), cost: costs(cost) }).toMatchObject({ over: [] });
}, 240_000);

it('an accepted mission costs no more than its budget', async () => {
  const cost = await measureAccept(measured, POSTS);
  expect({ over: over(cost, BUDGETS.accept), cost: costs(cost) }).toMatchObject({ over: [] });
}, 240_000);
