import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Peer, tlsOptions } from '@aerie/kernel';

const INFO_TIMEOUT_MS = 2_000;
/** An alert takes as long as one way over the network. */
const ALERT_TIMEOUT_MS = 1_000;

/**
 * The error by which a server of NATS ends TLS after our side of the handshake: that it wants a certificate, or takes ours
 * for a stranger's. The client library loses this one, and waits for its timeout. Nothing but the handshake is sent.
 */
export async function tlsRefusal(peer: Peer): Promise<unknown> {
  const { host, port } = new URL(peer.url);
  const socket = connect({ host: peer.host, port: Number(port) || DEFAULT_PORT });
  socket.on('error', () => undefined);
  try {
    await firstLine(socket, host);
    return await refusalOver(socket, peer);
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

const DEFAULT_PORT = 4_222;

/** The server speaks first, in clear: `INFO {…}`. [NATS client protocol] */
function firstLine(socket: Socket, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(INFO_TIMEOUT_MS, () => reject(new Error(`${host} is silent`)));
    socket.once('close', () => reject(new Error(`${host} closed the connection`)));
    socket.once('data', () => {
      socket.pause();
      resolve();
    });
  });
}

function refusalOver(socket: Socket, peer: Peer): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ALERT_TIMEOUT_MS);
    const secure = connectTls({ ...tlsOptions(peer), socket });
    // Without it the alert, which comes after the handshake, is not read.
    secure.resume();
    secure.once('error', (error) => {
      clearTimeout(timer);
      resolve(error);
    });
  });
}
