import type { Tx } from '@aerie/persistence';

/**
 * Notes that a passkey was used. False: it was removed since, or used with a later count; an authenticator that counts was
 * copied then. Those that do not count always say 0. Holds the passkey until the transaction ends.
 */
export async function notePasskeyUse(tx: Tx, id: string, signCount: number): Promise<boolean> {
  const noted = await tx.run(
    `UPDATE fleet.passkey SET sign_count = $2, last_used_at = clock_timestamp()
      WHERE id = $1 AND (sign_count < $2 OR sign_count = 0 AND $2 = 0)`,
    [id, signCount],
  );
  return noted > 0;
}

/** Whoever begins anew under an email has nothing of who had it before. */
export const removePasskeysOf = (tx: Tx, personId: string): Promise<number> =>
  tx.run('DELETE FROM fleet.passkey WHERE person_id = $1', [personId]);
