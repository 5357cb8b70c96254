import { Writable } from 'node:stream';
import { gatherWrites } from './gather-writes.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Remembers what each system call of a socket would take. */
function aSocket() {
  const calls: string[] = [];
  const socket = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      calls.push(chunk);
      done();
    },
    writev: (chunks, done) => {
      calls.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  gatherWrites(socket);
  return { socket, calls };
}

it('what several callers write in one turn leaves in one call, in its order', async () => {
  const { socket, calls } = aSocket();
  socket.write('a');
  await Promise.resolve();
  socket.cork();
  socket.write('b');
  socket.uncork();
  process.nextTick(() => socket.write('c'));
  await turn();
  await turn();
  expect(calls).toEqual(['abc']);
  socket.write('d');
  await turn();
  expect(calls).toEqual(['abc', 'd']);
});

it('what was written before the end is sent, and each writer is told', async () => {
  const { socket, calls } = aSocket();
  const told: string[] = [];
  socket.write('a', () => told.push('a'));
  socket.write('b', () => told.push('b'));
  await new Promise<void>((resolve) => socket.end(resolve));
  expect([calls.join(''), told]).toEqual(['ab', ['a', 'b']]);
});

it('a socket that is destroyed in between fails its writers', async () => {
  const { socket, calls } = aSocket();
  const failed = new Promise((resolve) => socket.write('a', resolve));
  socket.on('error', () => undefined);
  socket.destroy(new Error('cut'));
  expect(await failed).toBeInstanceOf(Error);
  await turn();
  expect(calls).toEqual([]);
});
