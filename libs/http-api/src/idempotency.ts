import { createHash } from 'node:crypto';
import { type Principal } from '@aerie/bus-contract';
import { AskTogether, InvalidError, RunTogether } from '@aerie/kernel';
import { type Organisations, type Prune, type Tx, inTransaction, isOutage, pruneOldRows } from '@aerie/persistence';

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

/**
 * What a caller asks for. An organisation's callers share their keys, so that a program repeats a request with a key that was put
 * in the place of another. Those who are limited to the same sites share theirs: the answer to others may be about a dock that
 * they do not reach.
 */
export const requestOf = (
  caller: Principal,
  { route, key, body }: Omit<IdempotentRequest, 'organisationId'>,
): IdempotentRequest => ({
  organisationId: caller.organisationId,
  route: caller.dockSns === null ? route : `${route} of sites ${sitesOf(caller)}`,
  key,
  body,
});

const sitesOf = ({ siteIds }: Principal): string =>
  createHash('sha256')
    .update(JSON.stringify((siteIds ?? []).toSorted()))
    .digest('base64url');

export interface StoredAnswer {
  readonly status: number;
  /** JSON text; a repeat gets the same bytes. */
  readonly body: string;
}

/** Callers repeat within minutes, and operators a command of last week by hand. */
export const LEAST_IDEMPOTENCY_DAYS = 7;

/** Deletes keys that were used so many days ago. */
export const idempotencyPrune = (schema: string, days: number): Prune =>
  pruneOldRows({ table: `${schema}.idempotency_key`, at: 'created_at', days, leastDays: LEAST_IDEMPOTENCY_DAYS });

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
  database: Organisations,
  schema: string,
  request: IdempotentRequest,
  accept: () => Promise<StoredAnswer>,
  findBefore: FindBefore = (one) => findAnswer(database.of(one.organisationId), schema, one),
  findMeanwhile: FindBefore = (one) => answeredMeanwhile(database, schema, one),
): Promise<StoredAnswer> {
  if (request.key === undefined) return accept();
  const before = await findBefore(request);
  if (before !== null) return before;
  try {
    return await accept();
  } catch (refusal) {
    const meanwhile = await findMeanwhile(request);
    if (meanwhile === null) throw refusal;
    return meanwhile;
  }
}

/** What this very request got before; null: nothing. */
export type FindBefore = (request: IdempotentRequest) => Promise<StoredAnswer | null>;

/** Looks for the answers to all of an organisation who ask at the same time with one statement. */
export function findBeforeTogether(database: Organisations, schema: string): FindBefore {
  const answers = new AskTogether<StoredRow>(async (places) => {
    const own = database.of(organisationOf(places[0] ?? ''));
    const rows = await own.queryByKeys<StoredRow>(answersOf(schema), columnsOf(places));
    return new Map(rows.map((row) => [placeOf({ ...row, organisationId: row.organisation_id }), row]));
  }, organisationOf);
  return async (request) => answerTo(request, (await answers.find(placeOf(request))) ?? undefined);
}

interface StoredRow extends StoredAnswer {
  readonly organisation_id: string;
  readonly route: string;
  readonly key: string;
  readonly request_hash: string;
}

/** The primary key of a request, as one text. */
const placeOf = ({ organisationId, route, key }: Omit<IdempotentRequest, 'body'>): string =>
  JSON.stringify([organisationId.toLowerCase(), route, key]);

const organisationOf = (place: string): string => (JSON.parse(place) as [string])[0];

/**
 * The columns of the primary key, as they are sent: policies let an index find a row by what was sent, and not by what a
 * function makes of it.
 */
const PLACES = 'unnest($1::uuid[], $2::text[], $3::text[]) AS p (organisation_id, route, key)';
const columnsOf = (places: readonly string[]): readonly [string[], string[], string[]] => {
  const parts = places.map((place) => JSON.parse(place) as [organisationId: string, route: string, key: string]);
  return [parts.map(([id]) => id), parts.map(([, route]) => route), parts.map(([, , key]) => key)];
};

