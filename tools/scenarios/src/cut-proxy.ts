import net from 'node:net';

/** A TCP proxy that calls back, before it passes a chunk on, when the chunk holds a text; so a fault strikes exactly there. */
export class CutProxy {
  private readonly sockets = new Set<net.Socket>();
  private armed: { readonly text: string; readonly passOn: boolean; readonly strike: () => void } | undefined;

  private constructor(
    private readonly server: net.Server,
    readonly port: number,
  ) {}

  static start(targetPort: () => number): Promise<CutProxy> {
    return new Promise((resolve) => {
      const server = net.createServer((client) => {
        const upstream = net.connect(targetPort(), '127.0.0.1');
        for (const socket of [client, upstream]) {
          proxy.sockets.add(socket);
          socket.setNoDelay(true);
          socket.on('error', () => undefined);
          socket.on('close', () => {
            proxy.sockets.delete(socket);
            client.destroy();
            upstream.destroy();
          });
        }
        client.on('data', (chunk) => {
          const { armed } = proxy;
          if (armed !== undefined && chunk.includes(armed.text)) {
            proxy.armed = undefined;
            if (armed.passOn) upstream.write(chunk);
            armed.strike();
            return;
          }
          upstream.write(chunk);
        });
        upstream.on('data', (chunk) => client.write(chunk));
      });
      let proxy: CutProxy;
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        proxy = new CutProxy(server, typeof address === 'object' && address ? address.port : 0);
        resolve(proxy);
      });
    });
  }

  /** At the next chunk from a client that holds this text, `strike` is called; before that it is passed on, or lost. */
  arm(text: string, passOn: boolean, strike: () => void): void {
    this.armed = { text, passOn, strike };
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  stop(): void {
    this.cut();
    this.server.close();
  }
}
