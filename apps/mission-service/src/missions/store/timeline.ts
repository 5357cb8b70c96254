import type { Tx } from '@aerie/persistence';
import { rowsOf } from './timeline-rows.js';

/** One thing that happened to a mission. `detail` never holds a credential or a URL that works as one. */
export interface TimelineEntry {
  readonly missionId: string;
  readonly kind: 'decision' | 'refusal' | 'message_in' | 'message_out' | 'note';
  readonly what: string;
  readonly fromState?: string;
  readonly toState?: string;
  readonly revision?: number;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Writes entries in the order in which they are given. They are read by `entriesOf`. */
export async function writeTimeline(tx: Tx, entries: readonly TimelineEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.run(
    `INSERT INTO mission.timeline (mission_id, kind, what, from_state, to_state, revision, detail)
     SELECT mission_id, kind, what, from_state, to_state, revision, detail
       FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (mission_id uuid, kind text, what text, from_state text,
              to_state text, revision integer, detail jsonb)) WITH ORDINALITY AS e
      ORDER BY e.ordinality`,
    [JSON.stringify(rowsOf(entries))],
  );
}
