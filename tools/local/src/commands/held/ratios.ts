/** What one message cost in one phase. */
export interface PhaseCost {
  readonly messages: number;
  /** Of all programs and servers. */
  readonly cpuMs: number;
  /** Of mission-service and PostgreSQL alone. */
  readonly cpuMsOfMissionsAndDatabase: number;
  readonly statements: number;
  /** Pages looked at, read and made dirty. */
  readonly buffers: number;
  readonly cpuMsByProcess: Readonly<Record<string, number>>;
  /** The most first. */
  readonly buffersByStatement: Readonly<Record<string, number>>;
}

export interface Pair {
  readonly without: PhaseCost;
  readonly with: PhaseCost;
}

/** With the burden at most so many times what it is without. */
export const LIMITS = { cpuMs: 1.15, cpuMsOfMissionsAndDatabase: 1.15, statements: 1.1, buffers: 1.1 } as const;
type Measure = keyof typeof LIMITS;
const MEASURES = Object.keys(LIMITS) as Measure[];
/** Nothing but what happens moves these: they hold at the end as well, when the transaction was held longest. */
const COUNTS: readonly Measure[] = ['statements', 'buffers'];

export interface Ratio {
  readonly without: number;
  readonly with: number;
  readonly ratio: number;
}

/** Medians of the phases, and for what is counted the last pair as well. */
export interface Ratios {
  readonly medians: Readonly<Record<Measure, Ratio>>;
  readonly last: Readonly<Record<Measure, Ratio>>;
}

export function ratiosOf(pairs: readonly Pair[]): Ratios {
  const last = pairs.at(-1);
  if (last === undefined) throw new RangeError('there is nothing to compare');
  const of = (value: (measure: Measure, side: keyof Pair) => number) =>
    Object.fromEntries(
      MEASURES.map((measure) => {
        const [bare, burdened] = [value(measure, 'without'), value(measure, 'with')];
        return [measure, { without: bare, with: burdened, ratio: Math.round((burdened / bare) * 1_000) / 1_000 }];
      }),
    ) as Record<Measure, Ratio>;
  return {
    medians: of((measure, side) => median(pairs.map((pair) => pair[side][measure]))),
    last: of((measure, side) => last[side][measure]),
  };
}

/** What is more than it may be, in words. */
export function beyond({ medians, last }: Ratios): string[] {
  const complaints = (measures: readonly Measure[], ratios: Ratios['medians'], when: string): string[] =>
    measures
      .filter((measure) => !(ratios[measure].ratio <= LIMITS[measure]))
      .map((measure) => `${measure} ${when}: ${ratios[measure].ratio} times, at most ${LIMITS[measure]}.`);
  return [...complaints(MEASURES, medians, 'in the median'), ...complaints(COUNTS, last, 'at the end')];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? NaN;
}
