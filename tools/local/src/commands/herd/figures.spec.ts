import { figuresOf, isSound, type Observed, spreadOf, tableOf } from './figures.js';

const DUE_MS = 1_760_000_000_000;

const aMission = (changes: Partial<Observed> = {}): Observed => ({
  missionId: 'mission',
  silent: false,
  acceptedAtMs: DUE_MS - 30_000,
  acceptMs: 10,
  preparedAtMs: DUE_MS - 29_500,
  executesAtMs: [DUE_MS + 40],
  state: 'succeeded',
  ...changes,
});

const figures = (...missions: Observed[]) =>
  figuresOf({ executeAtMs: DUE_MS, startWindowMs: 20_000, planningMs: 1_000, refused: 0, missions });

describe('the figures of a round', () => {
  it('are measured values, by nearest rank', () => {
    expect(spreadOf(Array.from({ length: 200 }, (_, index) => index + 1))).toEqual({
      ...{ p50: 100, p95: 190, p99: 198, max: 200 },
    });
  });

  it('are sound when each dock that answers was told once and in time', () => {
    const round = figures(aMission(), aMission({ executesAtMs: [DUE_MS] }), aMission({ executesAtMs: [DUE_MS + 90] }));
    expect(round).toMatchObject({ executes: 3, skew: { p50: 40, max: 90 }, preparedWithinMs: 510 });
    expect(isSound(round)).toBe(true);
  });

  it.each([
    ['doubles', [DUE_MS + 1, DUE_MS + 2]],
    ['early', [DUE_MS - 1]],
    ['late', [DUE_MS + 20_001]],
    ['missing', []],
  ] as const)('are not sound with %s', (name, executesAtMs) => {
    const round = figures(aMission(), aMission({ executesAtMs }));
    expect(round[name]).toBe(1);
    expect(isSound(round)).toBe(false);
  });

  it('count what happens to silent docks apart', () => {
    const round = figures(aMission(), aMission({ silent: true, executesAtMs: [], state: 'lost' }));
    expect(round).toMatchObject({ silent: 1, silentExecutes: 0, missing: 0, executes: 1 });
    expect(isSound(round)).toBe(true);
  });

  it('stand in one table, the second round beside the first', () => {
    const table = tableOf(figures(aMission()), figures(aMission({ executesAtMs: [DUE_MS + 60] })));
    expect(table).toMatch(/^skew p99, ms +40 +60 +1\.50$/m);
    expect(table).toMatch(/^state succeeded +1 +1$/m);
  });
});
