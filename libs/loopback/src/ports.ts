import { randomInt } from 'node:crypto';
import net from 'node:net';

/**
 * Below the ports that the kernel gives to outgoing connections: one of those could take a port between the moment it is
 * chosen and the moment somebody listens there, or while a server is away for a restart. Tests that run side by side draw
 * from lanes of their own.
 */
const LANES_FROM = 20_000;
const LANE_PORTS = 3_000;
const LANES = 4;

let next = randomInt(LANE_PORTS);

/**
 * A port of the loopback address that is free now. Each is given away once in a turn through the lane: one that
 * was given away and is not listened on yet, or whose program is away for a restart, looks free as well.
 */
export async function freePort(): Promise<number> {
  const lane = Number(process.env['JEST_WORKER_ID'] ?? 0) % LANES;
  for (let tries = 0; tries < LANE_PORTS; tries++) {
    const port = LANES_FROM + lane * LANE_PORTS + next;
    next = (next + 1) % LANE_PORTS;
    if (await isPortFree(port)) return port;
  }
  const from = LANES_FROM + lane * LANE_PORTS;
  throw new Error(`no port from ${from} to ${from + LANE_PORTS - 1} is free`);
}

/** Several different free ports at once. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Whether somebody takes connections there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Waits until somebody listens; false when nobody does within the time. */
export async function listening(port: number, withinMs: number, stillRunning: () => boolean): Promise<boolean> {
  const startedMs = Date.now();
  while (Date.now() - startedMs < withinMs && stillRunning()) {
    if (await accepts(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}
