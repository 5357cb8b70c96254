import { Writable } from 'node:stream';
import { AcknowledgeInOrder } from './acknowledge-in-order.js';

let written: string[];
let rooms: number;
let stream: Writable;
let inOrder: AcknowledgeInOrder;
beforeEach(() => {
  written = [];
  rooms = 0;
  stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString('hex'));
      done();
    },
  });
  stream.on('error', () => undefined);
  inOrder = new AcknowledgeInOrder(stream, () => rooms++);
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const PUBACK_OF = (packetId: number): string => `4002${packetId.toString(16).padStart(4, '0')}`;

it('lets no PUBACK go before those of all that came before', async () => {
  const [first, second, third] = [1, 2, 3].map((id) => inOrder.add(id));
  third?.();
  second?.();
  await turn();
  expect([written, inOrder.inWork]).toEqual([[], 3]);
  first?.();
  await turn();
  expect(written.join('')).toBe([1, 2, 3].map(PUBACK_OF).join(''));
  expect(inOrder.inWork).toBe(0);
});

it('lets those that are done go, and keeps the rest', async () => {
  const [first, second, third] = [1, 2, 3].map((id) => inOrder.add(id));
  first?.();
  third?.();
  await turn();
  expect([written, inOrder.inWork]).toEqual([[PUBACK_OF(1)], 2]);
  second?.();
  await turn();
  expect(written.slice(1).join('')).toBe(PUBACK_OF(2) + PUBACK_OF(3));
});

it('sends those of one turn together', async () => {
  const ends = [0x1234, 0xffff, 7].map((id) => inOrder.add(id));
  for (const end of ends) end();
  await turn();
  expect(written).toEqual(['400212344002ffff40020007']);
});

it('sends none for QoS 0, and lets the others go over it', async () => {
  const [first, without, last] = [inOrder.add(1), inOrder.add(undefined), inOrder.add(2)];
  first();
  last();
  await turn();
  expect(written).toEqual([PUBACK_OF(1)]);
  without();
  await turn();
  expect(written).toEqual([PUBACK_OF(1), PUBACK_OF(2)]);
});

it('tells each time that there is room again', async () => {
  const ends = [1, 2].map((id) => inOrder.add(id));
  ends[1]?.();
  await turn();
  expect(rooms).toBe(0);
  ends[0]?.();
  await turn();
  expect(rooms).toBe(1);
});

it('sends nothing on a connection that was cut', async () => {
  const end = inOrder.add(1);
  stream.destroy();
  end();
  await turn();
  expect(written).toEqual([]);
});
