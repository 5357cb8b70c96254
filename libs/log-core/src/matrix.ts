import { EVENT_TYPES, type Row, transitions } from './upload.machine.js';
import { type EventType, STATES } from './upload.types.js';

/** The whole lifecycle as Markdown: one table row per event, one column per state. */
export function lifecycleMatrix(): string {
  const cell = (event: EventType, state: (typeof STATES)[number]): string => {
    const row = (transitions[event] as readonly Row<EventType>[]).find(({ from }) => from.includes(state));
    if (!row) return '';
    const to = row.to === 'unchanged' ? '=' : typeof row.to === 'string' ? row.to : row.to.oneOf.join(' / ');
    return [to, ...(row.effects ?? []).map((effect) => `+${effect}`)].join(' ');
  };
  const head = [
    ['event \\ state', ...STATES],
    ['---', ...STATES.map(() => '---')],
  ];
  const lines = EVENT_TYPES.map((event) => [event, ...STATES.map((state) => cell(event, state))]);
  return [...head, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
