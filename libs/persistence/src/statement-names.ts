/** The largest service has fewer than 300 statements. Text that is put together from input would have no end. */
const MAX_NAMES = 1_000;

/** A column list with `*`: after SELECT or RETURNING, or after a comma, also as `alias.*`; count(*) is none. */
const ALL_COLUMNS = /(?:\b(?:select|distinct|returning)\s+|,\s*)(?:\w+\.)?\*/i;

/** The names of one process: the same on each of its connections. */
export class StatementNames {
  private readonly names = new Map<string, string>();

  constructor(private readonly limit = MAX_NAMES) {}

  /**
   * Under this name a connection parses the statement once and plans it at most a few times. Undefined beyond the
   * limit: such a statement is parsed each time.
   */
  of(sql: string): string | undefined {
    const known = this.names.get(sql);
    if (known !== undefined) return known;
    // A prepared statement may not change its columns, and with a `*` each migration that adds one would do so.
    if (ALL_COLUMNS.test(sql)) throw new Error(`a statement of a transaction must name its columns: ${sql}`);
    if (this.names.size >= this.limit) return undefined;
    const name = `s${this.names.size}`;
    this.names.set(sql, name);
    return name;
  }
}
