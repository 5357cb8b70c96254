import { lifecycleMatrix } from './matrix.js';
import { EVENT_TYPES } from './mission.machine.js';
import { STATES } from './mission.types.js';

const lines = lifecycleMatrix().split('\n');
const cells = (line: string | undefined): string[] =>
  (line ?? '')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe('the printed lifecycle', () => {
  it('has one column for each state', () => {
    expect(cells(lines[0]).slice(1)).toEqual([...STATES]);
  });

  it('has one line for each event', () => {
    expect(lines.slice(2).map((line) => cells(line)[0])).toEqual(EVENT_TYPES);
  });

  it('has as many cells in every line', () => {
    expect(new Set(lines.map((line) => cells(line).length))).toEqual(new Set([STATES.length + 1]));
  });

  it('shows where an event leads and what it orders', () => {
    const line = lines.find((text) => text.startsWith('| executeDue'));
    expect(cells(line)[1 + STATES.indexOf('prepared')]).toBe('starting +sendExecute');
  });
});