function findAnswers(through: Pick<Tx, 'query'>, schema: string, places: readonly string[]): Promise<StoredRow[]> {
  return through.query<StoredRow>(answersOf(schema), columnsOf(places));
}

const answersOf = (schema: string): string => `
  SELECT k.organisation_id, k.route, k.key, k.request_hash, k.status, k.body
    FROM ${PLACES} JOIN ${schema}.idempotency_key k USING (organisation_id, route, key)`;

async function findAnswer(through: Pick<Tx, 'query'>, schema: string, request: IdempotentRequest) {
  const [stored] = await findAnswers(through, schema, [placeOf(request)]);
  return answerTo(request, stored);
}

/** Another request under the same key is refused where it is carried out. */
function answerTo({ body }: IdempotentRequest, stored: StoredRow | undefined): StoredAnswer | null {
  if (stored === undefined || stored.request_hash !== hashOf(body)) return null;
  return { status: stored.status, body: stored.body };
}

/**
 * The answer to this very request, also where somebody is just about to commit it: only a writer of the same key waits for
 * one that has not committed yet. Leaves nothing behind.
 */
function answeredMeanwhile(
  database: Organisations,
  schema: string,
  request: IdempotentRequest,
): Promise<StoredAnswer | null> {
  return inTransaction(database.of(request.organisationId), async (tx) => {
    if ((await takeKeys(tx, schema, [request])).size === 0) return findAnswer(tx, schema, request);
    await giveKeysBack(tx, schema, [placeOf(request)]);
    return null;
  });
}

/** Requests in one look for what was answered meanwhile, and such looks at once: none waits long for the key of another. */
const LOOKED_FOR_AT_ONCE = 100;
const LOOKS = 2;

/** As `answeredMeanwhile` in one transaction for all of an organisation who ask at the same time: of a large batch each may be refused. */
export function findMeanwhileTogether(database: Organisations, schema: string): FindBefore {
  const looking = new RunTogether<IdempotentRequest, StoredAnswer | null>({
    atOnce: LOOKED_FOR_AT_ONCE,
    runs: LOOKS,
    groupOf: ({ organisationId }) => organisationId.toLowerCase(),
    run: (requests) =>
      inTransaction(database.of(requests[0]?.organisationId ?? ''), async (tx) => {
        const free = await takeKeys(tx, schema, requests);
        await giveKeysBack(tx, schema, [...free]);
        const others = requests.map(placeOf).filter((place) => !free.has(place));
        const rows = others.length === 0 ? [] : await findAnswers(tx, schema, [...new Set(others)]);
        const stored = new Map(rows.map((row) => [placeOf({ ...row, organisationId: row.organisation_id }), row]));
        return requests.map((request) => answerTo(request, stored.get(placeOf(request))));
      }),
    failsAll: isOutage,
  });
  return (request) => looking.run(request);
}

/** The places that were free and are ours now; waits for whoever is about to take one. All take them in one order. */
async function takeKeys(tx: Tx, schema: string, requests: readonly IdempotentRequest[]): Promise<ReadonlySet<string>> {
  const places = requests.map(placeOf);
  const rows = await tx.query<{ organisationId: string; route: string; key: string }>(
    `INSERT INTO ${schema}.idempotency_key (organisation_id, route, key, request_hash, status, body)
     SELECT organisation_id, route, key, hash, 0, ''
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS p (organisation_id, route, key, hash) ORDER BY 1, 2, 3
     ON CONFLICT DO NOTHING RETURNING organisation_id AS "organisationId", route, key`,
    [...columnsOf(places), requests.map(({ body }) => hashOf(body))],
  );
  return new Set(rows.map(placeOf));
}

