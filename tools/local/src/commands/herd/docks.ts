import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { fleetSn } from '@aerie/dock-simulator';
import { Problem } from '../../infrastructure/problem.js';
import type { DockConnection } from '../../stack/api.js';
import type { FromDocks, ToDocks } from './messages.js';

/** What one process of docks handles without being late itself. */
const DOCKS_PER_PROCESS = 1_000;
const STOP_WITHIN_MS = 15_000;

type Conditions = Omit<Extract<ToDocks, { kind: 'start' }>, 'kind' | 'snPrefix' | 'connections'>;

/** Serial numbers of a herd, in the order of its processes. */
export function herdSns(count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    fleetSn(prefixOf(Math.floor(index / DOCKS_PER_PROCESS)), (index % DOCKS_PER_PROCESS) + 1),
  );
}

const prefixOf = (process: number): string => `HERD${process}-`;

/** The simulated docks of a benchmark, in as many processes as it takes. */
export class HerdDocks {
  private readonly children: Child[];

  constructor(
    root: string,
    private readonly connections: readonly DockConnection[],
  ) {
    const script = path.join(root, 'tools', 'local', 'dist', 'commands', 'herd', 'docks-process.js');
    const count = Math.ceil(connections.length / DOCKS_PER_PROCESS);
    this.children = Array.from({ length: count }, () => new Child(script));
  }

  /** How many are online. */
  get online(): number {
    return this.children.reduce((sum, { online }) => sum + online, 0);
  }

  /** Resolves when all docks are online. */
  async start(conditions: Conditions): Promise<void> {
    await Promise.all(
      this.children.map(async (child, index) => {
        const connections = this.connections.slice(index * DOCKS_PER_PROCESS, (index + 1) * DOCKS_PER_PROCESS);
        child.tell({ kind: 'start', snPrefix: prefixOf(index), connections, ...conditions });
        await child.ready;
      }),
    );
  }

  /** Simulated seconds per second, of all flights. */
  setSpeed(speed: number): void {
    for (const child of this.children) child.tell({ kind: 'speed', speed });
  }

  fault(sns: readonly string[], faults: string): void {
    for (const child of this.children) child.tell({ kind: 'fault', sns, faults });
  }

  goOffline(sns: readonly string[]): void {
    for (const child of this.children) child.tell({ kind: 'offline', sns });
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop()));
  }
}

class Child {
  readonly ready: Promise<void>;
  online = 0;
  private readonly process: ChildProcess;
  private readonly exited: Promise<void>;

  constructor(script: string) {
    this.process = fork(script, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.exited = new Promise((resolve) => this.process.once('exit', () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      this.process.on('message', (message: FromDocks) => {
        if (message.kind === 'online') this.online = message.online;
        if (message.kind === 'ready') resolve();
        if (message.kind === 'failed') reject(new Problem(`The simulated docks say: ${message.message}`));
      });
      this.process.once('error', reject);
      this.process.once('exit', () => reject(new Problem('A process of simulated docks has ended by itself.')));
    });
    // Whoever waits gets the reason; nobody has to.
    this.ready.catch(() => undefined);
  }

  tell(message: ToDocks): void {
    if (this.process.connected) this.process.send(message);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.tell({ kind: 'stop' });
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_WITHIN_MS);
    await this.exited;
    clearTimeout(timer);
  }
}
