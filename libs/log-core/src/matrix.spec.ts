import { lifecycleMatrix } from './matrix.js';
import { EVENT_TYPES } from './upload.machine.js';
import { STATES } from './upload.types.js';

const lines = lifecycleMatrix().split('\n');
const cells = (line: string | undefined): string[] =>
  (line ?? '')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const cell = (event: string, state: (typeof STATES)[number]): string | undefined =>
  cells(lines.find((line) => line.startsWith(`| ${event} `)))[1 + STATES.indexOf(state)];

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
    expect(cell('dockGranted', 'listed')).toBe('starting +sendStart');
  });

  it('shows all states to which an event may lead', () => {
    expect(cell('listAnswered', 'listing')).toBe('listed / failed');
  });

  it('shows what is expected and changes no state', () => {
    expect(cell('stopOverdue', 'stopping')).toBe('= +sendStop');
  });

  it('shows nothing where an event is refused', () => {
    expect(cell('sendRefused', 'uploading')).toBe('');
  });
});
