import { type AddressInfo, type Socket, createServer } from 'node:net';

/** A server that speaks no protocol and keeps all that it is sent. */
export interface ByteWatcher {
  readonly port: number;
  /** All that came in over all connections. */
  received(): string;
  connections(): number;
  close(): Promise<void>;
}

/** @param greeting sent to each connection at once; `answer` to each piece that comes in */
export async function watchBytes({
  greeting,
  answer,
}: { readonly greeting?: string; readonly answer?: string } = {}): Promise<ByteWatcher> {
  const pieces: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (greeting !== undefined) socket.write(greeting);
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      if (answer !== undefined) socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(pieces).toString('latin1'),
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
