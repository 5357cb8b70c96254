import { OrderPool } from './order-pool.js';

interface Work {
  readonly order: string;
  readonly end: (error?: Error) => void;
}

let begun: Work[];
let errors: unknown[];
const poolOf = (limits: { concurrency?: number; maxWaiting?: number } = {}): OrderPool<string> =>
  new OrderPool({
    ...{ concurrency: 2, maxWaiting: 10, ...limits },
    carryOut: (order) =>
      new Promise((resolve, reject) =>
        begun.push({ order, end: (error) => (error === undefined ? resolve() : reject(error)) }),
      ),
    onError: (error, order) => errors.push([order, error]),
  });
beforeEach(() => {
  begun = [];
  errors = [];
});

/** Lets everything run that waits for nothing. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const ordersBegun = (): string[] => begun.map(({ order }) => order);

it('has so many orders in work at once, and begins the next in their order when one ends', async () => {
  const pool = poolOf();
  for (const order of ['a', 'b', 'c', 'd']) expect(pool.add(order)).toBe(true);
  expect(ordersBegun()).toEqual(['a', 'b']);
  begun[1]?.end();
  await settle();
  expect(ordersBegun()).toEqual(['a', 'b', 'c']);
  begun[0]?.end();
  await settle();
  expect(ordersBegun()).toEqual(['a', 'b', 'c', 'd']);
});

it('refuses what comes beyond the limit of those that wait, and takes more once there is room', async () => {
  const pool = poolOf({ concurrency: 1, maxWaiting: 1 });
  expect([pool.add('in work'), pool.add('waits'), pool.add('too many')]).toEqual([true, true, false]);
  begun[0]?.end();
  await settle();
  expect(pool.add('later')).toBe(true);
  begun[1]?.end();
  await settle();
  expect(ordersBegun()).toEqual(['in work', 'waits', 'later']);
});

it('says which order failed, and goes on with the next', async () => {
  const pool = poolOf({ concurrency: 1 });
  pool.add('fails');
  pool.add('next');
  const error = new Error('at fault');
  begun[0]?.end(error);
  await settle();
  expect(errors).toEqual([['fails', error]]);
  expect(ordersBegun()).toEqual(['fails', 'next']);
});

it('settles once nothing waits or is in work, also what was ordered meanwhile', async () => {
  const pool = poolOf({ concurrency: 1 });
  expect(pool.isIdle).toBe(true);
  pool.add('a');
  let settled = false;
  const settling = pool.settle().then(() => (settled = true));
  pool.add('b');
  begun[0]?.end();
  await settle();
  expect([settled, pool.isIdle]).toEqual([false, false]);
  begun[1]?.end();
  await settling;
  expect([ordersBegun(), pool.isIdle]).toEqual([['a', 'b'], true]);
});
