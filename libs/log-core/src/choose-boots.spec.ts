import { BOOTS_LIMIT, type ListedBoot, type ListedModule, chooseBoots, modulesOf } from './choose-boots.js';
import type { Selection } from './upload.types.js';

const HOUR_MS = 3_600_000;

const aBoot = (bootIndex: number, overrides: Partial<ListedBoot> = {}): ListedBoot => ({
  bootIndex,
  startMs: bootIndex * HOUR_MS,
  endMs: (bootIndex + 1) * HOUR_MS - 1,
  sizeBytes: 100,
  ...overrides,
});

const aModule = (overrides: Partial<ListedModule> = {}): ListedModule => ({
  module: 'dock',
  problem: null,
  boots: [aBoot(1), aBoot(3), aBoot(2)],
  ...overrides,
});

const latest = (count: number): Selection => ({ kind: 'latest', count, modules: ['dock'] });
const between = (fromMs: number, untilMs: number): Selection => ({
  kind: 'window',
  fromMs,
  untilMs,
  modules: ['dock'],
});
const indexesOf = (selection: Selection, ...listed: ListedModule[]) =>
  chooseBoots(selection, listed).map(({ bootIndexes }) => bootIndexes);

describe('the newest boots', () => {
  it('are chosen by their number, however they are listed', () => {
    expect(indexesOf(latest(2), aModule())).toEqual([[3, 2]]);
  });

  it('are all that there are when more are asked for', () => {
    expect(indexesOf(latest(9), aModule())).toEqual([[3, 2, 1]]);
  });
});

describe('the boots of a window', () => {
  it('are those that ran in it at any time', () => {
    expect(indexesOf(between(2.5 * HOUR_MS, 3.5 * HOUR_MS), aModule())).toEqual([[3, 2]]);
  });

  it('are those that began at its very end', () => {
    expect(indexesOf(between(2.5 * HOUR_MS, 3 * HOUR_MS), aModule())).toEqual([[3, 2]]);
  });

  it('are those that ended at its very begin', () => {
    expect(indexesOf(between(3 * HOUR_MS - 1, 3 * HOUR_MS - 1), aModule())).toEqual([[2]]);
  });

  it('are those that still run', () => {
    const boots = [aBoot(1), aBoot(2, { endMs: null })];
    expect(indexesOf(between(50 * HOUR_MS, 51 * HOUR_MS), aModule({ boots }))).toEqual([[2]]);
  });

  it('are those of which the dock does not say when they began', () => {
    const boots = [aBoot(1, { startMs: null }), aBoot(2)];
    expect(indexesOf(between(0, 1), aModule({ boots }))).toEqual([[1]]);
  });

  it('are as many as one archive takes, the newest first', () => {
    const boots = Array.from({ length: BOOTS_LIMIT + 20 }, (_, index) => aBoot(index));
    const [chosen] = indexesOf(between(0, 1_000 * HOUR_MS), aModule({ boots }));
    expect(chosen).toHaveLength(BOOTS_LIMIT);
    expect(chosen?.[0]).toBe(BOOTS_LIMIT + 19);
  });
});

describe('boots by their numbers', () => {
  const wanted: Selection = {
    kind: 'files',
    files: [
      { module: 'aircraft', bootIndex: 2 },
      { module: 'dock', bootIndex: 1 },
      { module: 'dock', bootIndex: 3 },
      { module: 'dock', bootIndex: 9 },
    ],
  };

  it('are those that the dock has', () => {
    expect(indexesOf(wanted, aModule(), aModule({ module: 'aircraft' }))).toEqual([[2], [3, 1]]);
  });

  it('make one archive for each module', () => {
    expect(modulesOf(wanted)).toEqual(['aircraft', 'dock']);
  });

  it('are not to be had when the dock has none of them', () => {
    expect(chooseBoots(wanted, [aModule({ boots: [aBoot(7)] })])[1]).toEqual({
      ...{ module: 'dock', bootIndexes: [], expectedBytes: 0, state: 'unavailable', told: null },
      problem: { code: 'nothing_found' },
    });
  });
});

describe('an archive', () => {
  it('is wanted, with the sizes of its boots together', () => {
    expect(
      chooseBoots(latest(2), [aModule({ boots: [aBoot(1, { sizeBytes: 5 }), aBoot(2, { sizeBytes: 7 })] })]),
    ).toEqual([{ module: 'dock', bootIndexes: [2, 1], expectedBytes: 12, state: 'wanted', problem: null, told: null }]);
  });

  it('is not to be had of an aircraft that is off, and the reason stays', () => {
    const problem = { code: 'aircraft_off', dockResult: 324_015 } as const;
    const selection: Selection = { kind: 'latest', count: 1, modules: ['dock', 'aircraft'] };
    expect(chooseBoots(selection, [aModule(), aModule({ module: 'aircraft', problem })])[1]).toEqual({
      ...{ module: 'aircraft', bootIndexes: [], expectedBytes: 0, state: 'unavailable', told: null },
      problem,
    });
  });

  it('is not to be had of a module that the dock does not list', () => {
    expect(chooseBoots(latest(1), [])).toMatchObject([{ state: 'unavailable', problem: { code: 'nothing_found' } }]);
  });

  it('is asked for only of the modules that are wanted', () => {
    expect(chooseBoots(latest(1), [aModule(), aModule({ module: 'aircraft' })]).map(({ module }) => module)).toEqual([
      'dock',
    ]);
  });
});

it('says so when the dock lists only some of the files that were asked for, and stores the upload only partly', () => {
  const asked = {
    kind: 'files',
    files: [12, 13].map((bootIndex) => ({ module: 'dock' as const, bootIndex })),
  } as const;
  const boot = { bootIndex: 13, startMs: null, endMs: null, sizeBytes: 5 };
  const [file] = chooseBoots(asked, [{ module: 'dock', problem: null, boots: [boot] }]);
  expect(file).toMatchObject({ bootIndexes: [13], state: 'wanted', problem: { code: 'nothing_found' } });
});
