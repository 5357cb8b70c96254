import type { DocksOfAll } from './dock.store.js';
import { Topologies } from './topologies.js';

/** A store whose looks end when the test says so. */
class HeldStore {
  readonly looks: {
    sns: readonly string[];
    end: (speakers: Map<string, string>) => void;
    fail: (error: Error) => void;
  }[] = [];
  speakersFor(sns: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Promise((end, fail) => this.looks.push({ sns, end, fail }));
  }
}

const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let store: HeldStore;
let topologies: Topologies;
beforeEach(() => {
  store = new HeldStore();
  topologies = new Topologies(store as unknown as DocksOfAll);
});

it('asks the database once for all that are asked for in one turn, and once more for those that come meanwhile', async () => {
  const first = [topologies.dockFor('A'), topologies.dockFor('B'), topologies.dockFor('A')];
  await aTurn();
  const later = topologies.dockFor('C');
  store.looks[0]?.end(new Map([['A', 'D-1']]));
  await expect(Promise.all(first)).resolves.toEqual(['D-1', null, 'D-1']);
  await aTurn();
  store.looks[1]?.end(new Map([['C', 'D-2']]));
  await expect(later).resolves.toBe('D-2');
  expect(store.looks.map(({ sns }) => sns)).toEqual([['A', 'B'], ['C']]);
  await expect(topologies.dockFor('A')).resolves.toBe('D-1');
  expect(store.looks).toHaveLength(2);
});

it('does not remember what was forgotten while it was looked up', async () => {
  const before = topologies.dockFor('A');
  await aTurn();
  topologies.forget('A');
  store.looks[0]?.end(new Map([['A', 'D-1']]));
  await before;
  const after = topologies.dockFor('A');
  await aTurn();
  store.looks[1]?.end(new Map([['A', 'D-2']]));
  await expect(after).resolves.toBe('D-2');
});

it('says that it cannot say, and asks again the next time', async () => {
  const failing = topologies.dockFor('A');
  await aTurn();
  store.looks[0]?.fail(new Error('the database is away'));
  await expect(failing).rejects.toThrow('the database is away');
  const again = topologies.dockFor('A');
  await aTurn();
  store.looks[1]?.end(new Map());
  await expect(again).resolves.toBeNull();
});
