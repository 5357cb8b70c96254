import type { DockModel } from './models.js';

/**
 * The numbers of `current_step`. The vendor renumbered them several times, and the same number means different things
 * on different docks. `g1` is protocol 1.3.2 to 1.6, `g2` is 1.7 to 1.11.0, `g3` is the newest published table of the
 * model, and `seen` is what a Dock 3 was seen to send in 2026, which fits no table.
 */
export type StepNumbering = 'g1' | 'g2' | 'g3' | 'seen';

export interface Step {
  readonly number: number;
  readonly seconds: number;
  readonly aircraftPowered: boolean;
  readonly coverOpen: boolean;
}

export interface StepTable {
  /** Before take-off, in order. */
  readonly before: readonly Step[];
  /** From take-off to the last waypoint. */
  readonly executing: number;
  readonly returning: number;
  readonly landing: number;
  /** After touch-down, in order. */
  readonly after: readonly Step[];
  /** In the terminal message. */
  readonly terminal: number;
}

type Numbers = {
  readonly checks: readonly number[];
  readonly working: number;
  readonly coverPreparation: number;
  /** Pairing, link, RTK, control, area and map checks, KMZ, parameters, home point. */
  readonly warmUp: readonly number[];
  readonly trigger: number;
  readonly executing: number;
  readonly returning: number;
  readonly landing: number;
  readonly coverClosing: number;
  /** Leave work mode, recovery, flight log, recording check, media count, cover recovery. */
  readonly afterwards: readonly number[];
  readonly terminal: number;
};

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, offset) => first + offset);

const g1: Numbers = {
  checks: range(0, 4),
  working: 5,
  coverPreparation: 6,
  warmUp: range(7, 17),
  trigger: 18,
  executing: 19,
  returning: 21,
  landing: 23,
  coverClosing: 24,
  afterwards: range(25, 29),
  terminal: 29,
};

const g2: Numbers = {
  checks: range(0, 5),
  working: 6,
  coverPreparation: 7,
  warmUp: range(8, 19),
  trigger: 20,
  executing: 21,
  returning: 22,
  landing: 23,
  coverClosing: 24,
  afterwards: range(25, 30),
  terminal: 31,
};

const g3Dock1: Numbers = {
  checks: range(0, 5),
  working: 6,
  coverPreparation: 7,
  warmUp: range(8, 21),
  trigger: 22,
  executing: 23,
  returning: 24,
  landing: 25,
  coverClosing: 26,
  afterwards: range(27, 32),
  terminal: 33,
};

const g3: Numbers = {
  checks: range(0, 5),
  working: 6,
  coverPreparation: 7,
  // 22 checks the landing dock, which only a flight between two docks has.
  warmUp: [...range(8, 21), 23],
  trigger: 24,
  executing: 25,
  returning: 26,
  landing: 27,
  coverClosing: 28,
  afterwards: range(29, 34),
  terminal: 35,
};

/** Only 27 and 36 were seen on a wire; the numbers between them follow the published order, moved by two. */
const seenDock3: Numbers = {
  ...g3,
  executing: 27,
  returning: 28,
  landing: 29,
  coverClosing: 30,
  afterwards: range(31, 35),
  terminal: 36,
};

export function defaultNumbering(model: DockModel): StepNumbering {
  return model === 'dock3' ? 'seen' : 'g3';
}

export function stepTableFor(model: DockModel, numbering: StepNumbering): StepTable {
  return tableOf(numbersFor(model, numbering));
}

function numbersFor(model: DockModel, numbering: StepNumbering): Numbers {
  switch (numbering) {
    case 'g1':
      return g1;
    case 'g2':
      return g2;
    case 'g3':
      return model === 'dock1' ? g3Dock1 : g3;
    case 'seen':
      if (model === 'dock3') return seenDock3;
      return model === 'dock1' ? g3Dock1 : g3;
  }
}

function tableOf(numbers: Numbers): StepTable {
  const off = { aircraftPowered: false, coverOpen: false };
  const on = { aircraftPowered: true, coverOpen: false };
  const open = { aircraftPowered: true, coverOpen: true };
  const [leave = numbers.terminal, ...recovery] = numbers.afterwards;
  return {
    before: [
      ...numbers.checks.map((number) => ({ number, seconds: 1, ...off })),
      { number: numbers.working, seconds: 4, ...on },
      { number: numbers.coverPreparation, seconds: 6, ...on },
      ...numbers.warmUp.map((number) => ({ number, seconds: 4, ...open })),
      { number: numbers.trigger, seconds: 3, ...open },
    ],
    executing: numbers.executing,
    returning: numbers.returning,
    landing: numbers.landing,
    after: [
      { number: numbers.coverClosing, seconds: 12, ...on },
      { number: leave, seconds: 4, ...on },
      ...recovery.map((number) => ({ number, seconds: 4, ...off })),
    ],
    terminal: numbers.terminal,
  };
}
