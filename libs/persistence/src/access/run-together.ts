import type { QueryRunner } from 'typeorm';

/** All of these statements or none, in one transaction: nobody meets a moment with some of them. */
export async function runTogether(runner: QueryRunner, statements: readonly string[]): Promise<void> {
  await runner.startTransaction();
  try {
    await runner.query(statements.join(';\n'));
    await runner.commitTransaction();
  } catch (error) {
    await runner.rollbackTransaction();
    throw error;
  }
}
