import type { Tx } from './transaction.js';

/** One thing that happened. `detail` never holds a credential or a URL that works as one. */
export interface TimelineEntry {
  readonly kind: 'decision' | 'refusal' | 'message_in' | 'message_out' | 'note';
  readonly what: string;
  readonly fromState?: string;
  readonly toState?: string;
  readonly revision?: number;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** No documented message is near this; what a dock sends beyond it is kept as its beginning. */
const MAX_DETAIL_CHARACTERS = 16 * 1024;

/** A detail as JSON has it, or its beginning. */
export function boundedDetail(detail: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(detail);
  return text.length <= MAX_DETAIL_CHARACTERS
    ? (JSON.parse(text) as Readonly<Record<string, unknown>>)
    : { cut: true, characters: text.length, beginning: beginningOf(text, MAX_DETAIL_CHARACTERS) };
}

/** At most so many characters of a text. Half a character at its end would be refused by PostgreSQL. */
export const beginningOf = (text: string, characters: number): string =>
  text.length <= characters ? text : text.slice(0, characters).replace(/[\ud800-\udbff]$/, '');

/** By the names of its columns. */
type TimelineRow = Readonly<Record<string, unknown>>;

/** The table `timeline` of a service: all that happened to the things that it owns. */
export class Timeline {
  private readonly insert: string;

  /** `owner`: the column that says whose entry it is. Both are constants of ours, never input. */
  constructor(
    schema: string,
    private readonly owner: string,
  ) {
    this.insert = `INSERT INTO ${schema}.timeline (${owner}, kind, what, from_state, to_state, revision, detail)
     SELECT ${owner}, kind, what, from_state, to_state, revision, detail
       FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (${owner} uuid, kind text, what text, from_state text,
              to_state text, revision integer, detail jsonb)) WITH ORDINALITY AS e
      ORDER BY e.ordinality`;
  }

  /** An entry by the names of its columns. */
  row(ownerId: string, entry: TimelineEntry): TimelineRow {
    return {
      [this.owner]: ownerId,
      kind: entry.kind,
      what: entry.what,
      from_state: entry.fromState ?? null,
      to_state: entry.toState ?? null,
      revision: entry.revision ?? null,
      detail: boundedDetail(entry.detail ?? {}),
    };
  }

  /** Writes rows in the order in which they are given. */
  async write(tx: Tx, rows: readonly object[]): Promise<void> {
    if (rows.length > 0) await tx.run(this.insert, [JSON.stringify(rows)]);
  }
}
