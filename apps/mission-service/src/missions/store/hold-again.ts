import type { Tx } from '@aerie/persistence';
import { type JudgedStage, type Verdicts, keepPreflights } from './preflights.js';

/** A mission that is held back for the same reason as the last time. */
export interface HeldAgain {
  readonly missionId: string;
  readonly nextActionAt: Date;
  readonly verdicts: Verdicts;
  /** What the rules found this time, for whoever looks at them now. */
  readonly judged: JudgedStage | null;
}

/**
 * Looks at missions again later. The same reason again is no event: no new version of the mission, nothing in its
 * timeline. How often and until when it was held is counted in its verdicts. The missions are locked.
 */
export async function holdAgain(tx: Tx, held: readonly HeldAgain[]): Promise<void> {
  if (held.length === 0) return;
  await Promise.all([
    tx.run(
      `UPDATE mission.mission AS m SET next_action_at = h.next_action_at, verdicts = m.verdicts || h.verdicts
         FROM jsonb_to_recordset($1::jsonb) AS h (id uuid, next_action_at timestamptz, verdicts jsonb)
        WHERE m.id = h.id`,
      [
        JSON.stringify(
          held.map(({ missionId, nextActionAt, verdicts }) => ({
            id: missionId,
            next_action_at: nextActionAt,
            verdicts,
          })),
        ),
      ],
    ),
    keepPreflights(
      tx,
      held.flatMap(({ judged }) => judged ?? []),
    ),
  ]);
}
