import type { Socket } from 'node:net';
import { gatherWrites } from '@aerie/kernel';
import { NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';

interface Sending {
  readonly socket: Socket | undefined;
  send(frame: Uint8Array): void;
}

const gathering = new WeakSet<Socket>();
let prepared = false;

/**
 * What the connections of this process write to NATS in one turn of the event loop leaves in one system call. The library
 * writes after each microtask instead: the acknowledgements of a batch, which end one after the other, are then a packet
 * each, and wake the server and whoever waits for it each time.
 *
 * The library has no setting for it. Without this all works as well, at up to a quarter more CPU time.
 */
export function gatherNatsWrites(): void {
  if (prepared) return;
  prepared = true;
  const transport = NodeTransport.prototype as unknown as Sending;
  // It is called on the transport of a connection, below.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const { send } = transport;
  transport.send = function (this: Sending, frame: Uint8Array): void {
    const { socket } = this;
    if (socket !== undefined && !gathering.has(socket)) {
      gathering.add(socket);
      gatherWrites(socket);
    }
    send.call(this, frame);
  };
}
