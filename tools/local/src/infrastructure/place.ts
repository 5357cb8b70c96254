import type { Command } from './processes.js';

/** Where a server listens, and how a command is run there. */
export interface Place {
  readonly address: string;
  readonly command: (command: Command) => Command;
}

export const HERE: Place = { address: '127.0.0.1', command: (command) => command };
