import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { Stack } from '../../stack/stack.js';

/** The kernel counts in ticks of 10 ms. */
const MS_PER_TICK = 10;

/** Counters of one instant, all kept by the kernel and by PostgreSQL, none by us. */
export interface Reading {
  readonly atMs: number;
  /** CPU time since the start of each process, milliseconds; PostgreSQL with all its backends. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly statements: number;
  readonly commits: number;
  readonly walBytes: number;
}

/** What lay between two readings, for one of so many things. */
export interface Cost {
  readonly cpuMs: number;
  readonly cpuMsByProcess: Readonly<Record<string, number>>;
  readonly statements: number;
  readonly commits: number;
  readonly walBytes: number;
  readonly perSecond: number;
}

export class Meter {
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
    const [row] = await this.query<{ statements: string; commits: string; wal_bytes: string }>(
      `SELECT (SELECT sum(calls) FROM pg_stat_statements) AS statements,
              (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
              pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal_bytes`,
    );
    const cpuMs = Object.fromEntries(Object.entries(this.stack.pids).map(([name, pid]) => [name, cpuOf(name, pid)]));
    return {
      atMs: performance.now(),
      cpuMs,
      statements: Number(row?.statements),
      commits: Number(row?.commits),
      walBytes: Number(row?.wal_bytes),
    };
  }

  /** Memory that the programs hold now, bytes; PostgreSQL, valkey, NATS and mosquitto are left out. */
  serviceBytes(): number {
    const servers = new Set(['postgres', 'valkey', 'nats', 'mosquitto']);
    return Object.entries(this.stack.pids)
      .filter(([name]) => !servers.has(name))
      .reduce((sum, [, pid]) => sum + residentBytes(pid), 0);
  }

  close(): Promise<void> {
    return this.database.end();
  }
}

export function costBetween(before: Reading, after: Reading, things: number): Cost {
  const byProcess = Object.entries(after.cpuMs).map(
    ([name, ms]) => [name, rounded((ms - (before.cpuMs[name] ?? 0)) / things)] as const,
  );
  return {
    cpuMs: rounded(byProcess.reduce((sum, [, ms]) => sum + ms, 0)),
    cpuMsByProcess: Object.fromEntries(byProcess),
    statements: rounded((after.statements - before.statements) / things),
    commits: rounded((after.commits - before.commits) / things),
    walBytes: Math.round((after.walBytes - before.walBytes) / things),
    perSecond: rounded(things / ((after.atMs - before.atMs) / 1_000)),
  };
}

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

function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1_024;
}
