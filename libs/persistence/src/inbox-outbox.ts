// The inbox and outbox statements of every service. Raw SQL, in this one file, because flights depend on it.
// Both tables lie in the schema of the service that owns them; `schema` is a constant of our own, never input.
import type { DataSource } from 'typeorm';
import { type Prune, pruneOldRows } from './retention.js';
import type { Tx } from './transaction.js';

/** What makes a message the same message: serial number of the topic, method, and tid, or a hash where tid is missing. */
export interface MessageKey {
  readonly sn: string;
  readonly method: string;
  readonly messageId: string;
}

/** True the first time. The row lives and dies with the transaction of the effect. */
export async function enterInbox(tx: Tx, schema: string, { sn, method, messageId }: MessageKey): Promise<boolean> {
  const inserted = await tx.query(
    `INSERT INTO ${schema}.inbox (sn, method, message_id) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [sn, method, messageId],
  );
  return inserted.length > 0;
}

/**
 * The same for many messages in one statement. Returns those that are new, as JSON `[sn, method, messageId]`; a key that
 * stands in the list twice is new once.
 */
export async function enterInboxMany(tx: Tx, schema: string, keys: readonly MessageKey[]): Promise<Set<string>> {
  if (keys.length === 0) return new Set();
  // Sorted: two transactions that enter the same keys wait for each other in one order only.
  const rows = await tx.query<{ sn: string; method: string; message_id: string }>(
    `INSERT INTO ${schema}.inbox (sn, method, message_id)
     SELECT sn, method, message_id FROM unnest($1::text[], $2::text[], $3::text[]) AS k (sn, method, message_id)
      ORDER BY sn, method, message_id
     ON CONFLICT DO NOTHING RETURNING sn, method, message_id`,
    [keys.map(({ sn }) => sn), keys.map(({ method }) => method), keys.map(({ messageId }) => messageId)],
  );
  return new Set(rows.map(({ sn, method, message_id }) => JSON.stringify([sn, method, message_id])));
}

/** A fact for others, published after the commit by whichever replica finds it. */
export interface OutboxFact {
  readonly subject: string;
  readonly payload: unknown;
}

export interface OutboxRow {
  readonly id: string;
  readonly subject: string;
  readonly payload: unknown;
}

/** Publishes the facts that transactions of its own process have committed. */
export interface FactTaker {
  /** False: it has enough in hand. */
  readonly takesMore: boolean;
  /** Rows whose lease it has from now on, in the order of their ids. */
  take(rows: readonly OutboxRow[]): void;
  /** Some rows were left to whoever claims them first. */
  kick(): void;
}

const takers = new WeakMap<DataSource, Map<string, FactTaker>>();

/** From now on `taker` is given what transactions of this data source write into the outbox of `schema`. */
export function giveFactsTo(dataSource: DataSource, schema: string, taker: FactTaker): void {
  const ofSchemas = takers.get(dataSource) ?? new Map<string, FactTaker>();
  takers.set(dataSource, ofSchemas.set(schema, taker));
}

export function stopGivingFacts(dataSource: DataSource, schema: string, taker: FactTaker): void {
  const ofSchemas = takers.get(dataSource);
  if (ofSchemas?.get(schema) === taker) ofSchemas.delete(schema);
}

/** How long a claimed row is left to its claimer before another replica takes it over. */
export const LEASE_MS = 10_000;
const LEASE = `interval '${LEASE_MS} milliseconds'`;

/** Columns and values with which a fact is born, and what its statement has to return. */
export const OUTBOX_COLUMNS = 'subject, payload, attempts, not_before';
export const outboxValues = (isClaimed: string): string =>
  `subject, payload, CASE WHEN ${isClaimed} THEN 1 ELSE 0 END,
   clock_timestamp() + CASE WHEN ${isClaimed} THEN ${LEASE} ELSE interval '0' END`;
export const OUTBOX_RETURNING = 'id::text AS id, subject, payload';

/**
 * Facts are born claimed: the relay of this process is given them once the transaction has committed, and needs no
 * statement to claim them. If the process dies before they are published, the lease runs out, and any replica finds them.
 * Where there is no relay, or it has enough in hand, they are born free. `insert` runs the statement that writes them.
 */
export async function bearFacts(
  tx: Tx,
  schema: string,
  insert: (isClaimed: boolean) => Promise<readonly OutboxRow[]>,
): Promise<void> {
  const taker = takers.get(tx.dataSource)?.get(schema);
  const isClaimed = taker?.takesMore === true;
  const rows = await insert(isClaimed);
  if (taker === undefined || rows.length === 0) return;
  const inOrder = [...rows].sort((one, other) => Number(one.id) - Number(other.id));
  tx.afterCommit(() => (isClaimed ? taker.take(inOrder) : taker.kick()));
}

export async function writeOutbox(tx: Tx, schema: string, facts: readonly OutboxFact[]): Promise<void> {
  if (facts.length === 0) return;
  await bearFacts(tx, schema, (isClaimed) =>
    tx.query<OutboxRow>(
      `INSERT INTO ${schema}.outbox (${OUTBOX_COLUMNS})
       SELECT ${outboxValues('$3::boolean')}
         FROM (SELECT subject, payload::jsonb FROM unnest($1::text[], $2::text[]) AS fact (subject, payload)) AS fact
       RETURNING ${OUTBOX_RETURNING}`,
      [facts.map(({ subject }) => subject), facts.map(({ payload }) => JSON.stringify(payload)), isClaimed],
    ),
  );
}

/** Takes up to `limit` rows that nobody else is publishing. The lock is gone with this statement; the lease stays. */
export async function claimOutbox(dataSource: DataSource, schema: string, limit: number): Promise<OutboxRow[]> {
  const [rows] = await dataSource.query<[OutboxRow[], number]>(
    `UPDATE ${schema}.outbox AS o
        SET not_before = clock_timestamp() + ${LEASE}, attempts = o.attempts + 1
       FROM (SELECT id FROM ${schema}.outbox
              WHERE done_at IS NULL AND not_before <= clock_timestamp()
              ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
      WHERE o.id = due.id
      RETURNING o.id::text AS id, o.subject, o.payload`,
    [limit],
  );
  return rows;
}

export async function finishOutbox(dataSource: DataSource, schema: string, ids: readonly string[]): Promise<void> {
  await dataSource.query(`UPDATE ${schema}.outbox SET done_at = clock_timestamp() WHERE id = ANY($1::bigint[])`, [ids]);
}

/** A dock repeats what it got no answer for after days without a network: eight days of memory at least. */
export const LEAST_INBOX_DAYS = 8;

/** Deletes what was handled, and what was published, so many days ago. */
export const inboxAndOutboxPrunes = (
  schema: string,
  { inboxDays, outboxDays }: { readonly inboxDays: number; readonly outboxDays: number },
): Prune[] => [
  pruneOldRows({ table: `${schema}.inbox`, at: 'received_at', days: inboxDays, leastDays: LEAST_INBOX_DAYS }),
  pruneOutbox(schema, outboxDays),
];

/** Rows of one transaction. */
const OUTBOX_ROWS = 2_000;

/**
 * Facts are published in nearly the order of their ids, so the oldest of those that were published have the smallest ids:
 * no index has to be kept for that. What was not published has no done_at, and stays.
 */
function pruneOutbox(schema: string, days: number): Prune {
  if (!Number.isInteger(days) || days < 1) {
    throw new RangeError(`${schema}.outbox is kept for 1 day at least, not for ${days}`);
  }
  return {
    name: 'outbox',
    async batch(tx) {
      const deleted = await tx.run(
        `DELETE FROM ${schema}.outbox WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM ${schema}.outbox WHERE ctid = ANY(ARRAY(
             SELECT place FROM (SELECT ctid AS place, done_at FROM ${schema}.outbox
                                 WHERE done_at IS NOT NULL ORDER BY id LIMIT $2) AS oldest
              WHERE done_at < now() - make_interval(days => $1))) FOR UPDATE SKIP LOCKED))`,
        [days, OUTBOX_ROWS],
      );
      // A few of the oldest may have been published late.
      return { rows: { outbox: deleted }, more: deleted > 0 };
    },
  };
}

/**
 * For a migration: rows change once, in the page that they are in, and no index is kept for those that were published.
 * Nobody waits for it longer than for any lock.
 */
export const leanOutbox = (schema: string): string => `
  DROP INDEX ${schema}.outbox_done;
  ALTER TABLE ${schema}.outbox SET (fillfactor = 70);
`;

/** The way back. Writers wait while the index is made: seconds for millions. */
export const fullOutbox = (schema: string): string => `
  ALTER TABLE ${schema}.outbox RESET (fillfactor);
  CREATE INDEX outbox_done ON ${schema}.outbox (done_at) WHERE done_at IS NOT NULL;
`;

/** The two tables, for a service's first migration. */
export const inboxOutboxTables = (schema: string): string => `
  -- Messages whose effect is committed. A dock repeats what it got no answer for, with the same tid.
  CREATE TABLE ${schema}.inbox (
    sn          text        NOT NULL,
    method      text        NOT NULL,
    message_id  text        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (sn, method, message_id)
  );
  CREATE INDEX inbox_received_at ON ${schema}.inbox (received_at);

  -- Facts for others, written with the state they tell of, published afterwards.
  CREATE TABLE ${schema}.outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject    text        NOT NULL,
    payload    jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts   integer     NOT NULL DEFAULT 0,
    done_at    timestamptz
  );
  CREATE INDEX outbox_undone ON ${schema}.outbox (id) WHERE done_at IS NULL;
  CREATE INDEX outbox_done ON ${schema}.outbox (done_at) WHERE done_at IS NOT NULL;
`;
