import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { Stack } from '../../stack/stack.js';

/** The kernel counts in ticks of 10 ms. */
const MS_PER_TICK = 10;

/** What PostgreSQL has to be started with, so that it counts, and its WAL is that of the rows. */
export const COUNT_SETTINGS: readonly string[] = [
  'shared_preload_libraries=pg_stat_statements',
  'full_page_writes=off',
];

/**
 * The same where what is written is measured: a table that doubles within the minute is analyzed again and again, which a
 * table of months is not. Not for longer runs: without it plans that were made for an empty table stay.
 */
export const COST_SETTINGS: readonly string[] = [...COUNT_SETTINGS, 'autovacuum=off'];

/** Backends tell their commits and rows once a second. */
const TOLD_AFTER_MS = 1_200;

/** Counters of one instant, all kept by the kernel and by PostgreSQL, none by us. */
export interface Reading {
  readonly atMs: number;
  /** CPU time since the start of each process, milliseconds; PostgreSQL with all its backends. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly statements: number;
  readonly commits: number;
  readonly walBytes: number;
  /** Written: inserted, updated and deleted. */
  readonly rows: number;
}

/** What one of many things costs. */
export interface Cost {
  readonly cpuMs: number;
  readonly cpuMsByProcess: Readonly<Record<string, number>>;
  readonly statements: number;
  readonly commits: number;
  readonly walBytes: number;
  readonly rows: number;
  readonly perSecond: number;
}

/** What all programs cost in a second. */
export type Rates = Pick<Cost, 'cpuMs' | 'statements' | 'commits' | 'walBytes' | 'rows'>;

export class Meter {
  private reportCount: string | undefined;

  private constructor(
    private readonly stack: Stack,
    private readonly database: Client,
  ) {}

  static async open(stack: Stack): Promise<Meter> {
    const database = new Client({ connectionString: stack.infrastructure.databaseUrl });
    await database.connect();
    await database.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    return new Meter(stack, database);
  }

  query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.database.query(sql, [...values]).then(({ rows }) => rows as Row[]);
  }

  async read(): Promise<Reading> {
    const cpuMs = Object.fromEntries(Object.entries(this.stack.pids).map(([name, pid]) => [name, cpuOf(name, pid)]));
    const atMs = performance.now();
    const [now] = await this.query<{ statements: string; wal_bytes: string }>(
      `SELECT (SELECT sum(calls) FROM pg_stat_statements) AS statements,
              pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal_bytes`,
    );
    await new Promise((resolve) => setTimeout(resolve, TOLD_AFTER_MS));
    const [told] = await this.query<{ commits: string; rows: string }>(
      `SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
              (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables) AS rows`,
    );
    return {
      atMs,
      cpuMs,
      statements: Number(now?.statements),
      commits: Number(told?.commits),
      walBytes: Number(now?.wal_bytes),
      rows: Number(told?.rows),
    };
  }

  /** Progress messages that were handled. An older product has an inbox row for each. */
  async reports(): Promise<number> {
    this.reportCount ??= await this.query<{ track: boolean; pieces: boolean }>(
      `SELECT to_regclass('mission.flight_track') IS NOT NULL AS track,
              EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('mission.flight_live') AND attname = 'gathered')
                AS pieces`,
    ).then(([row]) =>
      row?.pieces === true
        ? `(SELECT coalesce(sum(array_length(string_to_array(reports, E'\\n'), 1)), 0) FROM mission.flight_track)
           + (SELECT coalesce(sum(gathered), 0) FROM mission.flight_live)`
        : `(SELECT count(*) FROM mission.${row?.track === true ? 'flight_track' : 'inbox'})`,
    );
    const [row] = await this.query<{ count: string }>(`SELECT ${this.reportCount} AS count`);
    return Number(row?.count);
  }

  /** Leaves what this connection asks itself out of the statements and their buffers. */
  async leaveOwnStatementsOut(): Promise<void> {
    await this.query(`SET pg_stat_statements.track = 'none'`);
  }

  /** Pages that were looked at, read and made dirty so far, by the beginning of the statement. */
  async buffersByStatement(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.query<{ statement: string; buffers: string }>(
      `SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 100) AS statement,
              sum(shared_blks_hit + shared_blks_read + shared_blks_dirtied) AS buffers
         FROM pg_stat_statements GROUP BY 1`,
    );
    return new Map(rows.map(({ statement, buffers }) => [statement, Number(buffers)]));
  }

  /** Rows written so far, by table. */
  async rowsByTable(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.query<{ name: string; written: string }>(
      `SELECT format('%s.%s', schemaname, regexp_replace(relname, '_[0-9]{8}$', '')) AS name,
              sum(n_tup_ins + n_tup_upd + n_tup_del) AS written
         FROM pg_stat_user_tables GROUP BY 1`,
    );
    return new Map(rows.map(({ name, written }) => [name, Number(written)]));
  }

  /** WAL written so far, bytes, by the beginning of the statement that wrote it. */
  async walByStatement(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.query<{ statement: string; bytes: string }>(
      `SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 60) AS statement, sum(wal_bytes) AS bytes
         FROM pg_stat_statements GROUP BY 1`,
    );
    return new Map(rows.map(({ statement, bytes }) => [statement, Number(bytes)]));
  }

  /**
   * Memory that the programs hold now, bytes; PostgreSQL, valkey, NATS and mosquitto are left out. `resident` counts what they
   * share, the program of Node itself above all, in each of them; `proportional` once.
   */
  serviceBytes(): { readonly resident: number; readonly proportional: number } {
    const servers = new Set(['postgres', 'valkey', 'nats', 'mosquitto']);
    const pids = Object.entries(this.stack.pids).flatMap(([name, pid]) => (servers.has(name) ? [] : [pid]));
    const sumOf = (field: string): number => pids.reduce((sum, pid) => sum + bytesOf(pid, field), 0);
    return { resident: sumOf('Rss'), proportional: sumOf('Pss') };
  }

  close(): Promise<void> {
    return this.database.end();
  }
}

