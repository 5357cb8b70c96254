import { createHash } from 'node:crypto';
import type { DatabaseOf, Tx } from '@aerie/persistence';
import type { AuditEntry } from './audit-trail.js';

export type AuditFact = AuditEntry & { readonly status: number | null };

export interface AuditRow {
  readonly organisation_id: string;
  readonly seq: string;
  readonly id: string;
  readonly at: Date;
  readonly by: string;
  readonly address: string;
  readonly operation_id: string;
  readonly resources: Readonly<Record<string, string>>;
  readonly request_id: string | null;
  readonly status: number | null;
  readonly kept_at: Date;
  readonly prev_hash: Buffer;
  readonly hash: Buffer;
}

interface Chain {
  readonly seq: string;
  readonly hash: Buffer;
}

const BEGINNING = Buffer.alloc(32);

/** Appends facts to the chains of their organisations, in this order. */
export async function appendToChains(tx: Tx, schema: string, facts: readonly AuditFact[]): Promise<void> {
  if (facts.length === 0) return;
  // Sorted: two replicas that append to the same chains wait for each other in one order only.
  const organisations = [...new Set(facts.map(({ organisationId }) => organisationId))].sort();
  await tx.run(
    `INSERT INTO ${schema}.audit_chain (organisation_id, seq, hash, pruned_hash)
     SELECT id, 0, $2, $2 FROM unnest($1::uuid[]) AS o (id) ORDER BY id ON CONFLICT DO NOTHING`,
    [organisations, BEGINNING],
  );
  const chains = await tx.query<Chain & { organisation_id: string; now: Date }>(
    `SELECT organisation_id, seq, hash, date_trunc('milliseconds', clock_timestamp()) AS now FROM ${schema}.audit_chain
      WHERE organisation_id = ANY ($1::uuid[]) ORDER BY organisation_id FOR UPDATE`,
    [organisations],
  );
  const ends = new Map<string, Chain>(chains.map((chain) => [chain.organisation_id, chain]));
  // Not before what another replica has just appended to one of them.
  const keptAt = new Date(Math.max(...chains.map(({ now }) => now.getTime())));
  const rows = facts.map((fact): AuditRow => {
    const before = ends.get(fact.organisationId);
    if (before === undefined) throw new Error('a chain that was just made is not there');
    const row: Omit<AuditRow, 'hash'> = {
      ...{ organisation_id: fact.organisationId, seq: String(BigInt(before.seq) + 1n), id: fact.id },
      ...{ at: new Date(fact.atMs), by: fact.by, address: fact.address, operation_id: fact.operationId },
      ...{ resources: fact.resources, request_id: fact.requestId, status: fact.status, kept_at: keptAt },
      prev_hash: before.hash,
    };
    const hash = hashOf(row);
    ends.set(fact.organisationId, { seq: row.seq, hash });
    return { ...row, hash };
  });
  await Promise.all([
    tx.run(
      `INSERT INTO ${schema}.audit_record (organisation_id, seq, id, at, by, address, operation_id, resources, request_id,
         status, kept_at, prev_hash, hash)
       SELECT organisation_id, seq, id, at, by, address, operation_id, resources, request_id, status, kept_at,
              decode(prev_hash, 'hex'), decode(hash, 'hex')
         FROM jsonb_to_recordset($1::jsonb) AS r (organisation_id uuid, seq bigint, id uuid, at timestamptz, by text,
                address text, operation_id text, resources jsonb, request_id text, status integer, kept_at timestamptz,
                prev_hash text, hash text)`,
      [JSON.stringify(rows.map((row) => ({ ...row, prev_hash: hexOf(row.prev_hash), hash: hexOf(row.hash) })))],
    ),
    tx.run(
      `UPDATE ${schema}.audit_chain c SET seq = e.seq, hash = decode(e.hash, 'hex')
         FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS e (organisation_id, seq, hash)
        WHERE c.organisation_id = e.organisation_id`,
      [[...ends.keys()], [...ends.values()].map(({ seq }) => seq), [...ends.values()].map(({ hash }) => hexOf(hash))],
    ),
  ]);
}

const hexOf = (bytes: Buffer): string => bytes.toString('hex');

/** Of everything that a record says, and of the record before it. */
function hashOf(row: Omit<AuditRow, 'hash'>): Buffer {
  const resources = Object.entries(row.resources).sort(([one], [other]) => (one < other ? -1 : 1));
  const said = [
    ...[row.organisation_id, row.seq, row.id, row.at.toISOString(), row.by, row.address, row.operation_id, resources],
    ...[row.request_id, row.status, row.kept_at.toISOString()],
  ];
  return createHash('sha256').update(row.prev_hash).update(JSON.stringify(said)).digest();
}

export interface ChainFault {
  readonly organisationId: string;
  /** The first record at which the chain does not hold. */
  readonly seq: string;
  readonly what: string;
}

const PAGE = 1_000;

/** The first fault of each chain, and how many records were looked at. */
export async function verifyChains(
  dataSource: DatabaseOf<'engine'>,
  schema: string,
): Promise<{ readonly records: number; readonly faults: readonly ChainFault[] }> {
  const chains = await dataSource.query<
    (Chain & { organisation_id: string; pruned_seq: string; pruned_hash: Buffer })[]
  >(`SELECT * FROM ${schema}.audit_chain ORDER BY organisation_id`);
  let records = 0;
  const faults: ChainFault[] = [];
  for (const chain of chains) {
    let last: Chain = { seq: chain.pruned_seq, hash: chain.pruned_hash };
    let fault: string | null = null;
    for (;;) {
      const page = await dataSource.query<AuditRow[]>(
        `SELECT * FROM ${schema}.audit_record WHERE organisation_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`,
        [chain.organisation_id, last.seq, chain.seq, PAGE],
      );
      for (const row of page) {
        fault = faultOf(row, last);
        if (fault !== null) break;
        last = row;
        records++;
      }
      if (fault !== null || page.length < PAGE) break;
    }
    if (fault === null && (last.seq !== chain.seq || !last.hash.equals(chain.hash))) fault = 'its end is missing';
    if (fault === null) continue;
    faults.push({ organisationId: chain.organisation_id, seq: String(BigInt(last.seq) + 1n), what: fault });
  }
  return { records, faults };
}

function faultOf(row: AuditRow, last: Chain): string | null {
  if (BigInt(row.seq) !== BigInt(last.seq) + 1n) return 'it is missing';
  if (!row.prev_hash.equals(last.hash)) return 'it does not follow the record before it';
  return hashOf(row).equals(row.hash) ? null : 'it was changed';
}
