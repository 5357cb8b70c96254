import { dockModels, type DockModel } from './models.js';
import { type StepNumbering, stepTableFor } from './steps.js';

const models = Object.keys(dockModels) as DockModel[];
const numberings: StepNumbering[] = ['g1', 'g2', 'g3', 'seen'];
const all = models.flatMap((model) => numberings.map((numbering) => [model, numbering] as const));

describe('current_step', () => {
  it.each([
    ['dock1', 'g2', 21],
    ['dock1', 'g3', 23],
    ['dock2', 'g2', 21],
    ['dock2', 'g3', 25],
    ['dock3', 'g3', 25],
    ['dock3', 'seen', 27],
    ['dock1', 'g1', 19],
  ] as const)('of a %s by %s is %i while it flies', (model, numbering, executing) => {
    expect(stepTableFor(model, numbering).executing).toBe(executing);
  });

  it.each([
    ['dock1', 'g3', 33],
    ['dock2', 'g3', 35],
    ['dock3', 'seen', 36],
  ] as const)('of a %s by %s ends at %i', (model, numbering, terminal) => {
    expect(stepTableFor(model, numbering).terminal).toBe(terminal);
  });

  it.each(all)('of a %s by %s never goes back in a flight without trouble', (model, numbering) => {
    const table = stepTableFor(model, numbering);
    const numbers = [
      ...table.before.map(({ number }) => number),
      table.executing,
      table.returning,
      table.landing,
      ...table.after.map(({ number }) => number),
    ];
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('leaves out the landing dock, which only a flight between two docks has', () => {
    expect(stepTableFor('dock2', 'g3').before.map(({ number }) => number)).not.toContain(22);
  });

  it.each(all)('of a %s by %s opens the cover only over a powered aircraft', (model, numbering) => {
    const table = stepTableFor(model, numbering);
    expect(table.before.every(({ coverOpen, aircraftPowered }) => !coverOpen || aircraftPowered)).toBe(true);
    expect(table.before.at(-1)).toMatchObject({ coverOpen: true });
  });
});
