import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Problem } from './problem.js';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

interface PidRecord {
  readonly pid: number;
  /** When the system says that the process began. A pid is used again; pid and beginning together are not. */
  readonly began: string;
}

/** One process of ours, with its log and a record by which a later run can find and end it. */
export class LocalProcess {
  exited: Promise<void>;

  private constructor(
    readonly name: string,
    readonly pid: number,
    readonly logFile: string,
    private readonly child: ChildProcess,
    private readonly recordFile: string,
    /** Where in its log this process begins to write; what lies before is of earlier ones. */
    private readonly logStart: number,
  ) {
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        rmSync(this.recordFile, { force: true });
        resolve();
      });
    });
  }

  static start(directory: string, name: string, command: Command): LocalProcess {
    const pids = path.join(directory, 'pids');
    const logs = path.join(directory, 'logs');
    mkdirSync(pids, { recursive: true });
    mkdirSync(logs, { recursive: true });
    const logFile = path.join(logs, `${name}.log`);
    const log = openSync(logFile, 'a', 0o600);
    const logStart = fstatSync(log).size;
    const child = spawn(command.program, [...command.args], {
      cwd: directory,
      env: command.env ?? process.env,
      // A group of its own: Ctrl-C in the terminal reaches only us, and we stop the others in order.
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.once('error', () => undefined);
    if (child.pid === undefined) throw new Error(`could not start ${command.program}`);
    const recordFile = path.join(pids, `${name}.json`);
    const record: PidRecord = { pid: child.pid, began: beginningOf(child.pid) };
    writeFileSync(recordFile, JSON.stringify(record));
    return new LocalProcess(name, child.pid, logFile, child, recordFile, logStart);
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) process.kill(this.pid, signal);
  }

  /** Asks it to stop and ends it when it does not. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', withinMs = 10_000): Promise<void> {
    if (!this.running) return;
    this.signal(signal);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), withinMs)));
    const ended = await Promise.race([this.exited.then(() => true), tooLong]);
    clearTimeout(timer);
    if (ended) return;
    this.signal('SIGKILL');
    await this.exited;
  }

  /** The last lines that this very process wrote, for a message that says why it did not start. */
  lastLines(count = 8): string {
    const all = readFileSync(this.logFile);
    // A log that became shorter was rotated: all of it is of this process.
    const own = all.length < this.logStart ? all : all.subarray(this.logStart);
    return own.toString('utf8').trimEnd().split('\n').slice(-count).join('\n');
  }

  /** How it ended, in words; undefined while it runs. */
  get ending(): string | undefined {
    if (this.running) return undefined;
    const { exitCode, signalCode } = this.child;
    return exitCode === null ? `was ended by ${signalCode}` : `ended with code ${exitCode}`;
  }
}

/** A server that was started and is to be waited for. */
export interface Spawned {
  readonly process: LocalProcess;
  /** Asks this very process, by a secret that no other one has. */
  readonly check: ReadyCheck;
  /** Called once it is ready, or will not be. */
  readonly settled?: () => void;
}

/** True, or what is missing yet. */
export type ReadyCheck = () => Promise<true | string>;

export interface Waiting {
  readonly say: (text: string) => void;
  /** Aborted when the person at the keyboard stops the start, or another part of it has failed. */
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 50;
const SAY_EVERY_MS = 10_000;

/**
 * Waits until a process is ready, for as long as it runs: how long that takes is a matter of the machine. Says every few
 * seconds what it waits for. A process that ends first is the failure, told by its own lines.
 */
export async function untilReady(process: LocalProcess, check: ReadyCheck, { say, signal }: Waiting): Promise<void> {
  let saidMs = Date.now();
  for (;;) {
    const state = await check().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    // In this order: what answers may be a stranger, where ours has ended.
    if (!process.running) {
      const lines = process.lastLines() || '(nothing)';
      throw new Problem(
        `${process.name} ${process.ending} before it was ready. It wrote to ${process.logFile}:\n${lines}`,
      );
    }
    if (state === true) return;
    if (signal.aborted) throw new Problem(`The start of ${process.name} was stopped.`);
    if (Date.now() - saidMs >= SAY_EVERY_MS) {
      saidMs = Date.now();
      say(`Waiting for ${process.name}: ${state}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** Ends processes that an earlier run recorded and left behind. Returns their names. */
export async function endLeftOvers(directory: string): Promise<string[]> {
  const pids = path.join(directory, 'pids');
  if (!existsSync(pids)) return [];
  const ended: string[] = [];
  // Services first, infrastructure last; PostgreSQL stops fast and clean on SIGINT.
  const files = readdirSync(pids).sort((a, b) => rank(a) - rank(b));
  for (const file of files) {
    const recordFile = path.join(pids, file);
    const record = readRecord(recordFile);
    if (record !== undefined && isSame(record)) {
      process.kill(record.pid, file.startsWith('postgres') ? 'SIGINT' : 'SIGTERM');
      for (let waited = 0; isSame(record) && waited < 10_000; waited += 50) await delay(50);
      if (isSame(record)) process.kill(record.pid, 'SIGKILL');
      ended.push(path.basename(file, '.json'));
    }
    rmSync(recordFile, { force: true });
  }
  return ended;
}

/** The same for every run below a folder: `npm start`, tests, and the worlds of scenarios that lie one level deeper. */
export async function endAllLeftOvers(base: string): Promise<string[]> {
  const ended: string[] = [];
  for (const parent of [base, path.join(base, 'scenarios'), path.join(base, 'hosts')]) {
    if (!existsSync(parent)) continue;
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      if (entry.isDirectory()) ended.push(...(await endLeftOvers(path.join(parent, entry.name))));
    }
  }
  return ended;
}

const INFRASTRUCTURE = ['mosquitto', 'nats', 'valkey', 'postgres'];
const rank = (file: string): number => INFRASTRUCTURE.indexOf(path.basename(file, '.json')) + 1;

function readRecord(file: string): PidRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PidRecord;
  } catch {
    return undefined;
  }
}

/** Whether a process runs. One that has ended and that nobody has waited for still has a pid, but it is no process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

const isSame = ({ pid, began }: PidRecord): boolean => isAlive(pid) && beginningOf(pid) === began;

/** When a process began: field 22 of /proc/<pid>/stat, or what ps says where there is no /proc. */
export function beginningOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() ?? '';
  }
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
