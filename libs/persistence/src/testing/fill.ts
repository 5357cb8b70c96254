import type { DataSource } from 'typeorm';
import { poolOf } from '../pool.js';
import { type Tx, inTransaction } from '../transaction.js';

/**
 * Puts many rows in place, in one transaction. They take longer than a statement of a service may, on a busy machine
 * several times as long; it is no statement of a service that is tried here.
 */
export async function fill(dataSource: DataSource, put: (tx: Tx) => Promise<unknown>): Promise<void> {
  const pool = poolOf(dataSource);
  pool.isPatient = true;
  try {
    await inTransaction(dataSource, async (tx) => {
      await tx.run('SET LOCAL statement_timeout = 0');
      await put(tx);
    });
  } finally {
    pool.isPatient = false;
  }
}