async function giveKeysBack(tx: Tx, schema: string, places: readonly string[]): Promise<void> {
  if (places.length === 0) return;
  await tx.run(
    `DELETE FROM ${schema}.idempotency_key AS k USING ${PLACES}
      WHERE (k.organisation_id, k.route, k.key) = (p.organisation_id, p.route, p.key)`,
    columnsOf(places),
  );
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
  if (request.key === undefined) return work();
  if ((await takeKeys(tx, schema, [request])).size === 0) {
    const stored = await findAnswer(tx, schema, request);
    if (stored === null) throw keyReused();
    return stored;
  }
  const answer = await work();
  await keepAnswers(tx, schema, [{ place: placeOf(request), answer }]);
  return answer;
}

/** An answer that is not kept: the same request is carried out anew. */
export class Refused {
  constructor(readonly error: unknown) {}
}

/**
 * As `once` for many requests in one transaction. `work` gets the places of those that have not been carried out, and
 * answers each, or refuses it; whatever it wrote for one that it refuses must not stand. Of two requests under one key
 * the second gets the answer to the first.
 */
export async function onceTogether(
  tx: Tx,
  schema: string,
  requests: readonly IdempotentRequest[],
  work: (fresh: readonly number[]) => Promise<readonly (StoredAnswer | Refused)[]>,
): Promise<(StoredAnswer | Refused)[]> {
  const places = requests.map((request) => (request.key === undefined ? null : placeOf(request)));
  const first = new Map<string, number>();
  places.forEach((place, index) => place !== null && !first.has(place) && first.set(place, index));
  const keyed = [...first.values()].flatMap((index) => requests[index] ?? []);
  const taken = keyed.length === 0 ? new Set<string>() : await takeKeys(tx, schema, keyed);
  const isFresh = (place: string | null, index: number): boolean =>
    place === null || (taken.has(place) && first.get(place) === index);
  const fresh = places.flatMap((place, index) => (isFresh(place, index) ? [index] : []));
  const others = [...first.keys()].filter((place) => !taken.has(place));
  const stored = new Map<string, StoredRow>();
  if (others.length > 0) {
    for (const row of await findAnswers(tx, schema, others))
      stored.set(placeOf({ ...row, organisationId: row.organisation_id }), row);
  }
  const worked = fresh.length === 0 ? [] : await work(fresh);
  const results = new Map(fresh.map((index, at) => [index, worked[at] ?? new Refused(new Error('no answer'))]));
  const kept: { place: string; answer: StoredAnswer }[] = [];
  const back: string[] = [];
  for (const [index, result] of results) {
    const place = places[index] ?? null;
    if (place === null) continue;
    if (result instanceof Refused) back.push(place);
    else kept.push({ place, answer: result });
  }
  await Promise.all([keepAnswers(tx, schema, kept), giveKeysBack(tx, schema, back)]);
  return requests.map((request, index): StoredAnswer | Refused => {
    const own = results.get(index);
    if (own !== undefined) return own;
    const place = places[index] ?? '';
    const before = first.get(place) ?? index;
    const twin = results.get(before);
    const isSame = hashOf(requests[before]?.body) === hashOf(request.body);
    if (twin !== undefined) return isSame ? twin : new Refused(keyReused());
    return answerTo(request, stored.get(place)) ?? new Refused(keyReused());
  });
}

async function keepAnswers(
  tx: Tx,
  schema: string,
  kept: readonly { readonly place: string; readonly answer: StoredAnswer }[],
): Promise<void> {
  if (kept.length === 0) return;
  await tx.run(
    `UPDATE ${schema}.idempotency_key AS k SET status = p.status, body = p.body
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[])
              AS p (organisation_id, route, key, status, body)
      WHERE (k.organisation_id, k.route, k.key) = (p.organisation_id, p.route, p.key)`,
    [
      ...columnsOf(kept.map(({ place }) => place)),
      ...[kept.map(({ answer }) => answer.status), kept.map(({ answer }) => answer.body)],
    ],
  );
}

function keyReused(): InvalidError {
  const message = 'was used before with another request; use a new key';
  return new InvalidError('idempotency_key_reused', 'the Idempotency-Key belongs to another request', {
    fields: [{ field: 'Idempotency-Key', message }],
  });
}

/** JSON with sorted keys: the order in which a caller writes them does not make it another request. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
