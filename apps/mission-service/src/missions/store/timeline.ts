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

const bounded = (detail: string): string =>
  detail.length <= MAX_DETAIL_CHARACTERS
    ? detail
    : JSON.stringify({ cut: true, characters: detail.length, beginning: detail.slice(0, MAX_DETAIL_CHARACTERS) });

export async function writeTimeline(tx: Tx, entry: TimelineEntry): Promise<void> {
  await tx.run(
    `INSERT INTO mission.timeline (mission_id, kind, what, from_state, to_state, revision, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb)`,
    [
      entry.missionId,
      entry.kind,
      entry.what,
      entry.fromState ?? null,
      entry.toState ?? null,
      entry.revision ?? null,
      bounded(JSON.stringify(entry.detail ?? {})),
    ],
  );
}
