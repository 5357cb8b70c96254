import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, eventually, startPrivateMosquitto } from '@aerie/testing';
import { DynamicSecurity } from './dynamic-security.js';

/** Beyond this, the connection below breaks. A command for a dock with eight aircraft has three times as much. */
const BREAKS_AT_BYTES = 4_096;

let broker: PrivateServer;
let relay: Server;
let security: DynamicSecurity;
const sockets = new Set<Socket>();
let connections = 0;

beforeAll(async () => {
  broker = await startPrivateMosquitto();
  relay = createServer((client) => {
    connections++;
    const upstream = connect(Number(new URL(broker.url).port), '127.0.0.1');
    const pair = [client, upstream] as const;
    for (const socket of pair) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => pair.forEach((each) => each.destroy()));
    }
    upstream.pipe(client);
    client.on('data', (bytes) => (bytes.length > BREAKS_AT_BYTES ? client.destroy() : upstream.write(bytes)));
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
}, 60_000);
it('finds nothing to complain of in what the broker grants', async () => {
  await expect(security.examine()).resolves.toEqual([]);
});

afterAll(async () => {
  relay?.close();
  for (const socket of sockets) socket.destroy();
  await broker?.remove();
}, 30_000);

beforeEach(async () => {
  connections = 0;
  const url = `mqtt://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  security = new DynamicSecurity({
    broker: url,
    username: 'fleet',
    password: 'x',
    logger: createLogger('spec', 'silent'),
  });
  await eventually('it is connected', () => security.connected);
});
afterEach(() => security.stop());

const aircraft = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padStart(64, 'A'));

it('a command that breaks the connection to the broker is not sent again by itself, and its caller is told', async () => {
  const granted = security.grantAircraft('DOCK-1', aircraft(8));
  // The client connects anew after a second: were it sent again, it would be cut off each second until then.
  await expect(granted).rejects.toThrow('the broker did not answer in time');
  expect([connections, security.connected]).toEqual([2, true]);
});

it('a command that is larger than the broker bears is refused before it is sent', async () => {
  await expect(security.grantAircraft('DOCK-1', aircraft(1_000))).rejects.toThrow('allowed are 65536');
  expect([connections, security.connected]).toEqual([1, true]);
});
