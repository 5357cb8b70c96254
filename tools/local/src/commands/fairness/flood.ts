import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { DockConnection } from '../../stack/api.js';

export interface FloodOrder {
  readonly connection: DockConnection;
  /** Of its events; one that nobody knows is kept by fleet-service. */
  readonly method: string;
  readonly perSecond: number;
  readonly bytes: number;
}

export interface FloodFigures {
  readonly sent: number;
  /** How often its connection ended. */
  readonly cutOff: number;
  readonly connected: boolean;
}

/** One dock that sends far too much, as fast as the broker takes it. */
export class Flood {
  private readonly child: ChildProcess;
  private latest: FloodFigures = { sent: 0, cutOff: 0, connected: false };

  constructor(root: string, order: FloodOrder) {
    const script = path.join(root, 'tools', 'local', 'dist', 'commands', 'fairness', 'flood-process.js');
    this.child = fork(script, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (figures: FloodFigures) => (this.latest = figures));
    this.child.on('error', () => undefined);
    this.child.send(order);
  }

  get figures(): FloodFigures {
    return this.latest;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }
}
