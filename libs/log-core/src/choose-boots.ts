import type { Cause, LogFile, LogModule, Selection } from './upload.types.js';

/** One boot of a device, as its dock lists it. */
export interface ListedBoot {
  readonly bootIndex: number;
  /** By the dock's clock; null where it does not say. */
  readonly startMs: number | null;
  /** Null: not known, or still running. */
  readonly endMs: number | null;
  readonly sizeBytes: number;
}

/** What a dock lists of one module. */
export interface ListedModule {
  readonly module: LogModule;
  /** Why it lists none; null where it does. */
  readonly problem: Cause | null;
  readonly boots: readonly ListedBoot[];
}

/** Boots in one archive; a command with more would be too long for a dock. */
export const BOOTS_LIMIT = 100;

/** Which modules a selection speaks of. */
export function modulesOf(selection: Selection): readonly LogModule[] {
  if (selection.kind !== 'files') return selection.modules;
  return [...new Set(selection.files.map(({ module }) => module))];
}

/** What is to be asked of a dock that has listed its logs: one archive for each module, or why there is none. */
export function chooseBoots(selection: Selection, listed: readonly ListedModule[]): readonly LogFile[] {
  return modulesOf(selection).map((module) => {
    const { boots = [], problem = null } = listed.find((entry) => entry.module === module) ?? {};
    const chosen = problem === null ? chosenOf(selection, module, boots) : [];
    const file = { module, bootIndexes: chosen.map(({ bootIndex }) => bootIndex), told: null };
    const expectedBytes = chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (chosen.length > 0) {
      const isShort = selection.kind === 'files' && chosen.length < wantedOf(selection, module).size;
      return { ...file, expectedBytes, state: 'wanted', problem: isShort ? { code: 'nothing_found' } : null };
    }
    return { ...file, expectedBytes, state: 'unavailable', problem: problem ?? { code: 'nothing_found' } };
  });
}

function chosenOf(selection: Selection, module: LogModule, boots: readonly ListedBoot[]): readonly ListedBoot[] {
  const newestFirst = [...boots].sort((a, b) => b.bootIndex - a.bootIndex);
  switch (selection.kind) {
    case 'files': {
      const wanted = new Set(
        selection.files.filter((file) => file.module === module).map(({ bootIndex }) => bootIndex),
      );
      return newestFirst.filter(({ bootIndex }) => wanted.has(bootIndex));
    }
    case 'latest':
      return newestFirst.slice(0, selection.count);
    case 'window':
      return newestFirst
        .filter(
          ({ startMs, endMs }) =>
            (startMs ?? -Infinity) <= selection.untilMs && (endMs ?? Infinity) >= selection.fromMs,
        )
        .slice(0, BOOTS_LIMIT);
  }
}

const wantedOf = ({ files }: Extract<Selection, { kind: 'files' }>, module: LogModule): ReadonlySet<number> =>
  new Set(files.filter((file) => file.module === module).map(({ bootIndex }) => bootIndex));
