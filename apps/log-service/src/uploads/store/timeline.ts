import type { Tx } from '@aerie/persistence';

/** One thing that happened to an upload. Never a key, an address or anything else that opens a storage. */
export interface TimelineEntry {
  readonly uploadId: string;
  readonly kind: 'decision' | 'refusal' | 'message_in' | 'message_out' | 'note';
  readonly what: string;
  readonly fromState?: string;
  readonly toState?: string;
  readonly revision?: number;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export async function writeTimeline(tx: Tx, entries: readonly TimelineEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.run(
    `INSERT INTO log.timeline (upload_id, kind, what, from_state, to_state, revision, detail)
     SELECT upload_id, kind, what, from_state, to_state, revision, detail
       FROM jsonb_to_recordset($1::jsonb) AS e (upload_id uuid, kind text, what text, from_state text, to_state text,
              revision integer, detail jsonb)`,
    [
      JSON.stringify(
        entries.map(({ uploadId, kind, what, fromState, toState, revision, detail }) => ({
          upload_id: uploadId,
          kind,
          what,
          from_state: fromState ?? null,
          to_state: toState ?? null,
          revision: revision ?? null,
          detail: detail ?? {},
        })),
      ),
    ],
  );
}
