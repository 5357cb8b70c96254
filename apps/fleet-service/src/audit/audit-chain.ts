import { createHash } from 'node:crypto';
import type { AuditEntry } from '@aerie/http-api';
import type { Tx } from '@aerie/persistence';
import type { DataSource } from 'typeorm';

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
export async function appendToChains(tx: Tx, facts: readonly AuditFact[]): Promise<void> {
  // Sorted: two replicas that append to the same chains wait for each other in one order only.
  const organisations = [...new Set(facts.map(({ organisationId }) => organisationId))].sort();
  for (const organisationId of organisations) {
    await append(
      tx,
      organisationId,
      facts.filter((fact) => fact.organisationId === organisationId),
    );
  }
}

async function append(tx: Tx, organisationId: string, facts: readonly AuditFact[]): Promise<void> {
  await tx.run(
    `INSERT INTO fleet.audit_chain (organisation_id, seq, hash, pruned_hash) VALUES ($1, 0, $2, $2) ON CONFLICT DO NOTHING`,
    [organisationId, BEGINNING],
  );
  const chain = await tx.one<Chain & { now: Date }>(
    `SELECT seq, hash, date_trunc('milliseconds', clock_timestamp()) AS now FROM fleet.audit_chain
      WHERE organisation_id = $1 FOR UPDATE`,
    [organisationId],
  );
  if (chain === undefined) throw new Error('a chain that was just made is not there');
  let { seq, hash } = chain;
  for (const fact of facts) {
    seq = String(BigInt(seq) + 1n);
    const row: Omit<AuditRow, 'hash'> = {
      ...{ organisation_id: organisationId, seq, id: fact.id, at: new Date(fact.atMs), by: fact.by },
      ...{ address: fact.address, operation_id: fact.operationId, resources: fact.resources },
      ...{ request_id: fact.requestId, status: fact.status, kept_at: chain.now, prev_hash: hash },
    };
    hash = hashOf(row);
    await tx.run(
      `INSERT INTO fleet.audit_record (organisation_id, seq, id, at, by, address, operation_id, resources, request_id,
         status, kept_at, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
      [
        ...[organisationId, seq, row.id, row.at, row.by, row.address, row.operation_id, JSON.stringify(row.resources)],
        ...[row.request_id, row.status, row.kept_at, row.prev_hash, hash],
      ],
    );
  }
  await tx.run('UPDATE fleet.audit_chain SET seq = $2, hash = $3 WHERE organisation_id = $1', [
    ...[organisationId, seq, hash],
  ]);
}

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
  dataSource: DataSource,
): Promise<{ readonly records: number; readonly faults: readonly ChainFault[] }> {
  const chains = await dataSource.query<
    (Chain & { organisation_id: string; pruned_seq: string; pruned_hash: Buffer })[]
  >('SELECT * FROM fleet.audit_chain ORDER BY organisation_id');
  let records = 0;
  const faults: ChainFault[] = [];
  for (const chain of chains) {
    let last: Chain = { seq: chain.pruned_seq, hash: chain.pruned_hash };
    let fault: string | null = null;
    for (;;) {
      const page = await dataSource.query<AuditRow[]>(
        `SELECT * FROM fleet.audit_record WHERE organisation_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`,
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
