import type { Tx } from '@aerie/persistence';

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

/** No documented message is near this; what a dock sends beyond it is kept as its beginning. */
const MAX_DETAIL_CHARACTERS = 16 * 1024;

function bounded(detail: Readonly<Record<string, unknown>>): unknown {
  const text = JSON.stringify(detail);
  return text.length <= MAX_DETAIL_CHARACTERS
    ? detail
    : { cut: true, characters: text.length, beginning: text.slice(0, MAX_DETAIL_CHARACTERS) };
}

/** Writes entries in the order in which they are given. */
export async function writeTimeline(tx: Tx, entries: readonly TimelineEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.run(
    `INSERT INTO mission.timeline (mission_id, kind, what, from_state, to_state, revision, detail)
     SELECT mission_id, kind, what, from_state, to_state, revision, detail
       FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (mission_id uuid, kind text, what text, from_state text,
              to_state text, revision integer, detail jsonb)) WITH ORDINALITY AS e
      ORDER BY e.ordinality`,
    [JSON.stringify(entries.map(timelineColumns))],
  );
}

/** An entry by the names of its columns. */
export const timelineColumns = (entry: TimelineEntry) => ({
  mission_id: entry.missionId,
  kind: entry.kind,
  what: entry.what,
  from_state: entry.fromState ?? null,
  to_state: entry.toState ?? null,
  revision: entry.revision ?? null,
  detail: bounded(entry.detail ?? {}),
});
