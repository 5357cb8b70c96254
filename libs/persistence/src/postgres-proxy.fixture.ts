import { type Server, type Socket, connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Stands between a client and PostgreSQL, and can spoil what passes. */
export interface PostgresProxy {
  /** The given address of the database, through the proxy. */
  readonly url: string;
  /** What clients sent, a chunk for each read. */
  readonly chunks: readonly string[];
  readonly openConnections: () => number;
  /** Replaces the first occurrence of a statement by another of the same length. */
  replaceOnce(statement: string, by: string): void;
  /**
   * Passes the next chunk on that has this text, and cuts the connection instead of passing the answer back; `end`: instead
   * of its end alone, which says that the transaction is over.
   */
  swallowAnswerTo(text: string, what?: 'all' | 'end'): void;
  /** Cuts every connection in the middle of whatever it does; new ones are passed on. */
  cut(): void;
  close(): Promise<void>;
}

const READY_FOR_QUERY_BYTES = 6;

export async function startPostgresProxy(databaseUrl: string, port = 0): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  const chunks: string[] = [];
  const sockets = new Set<Socket>();
  let replacement: { statement: Buffer; by: Buffer } | undefined;
  let swallowing: { readonly text: string; readonly what: 'all' | 'end' } | undefined;

  const spoiled = (chunk: Buffer): Buffer => {
    const at = replacement === undefined ? -1 : chunk.indexOf(replacement.statement);
    if (replacement === undefined || at === -1) return chunk;
    const changed = Buffer.from(chunk);
    replacement.by.copy(changed, at);
    replacement = undefined;
    return changed;
  };

  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let mute: 'all' | 'end' | undefined;
    sockets.add(client);
    client.on('data', (chunk) => {
      chunks.push(chunk.toString('latin1'));
      if (swallowing !== undefined && chunk.includes(swallowing.text)) {
        mute = swallowing.what;
        swallowing = undefined;
      }
      upstream.write(spoiled(chunk));
    });
    upstream.on('data', (chunk) => {
      if (mute === undefined) client.write(chunk);
      else if (mute === 'end') client.end(chunk.subarray(0, -READY_FOR_QUERY_BYTES));
      else client.destroy();
    });
    client.on('error', () => undefined).on('end', () => upstream.end());
    upstream.on('error', () => undefined).on('end', () => client.end());
    client.on('close', () => {
      sockets.delete(client);
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    chunks,
    openConnections: () => sockets.size,
    replaceOnce(statement, by) {
      if (statement.length !== by.length) throw new Error('the length of a message is part of it');
      replacement = { statement: Buffer.from(statement), by: Buffer.from(by) };
    },
    swallowAnswerTo(text, what = 'all') {
      swallowing = { text, what };
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
