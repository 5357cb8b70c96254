import { Timeline, type Tx } from '@aerie/persistence';
import { SCHEMA } from '../../database.js';
import type { TimelineEntry } from './timeline-entry.js';
import { type TimelineRow, rowsOf } from './timeline-rows.js';

export type { TimelineEntry };

/**
 * Whether the row of a command says all that an entry about its way out would say. An undo is sent again under the same
 * tid, so its row has only the last of them.
 */
export const isInItsCall = (method: string, outcome: string): boolean =>
  outcome === 'written' && method !== 'flighttask_undo';

export interface SentCall {
  readonly tid: string;
  readonly method: string;
  readonly send_outcome: string | null;
  readonly send_reason: string | null;
  readonly sent_at: Date | null;
}

type Dated = TimelineRow & { readonly at: Date };

/** Entries with those of commands whose way out is in their rows alone, each before what came after it. */
export function withSentCalls(entries: readonly Dated[], calls: readonly SentCall[]): readonly Dated[] {
  const told = new Set(entries.flatMap(({ kind, detail }) => (kind === 'message_out' ? [detail['tid']] : [])));
  const sent = calls.flatMap(({ tid, method, send_outcome: outcome, send_reason: reason, sent_at: at }): Dated[] =>
    at === null || outcome === null || told.has(tid) || !isInItsCall(method, outcome)
      ? []
      : [
          {
            ...{ at, kind: 'message_out', what: method, from_state: null, to_state: null, revision: null },
            detail: { tid, outcome, reason },
          },
        ],
  );
  sent.sort((one, other) => one.at.getTime() - other.at.getTime());
  const all: Dated[] = [];
  for (const entry of entries) {
    while (sent[0] !== undefined && sent[0].at < entry.at) all.push(...sent.splice(0, 1));
    all.push(entry);
  }
  return [...all, ...sent];
}

const TIMELINE = new Timeline(SCHEMA, 'mission_id');

/** Writes entries in the order in which they are given. They are read by `entriesOf`. */
export const writeTimeline = (tx: Tx, entries: readonly TimelineEntry[]): Promise<void> =>
  TIMELINE.write(tx, rowsOf(entries));
