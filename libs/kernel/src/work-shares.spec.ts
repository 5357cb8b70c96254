import { WorkShares } from './work-shares.js';

type Kind = 'replies' | 'claims' | 'events';

interface Running {
  readonly kind: Kind;
  readonly end: () => void;
}

let shares: WorkShares<Kind>;
/** In the order in which they were started. */
let running: Running[];
let started: Kind[];
beforeEach(() => {
  running = [];
  started = [];
  shares = new WorkShares<Kind>({ order: ['replies', 'claims', 'events'], spare: 1 });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that runs until the test ends it. */
function wants(kind: Kind, count = 1): void {
  for (let index = 0; index < count; index++) {
    void shares.run(kind, () => {
      started.push(kind);
      return new Promise<void>((end) => running.push({ kind, end }));
    });
  }
}

const inWork = (): Kind[] => running.map(({ kind }) => kind);

/** The one that was started first has ended. */
async function endOldest(): Promise<void> {
  running.shift()?.end();
  await turn();
}

it('gives each kind a place of its own, and the spare one to the first kind that waits', async () => {
  wants('events', 5);
  await turn();
  expect(inWork()).toEqual(['events', 'events']);
  wants('claims', 5);
  wants('replies', 5);
  await turn();
  expect(inWork()).toEqual(['events', 'events', 'claims', 'replies']);
  await endOldest();
  // Of the events one has ended: its place is the spare one, and replies go before claims, claims before events.
  expect(inWork()).toEqual(['events', 'claims', 'replies', 'replies']);
});

it.each<[Kind, Kind]>([
  ['replies', 'claims'],
  ['claims', 'events'],
  ['replies', 'events'],
])('starts %s before %s', async (first, second) => {
  wants(second, 2);
  await turn();
  wants(second, 3);
  wants(first, 3);
  await turn();
  await endOldest();
  expect(inWork().filter((kind) => kind === first)).toHaveLength(2);
});

it('leaves events a quarter of all places, however much else waits, and the others what is theirs', async () => {
  for (const kind of ['replies', 'claims', 'events'] as const) wants(kind, 500);
  await turn();
  for (let ended = 0; ended < 400; ended++) await endOldest();
  const share = (kind: Kind): number => started.filter((each) => each === kind).length / started.length;
  expect(share('events')).toBeGreaterThanOrEqual(0.24);
  expect(share('claims')).toBeGreaterThanOrEqual(0.24);
  expect(share('replies')).toBeGreaterThan(0.45);
});

it('keeps the order of a kind', async () => {
  const order: number[] = [];
  const all = Array.from({ length: 20 }, (_, index) => shares.run('events', async () => void order.push(index)));
  await Promise.all(all);
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

it('gives the place of work that failed to the next, and hands its error on', async () => {
  const failing = Array.from({ length: 10 }, () =>
    shares.run('claims', () => Promise.reject(new Error('the database is away'))),
  );
  const results = await Promise.allSettled(failing);
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
  await expect(shares.run('claims', async () => 'works')).resolves.toBe('works');
});
