import { type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Closers } from '@aerie/testing';
import { freePort } from '@aerie/testing';

/** A link to a server on this machine on which everything arrives late. */
export async function lateLink(closers: Closers, address: string, lateMs: number): Promise<string> {
  const link = new URL(address);
  const target = { port: Number(link.port), host: link.hostname };
  const open = new Set<Socket>();
  const join = (from: Socket, to: Socket): void => {
    open.add(from);
    from.on('data', (bytes) => void delay(lateMs).then(() => to.write(bytes)));
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = createServer((near) => {
    const far = connect(target);
    join(near, far);
    join(far, near);
  });
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  closers.push(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  link.host = `127.0.0.1:${port}`;
  return link.href;
}
