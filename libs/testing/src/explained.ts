interface Statements {
  run(sql: string, parameters?: readonly unknown[]): Promise<number>;
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/**
 * A transaction that carries out each statement and, before it, asks PostgreSQL how it would. Each line of a plan is added
 * to `plans`, without costs.
 */
export function explained<T extends Statements>(tx: T, plans: string[]): T {
  const explain = async (sql: string, parameters: readonly unknown[] = []): Promise<void> => {
    const lines = await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${sql}`, parameters);
    plans.push(...lines.map((line) => line['QUERY PLAN']));
  };
  const explaining = Object.create(tx) as T;
  explaining.run = async (sql, parameters) => {
    await explain(sql, parameters);
    return tx.run(sql, parameters);
  };
  explaining.query = async <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> => {
    await explain(sql, parameters);
    return tx.query<Row>(sql, parameters);
  };
  return explaining;
}