/** What lay between two readings, without what the programs cost at rest meanwhile, for one of so many things. */
export function costBetween(before: Reading, after: Reading, things: number, rest: Rates = NOTHING): Cost {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const byProcess = Object.entries(after.cpuMs).map(
    ([name, ms]) => [name, rounded((ms - (before.cpuMs[name] ?? 0)) / things)] as const,
  );
  const each = (name: keyof Omit<Rates, 'cpuMs'>): number =>
    Math.max(0, (after[name] - before[name] - rest[name] * seconds) / things);
  const cpuMs = byProcess.reduce((sum, [, ms]) => sum + ms, 0) - (rest.cpuMs * seconds) / things;
  return {
    cpuMs: rounded(Math.max(0, cpuMs)),
    cpuMsByProcess: Object.fromEntries(byProcess),
    statements: rounded(each('statements')),
    commits: rounded(each('commits')),
    walBytes: Math.round(each('walBytes')),
    rows: rounded(each('rows')),
    perSecond: rounded(things / seconds),
  };
}

export function ratesBetween(before: Reading, after: Reading): Rates {
  const { cpuMs, statements, commits, walBytes, rows } = costBetween(before, after, (after.atMs - before.atMs) / 1_000);
  return { cpuMs, statements, commits, walBytes, rows };
}

const NOTHING: Rates = { cpuMs: 0, statements: 0, commits: 0, walBytes: 0, rows: 0 };

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Backends of PostgreSQL that have ended count in their parent, those that live by themselves. */
function cpuOf(name: string, pid: number): number {
  const own = ticksOf(pid);
  const children = name === 'postgres' ? childrenOf(pid).reduce((sum, child) => sum + ticksOf(child).self, 0) : 0;
  return (own.self + (name === 'postgres' ? own.ended : 0) + children) * MS_PER_TICK;
}

function ticksOf(pid: number): { readonly self: number; readonly ended: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    return { self: user + system, ended: endedUser + endedSystem };
  } catch {
    return { self: 0, ended: 0 };
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function bytesOf(pid: number, field: string): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1_024;
}
