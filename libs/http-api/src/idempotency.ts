import { createHash } from 'node:crypto';
import { InvalidError } from '@aerie/kernel';
import { type Tx, inTransaction } from '@aerie/persistence';
import type { DataSource } from 'typeorm';

/** The table, for a service's first migration. The first answer under a key is the answer for ever after. */
export const idempotencyTable = (schema: string): string => `
  CREATE TABLE ${schema}.idempotency_key (
    organisation_id uuid        NOT NULL,
    route           text        NOT NULL,
    key             text        NOT NULL,
    -- sha256 of the request: the same key with another request is a mistake of the caller.
    request_hash    text        NOT NULL,
    status          integer     NOT NULL,
    body            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (organisation_id, route, key)
  );
`;

export interface IdempotentRequest {
  readonly organisationId: string;
  readonly route: string;
  /** The header `Idempotency-Key`; undefined where the caller sent none. */
  readonly key: string | undefined;
  readonly body: unknown;
}

export interface StoredAnswer {
  readonly status: number;
  /** JSON text; a repeat gets the same bytes. */
  readonly body: string;
}

/** Rows that one statement deletes. */
const PRUNED_AT_ONCE = 5_000;
/** Of one call; the next one goes on. Once a minute, that is more keys than any service accepts. */
const MOST_BATCHES = 50;

/** Keys are kept for a week, and callers repeat within minutes. Returns how many of the old ones were deleted. */
export async function pruneIdempotencyKeys(
  dataSource: DataSource,
  schema: string,
  atOnce = PRUNED_AT_ONCE,
): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const count = await inTransaction(dataSource, (tx) =>
      tx.run(
        `DELETE FROM ${schema}.idempotency_key WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM ${schema}.idempotency_key
            WHERE created_at < now() - interval '7 days' ORDER BY created_at LIMIT $1))`,
        [atOnce],
      ),
    );
    deleted += count;
    if (count < atOnce) break;
  }
  return deleted;
}

/** Checks the header `Idempotency-Key`. */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  const message = 'must have 1 to 255 visible ASCII characters';
  throw new InvalidError('invalid_idempotency_key', 'the Idempotency-Key cannot be used', {
    fields: [{ field: 'Idempotency-Key', message }],
  });
}

/**
 * The answer that this very request got before; otherwise what `accept` makes of it, which may read, check and refuse.
 * What was accepted stays accepted, although its time has passed or the dock is gone since. So where `accept` refuses,
 * another look waits for the same request that somebody may be committing just now: its caller, who asks again, must not
 * be told no for what will be carried out. The same look clears up a commit whose own answer got lost. Without a key a
 * request is a new one each time.
 */
export async function answerOnce(
  dataSource: DataSource,
  schema: string,
  request: IdempotentRequest,
  accept: () => Promise<StoredAnswer>,
): Promise<StoredAnswer> {
  if (request.key === undefined) return accept();
  const through: Pick<Tx, 'query'> = { query: (sql, parameters = []) => dataSource.query(sql, [...parameters]) };
  const before = await answeredBefore(through, schema, request);
  if (before !== null) return before;
  try {
    return await accept();
  } catch (refusal) {
    const meanwhile = await inTransaction(dataSource, (tx) => answeredMeanwhile(tx, schema, request));
    if (meanwhile === null) throw refusal;
    return meanwhile;
  }
}

async function answeredBefore(
  through: Pick<Tx, 'query'>,
  schema: string,
  { organisationId, route, key, body }: IdempotentRequest,
): Promise<StoredAnswer | null> {
  const [stored] = await through.query<StoredAnswer & { request_hash: string }>(
    `SELECT request_hash, status, body FROM ${schema}.idempotency_key
      WHERE organisation_id = $1 AND route = $2 AND key = $3`,
    [organisationId, route, key],
  );
  // Another request under the same key is refused where it is carried out.
  if (stored === undefined || stored.request_hash !== hashOf(body)) return null;
  return { status: stored.status, body: stored.body };
}

/** Only a writer of the same key waits for one that has not committed yet. Leaves nothing behind. */
async function answeredMeanwhile(tx: Tx, schema: string, request: IdempotentRequest): Promise<StoredAnswer | null> {
  if (!(await takeKey(tx, schema, request))) return answeredBefore(tx, schema, request);
  const { organisationId, route, key } = request;
  await tx.run(`DELETE FROM ${schema}.idempotency_key WHERE organisation_id = $1 AND route = $2 AND key = $3`, [
    ...[organisationId, route, key],
  ]);
  return null;
}

/** False when the key is taken; waits for whoever is about to take it. */
async function takeKey(tx: Tx, schema: string, { organisationId, route, key, body }: IdempotentRequest) {
  const mine = await tx.query(
    `INSERT INTO ${schema}.idempotency_key (organisation_id, route, key, request_hash, status, body)
     VALUES ($1, $2, $3, $4, 0, '') ON CONFLICT DO NOTHING RETURNING 1`,
    [organisationId, route, key, hashOf(body)],
  );
  return mine.length > 0;
}

const hashOf = (body: unknown): string =>
  createHash('sha256')
    .update(canonical(body ?? null))
    .digest('hex');

/**
 * Does `work` once per key: its writes and the record of its answer commit together. A repeat gets the recorded
 * answer; a concurrent repeat waits for the first one's commit, because both insert the same primary key.
 */
export async function once(
  tx: Tx,
  schema: string,
  request: IdempotentRequest,
  work: () => Promise<StoredAnswer>,
): Promise<StoredAnswer> {
  const { organisationId, route, key } = request;
  if (key === undefined) return work();
  if (!(await takeKey(tx, schema, request))) {
    const stored = await answeredBefore(tx, schema, request);
    if (stored === null) {
      const message = 'was used before with another request; use a new key';
      throw new InvalidError('idempotency_key_reused', 'the Idempotency-Key belongs to another request', {
        fields: [{ field: 'Idempotency-Key', message }],
      });
    }
    return stored;
  }
  const answer = await work();
  await tx.run(
    `UPDATE ${schema}.idempotency_key SET status = $4, body = $5
      WHERE organisation_id = $1 AND route = $2 AND key = $3`,
    [organisationId, route, key, answer.status, answer.body],
  );
  return answer;
}

/** JSON with sorted keys: the order in which a caller writes them does not make it another request. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
