import type { Tx } from '@aerie/persistence';

/** Writes how an unknown outcome was settled: by whom, and on what ground. */
export async function keepResolution(tx: Tx, missionId: string, resolution: unknown): Promise<void> {
  await tx.run('UPDATE mission.mission SET resolution = $2::jsonb, updated_at = clock_timestamp() WHERE id = $1', [
    missionId,
    JSON.stringify(resolution),
  ]);
}
