import { type Connection, Query, type QueryResult, type Submittable } from 'pg';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Under this name the connection keeps it; none: it is parsed and planned for its values. */
  readonly name: string | undefined;
}

/** What pg keeps of a connection and of a query, and its types leave out. */
interface PgConnection extends Omit<Connection, 'parse' | 'bind' | 'execute'> {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(statement: { name?: string | undefined; text: string }): void;
  bind(to: { statement: string; values: readonly unknown[] }): void;
  execute(what: Record<string, never>): void;
}
interface PgQuery extends Submittable {
  prepare(connection: PgConnection): void;
  hasBeenParsed(connection: PgConnection): boolean;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: PgConnection): void;
}
type Callback = (error: Error | undefined, result: QueryResult) => void;
// A pipelined client takes queries of its own class alone, and what is below is another one.
const BaseQuery = Query as unknown as new (config: object, values: undefined, callback: Callback) => PgQuery;

/**
 * A statement as a transaction of its own, with another one before it where it needs one: both are sent before one Sync, and
 * what lies before a Sync is one transaction of the server's own making. It is committed at the Sync, so the callback hears of
 * success only once it is.
 *
 * Of what the first statement returns nothing is read.
 */
export class QueryAlone extends BaseQuery {
  /** The statement itself has been carried out; what fails from here on is the commit. */
  isCarriedOut = false;
  /** The first statement, if there is one, has been carried out. */
  private isPrepared: boolean;
  private readonly text: string;
  private readonly name: string | undefined;

  constructor(
    private readonly first: Statement | undefined,
    { text, values, name }: Statement,
    callback: Callback,
  ) {
    super({ text, values: [...values], name, queryMode: 'extended' }, undefined, callback);
    this.isPrepared = first === undefined;
    this.text = text;
    this.name = name;
  }

  override prepare(connection: PgConnection): void {
    if (this.first !== undefined) this.sendFirst(connection, this.first);
    super.prepare(connection);
  }

  private sendFirst(connection: PgConnection, first: Statement): void {
    const { name, text } = this;
    // Before the other one: pg takes the first statement that is said to be parsed for the one of the query.
    if (name !== undefined && !this.hasBeenParsed(connection)) {
      connection.parse({ name, text });
      connection.submittedNamedStatements[name] = text;
    }
    if (first.name === undefined || connection.parsedStatements[first.name] === undefined) connection.parse(first);
    connection.bind({ statement: first.name ?? '', values: first.values });
    connection.execute({});
  }

  override handleDataRow(message: unknown): void {
    if (this.isPrepared) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: PgConnection): void {
    if (this.isPrepared) {
      this.isCarriedOut = true;
      super.handleCommandComplete(message, connection);
      return;
    }
    this.isPrepared = true;
    if (this.first?.name !== undefined) connection.parsedStatements[this.first.name] = this.first.text;
  }
}
