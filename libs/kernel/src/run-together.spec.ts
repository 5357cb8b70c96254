import { RunTogether } from './run-together.js';

interface Run {
  readonly items: readonly string[];
  readonly end: (error?: Error) => void;
}

const OUTAGE = new Error('away');
const FAULT = new Error('at fault');

let runs: Run[];
const together = (at: { atOnce?: number; runs?: number } = {}): RunTogether<string, string> =>
  new RunTogether({
    ...{ atOnce: 10, runs: 1, ...at },
    failsAll: (error) => error === OUTAGE,
    run: (items) =>
      new Promise((resolve, reject) =>
        runs.push({ items, end: (error) => (error ? reject(error) : resolve(items.map((item) => `of ${item}`))) }),
      ),
  });
beforeEach(() => {
  runs = [];
});

/** Lets everything run that waits for nothing. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const outcomeOf = (result: Promise<string>): Promise<unknown> => result.catch((error: unknown) => error);

it('runs one that comes alone at once, and all that come meanwhile in the next run', async () => {
  const group = together();
  const first = group.run('a');
  await settle();
  const others = ['b', 'c'].map((item) => group.run(item));
  await settle();
  expect(runs.map(({ items }) => items)).toEqual([['a']]);
  runs[0]?.end();
  await settle();
  runs[1]?.end();
  expect(await Promise.all([first, ...others])).toEqual(['of a', 'of b', 'of c']);
  expect(runs.map(({ items }) => items)).toEqual([['a'], ['b', 'c']]);
});

it('takes no more items at once, and has no more runs under way, than it was told', async () => {
  const group = together({ atOnce: 2, runs: 2 });
  const results = ['a', 'b', 'c', 'd', 'e'].map((item) => group.run(item));
  await settle();
  expect(runs.map(({ items }) => items)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  runs[1]?.end();
  await settle();
  expect(runs[2]?.items).toEqual(['e']);
  runs[0]?.end();
  runs[2]?.end();
  expect(await Promise.all(results)).toEqual(['of a', 'of b', 'of c', 'of d', 'of e']);
});

it('finds the one item at fault, and carries the others out', async () => {
  const group = together();
  const results = Promise.all(['a', 'b', 'bad', 'd'].map((item) => outcomeOf(group.run(item))));
  for (let done = 0; done < 7; done++) {
    await settle();
    const run = runs[done];
    run?.end(run.items.includes('bad') ? FAULT : undefined);
  }
  expect(await results).toEqual(['of a', 'of b', FAULT, 'of d']);
  expect(runs.map(({ items }) => items.join(''))).toEqual(['abbadd', 'ab', 'badd', 'bad', 'd']);
});

it('repeats nothing after an error that would meet all of them', async () => {
  const group = together();
  const results = Promise.all(['a', 'b'].map((item) => outcomeOf(group.run(item))));
  await settle();
  runs[0]?.end(OUTAGE);
  expect(await results).toEqual([OUTAGE, OUTAGE]);
  expect(runs).toHaveLength(1);
});

it('goes on after a failure', async () => {
  const group = together();
  const first = outcomeOf(group.run('a'));
  await settle();
  runs[0]?.end(FAULT);
  expect(await first).toBe(FAULT);
  const second = group.run('b');
  await settle();
  runs[1]?.end();
  expect(await second).toBe('of b');
});

it('rejects all of a run, and goes on, when nobody can say whether its error meets all', async () => {
  const unsure = new Error('unsure');
  let away = true;
  const group = new RunTogether<string, string>({
    ...{ atOnce: 10, runs: 1 },
    run: async (items) => {
      if (away) throw OUTAGE;
      return items;
    },
    failsAll: () => {
      throw unsure;
    },
  });
  expect(await Promise.all(['a', 'b'].map((item) => outcomeOf(group.run(item))))).toEqual([unsure, unsure]);
  away = false;
  expect(await group.run('c')).toBe('c');
});

it('keeps items of different groups in different runs, as many at once as it may', async () => {
  const group = new RunTogether<string, string>({
    ...{ atOnce: 2, runs: 1, failsAll: () => true, groupOf: (item) => item.slice(0, 1) },
    run: async (items) => {
      runs.push({ items, end: () => undefined });
      return items.map((item) => `of ${item}`);
    },
  });
  const results = await Promise.all(['a1', 'b1', 'a2', 'a3'].map((item) => group.run(item)));
  expect(results).toEqual(['of a1', 'of b1', 'of a2', 'of a3']);
  expect(runs.map(({ items }) => items)).toEqual([['a1', 'a2'], ['b1'], ['a3']]);
});
