import { type PreflightResult, type Stage, failedRules } from '@aerie/mission-core';
import type { Tx } from '@aerie/persistence';
import { packRules, unpackRules } from './packed-rules.js';

/** One result as it lies beside the mission: some kilobytes, so not in the row that every message of a flight rewrites. */
export interface JudgedStage {
  readonly missionId: string;
  readonly stage: Stage;
  readonly result: PreflightResult;
  readonly at: Date;
}

/** The last verdict of each stage, as it lies in the mission's own row. */
export type Verdicts = {
  readonly [S in Stage]?: {
    readonly verdict: PreflightResult['verdict'];
    readonly failed: readonly string[];
    readonly at: string;
    /** How often in a row it held the mission back for this reason, and when last; absent where it did so once. */
    readonly times?: number;
    readonly lastAt?: string;
  };
};

export const verdictsOf = ({ stage, result, at }: Omit<JudgedStage, 'missionId'>): Verdicts => ({
  [stage]: { verdict: result.verdict, failed: failedRules(result), at: at.toISOString() },
});

/** Keeps results rule by rule; each replaces the last one of its stage. */
export async function keepPreflights(tx: Tx, judged: readonly JudgedStage[]): Promise<void> {
  if (judged.length === 0) return;
  await tx.run(
    `INSERT INTO mission.preflight (mission_id, stage, at, verdict, rules, packed)
     SELECT mission_id, stage, at, verdict, '[]', decode(packed, 'base64')
       FROM jsonb_to_recordset($1::jsonb) AS p (mission_id uuid, stage text, at timestamptz, verdict text, packed text)
     ON CONFLICT (mission_id, stage)
     DO UPDATE SET at = excluded.at, verdict = excluded.verdict, rules = excluded.rules, packed = excluded.packed`,
    [JSON.stringify(judged.map(preflightColumns))],
  );
}

/** By the names of its columns; the rules as text. */
export const preflightColumns = ({ missionId, stage, at, result }: JudgedStage) => ({
  ...{ mission_id: missionId, stage, at, verdict: result.verdict },
  packed: packRules(result.rules).toString('base64'),
});

export type StoredPreflight = { readonly [S in Stage]?: PreflightResult & { readonly at: string } };

export async function findPreflights(tx: { query: Tx['query'] }, missionId: string): Promise<StoredPreflight> {
  const rows = await tx.query<{ stage: Stage; at: Date; packed: Buffer | null } & PreflightResult>(
    'SELECT stage, at, verdict, rules, packed FROM mission.preflight WHERE mission_id = $1',
    [missionId],
  );
  return Object.fromEntries(
    rows.map(({ stage, at, verdict, rules: plain, packed }) => {
      // A replica of the previous release writes them plainly, also over a row that was packed.
      const rules = plain.length > 0 || packed === null ? plain : unpackRules(packed);
      return [stage, { verdict, rules, at: at.toISOString() }];
    }),
  );
}
