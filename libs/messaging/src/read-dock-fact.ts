import type { DockFact } from '@aerie/bus-contract';
import type { Delivery } from './consume.js';

/**
 * Reads an uplink of stream DOCK. Our own ingress wrote it, and checked it once; what has not even the shape of one is
 * refused by an error.
 */
export function readDockFact({ body }: Pick<Delivery, 'body'>): DockFact {
  const fact = JSON.parse(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'),
  ) as DockFact | null;
  if (typeof fact?.sn !== 'string' || typeof fact.channel !== 'string') {
    throw new Error('an uplink must be an object with sn and channel');
  }
  return fact;
}
