import { EVENT_TYPES, type Row, transitions } from './mission.machine.js';
import { type EventType, STATES } from './mission.types.js';

/** The whole lifecycle as Markdown: one table row per state, one column per event. */
export function lifecycleMatrix(): string {
  const cell = (event: EventType, state: (typeof STATES)[number]): string => {
    const row = (transitions[event] as readonly Row<EventType>[]).find(({ from }) => from.includes(state));
    if (!row) return '';
    const to = row.to === 'unchanged' ? '=' : typeof row.to === 'string' ? row.to : row.to.oneOf.join(' / ');
    return [to, ...(row.effects ?? []).map((effect) => `+${effect}`)].join(' ');
  };
  const lines = EVENT_TYPES.map((event) => [event, ...STATES.map((state) => cell(event, state))]);
  const table = [['event \\ state', ...STATES], STATES.concat().map(() => '---'), ...lines];
  table[1] = ['---', ...STATES.map(() => '---')];
  return table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
