import { DockOrder } from './dock-order.js';

interface Held {
  readonly name: string;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

let order: DockOrder;
let begun: Held[];
beforeEach(() => {
  order = new DockOrder();
  begun = [];
});

const run = (sn: string, name: string): Promise<boolean> =>
  order.run(sn, () => new Promise<void>((end, fail) => void begun.push({ name, end, fail })));
const names = (): string[] => begun.map(({ name }) => name);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('begins the messages of one dock one after the other', async () => {
  const done = [run('A', 'a1'), run('A', 'a2'), run('A', 'a3')];
  await turn();
  expect(names()).toEqual(['a1']);
  begun[0]?.end();
  await turn();
  expect(names()).toEqual(['a1', 'a2']);
  begun[1]?.end();
  await turn();
  begun[2]?.end();
  expect(await Promise.all(done)).toEqual([true, true, true]);
});

it('begins those of other docks at once, also while one dock hangs', async () => {
  void run('A', 'a1');
  void run('A', 'a2');
  const others = ['B', 'C'].map((sn) => run(sn, sn));
  await turn();
  expect(names()).toEqual(['a1', 'B', 'C']);
  begun[1]?.end();
  begun[2]?.end();
  expect(await Promise.all(others)).toEqual([true, true]);
});

it('leaves out what waited when one fails, and begins what comes afterwards in its order', async () => {
  const [failed, waited] = [run('A', 'a1'), run('A', 'a2')];
  begun[0]?.fail(new Error('JetStream does not answer'));
  await expect(failed).rejects.toThrow('JetStream does not answer');
  expect(await waited).toBe(false);
  const again = [run('A', 'a1'), run('A', 'a2')];
  await turn();
  expect(names()).toEqual(['a1', 'a1']);
  begun[1]?.end();
  await turn();
  begun[2]?.end();
  expect(await Promise.all(again)).toEqual([true, true]);
  expect(names()).toEqual(['a1', 'a1', 'a2']);
});

it('leaves out what waited behind a message that hangs, although others came since', async () => {
  const [hangs, waited] = [run('A', 'a1'), run('A', 'a2')];
  order.breakOff();
  const again = run('A', 'a1 again');
  begun[0]?.end();
  expect(await hangs).toBe(true);
  expect(await waited).toBe(false);
  await turn();
  expect(names()).toEqual(['a1', 'a1 again']);
  begun[1]?.end();
  expect(await again).toBe(true);
});
