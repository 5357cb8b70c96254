import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

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
    if (claimPort(port) && (await isPortFree(port))) return port;
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

/**
 * Notes in a folder of this user that the port is ours, so that another run on this machine does not draw it before we
 * listen there. Notes of processes that have ended count no longer.
 */
function claimPort(port: number): boolean {
  const folder = path.join(tmpdir(), `aerie-ports-${process.getuid?.() ?? 0}`);
  const note = path.join(folder, String(port));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (;;) {
    try {
      writeFileSync(note, String(process.pid), { flag: 'wx', mode: 0o600 });
      claimed.push(note);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(note);
    if (holder === process.pid) return true;
    if (holder !== undefined && runs(holder)) return false;
    rmSync(note, { force: true });
  }
}

const claimed: string[] = [];
process.once('exit', () => {
  for (const note of claimed) rmSync(note, { force: true });
});

function holderOf(note: string): number | undefined {
  try {
    return Number(readFileSync(note, 'utf8'));
  } catch {
    return undefined;
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Whether somebody takes connections there. */
export function accepts(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, address, () => {
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
