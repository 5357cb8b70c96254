import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type NatsConnection, connectNats, declareTopology } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import { jetstream } from '@nats-io/jetstream';

const COMMAND = fileURLToPath(new URL('./narrow-topology.js', import.meta.url));

let nats: PrivateServer;
let connection: NatsConnection;
beforeAll(async () => {
  nats = await startPrivateNats();
  connection = await connectNats(nats.url, 'narrow-topology-spec', createLogger('narrow-topology-spec', 'silent'));
  await declareTopology(connection);
}, 30_000);
afterAll(async () => {
  await connection?.close();
  await nats?.remove();
}, 30_000);

/** The command, as a person types it; its log is left out. */
function command(...args: string[]) {
  const env = { ...process.env, NATS_URL: nats.url };
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { env, encoding: 'utf8' });
  return { status, said: stdout.split('\n').filter((line) => line !== '' && !line.startsWith('{')), stderr };
}

it('says what it left alone and why, what it deleted, and what it has declared again', async () => {
  const client = jetstream(connection);
  await client.publish('dock.v1.log.DOCK-1.events.fileupload_progress', 'of an older ingress');
  const refused = command();
  expect([refused.status, refused.said]).toEqual([
    1,
    expect.arrayContaining([
      expect.stringMatching(/^left on DOCK log: .*: it has not been read empty: 1 messages wait$/),
    ]),
  ]);
  const log = await client.consumers.get('DOCK', 'log');
  await (await log.next())?.ackAck();
  const narrowed = command();
  const durables = narrowed.said.map((line) => /^dropped from DOCK (\S+): dock\.v1\./.exec(line)?.[1]);
  expect([narrowed.status, durables]).toEqual([
    0,
    ['fleet', 'credential', 'credential-requests', 'log', 'log-replies'],
  ]);
  expect(command()).toMatchObject({ status: 0, said: ['no consumer is wider than this release declares it'] });
  expect(command('--undo')).toMatchObject({ status: 0 });
  expect(await client.consumers.get('DOCK', 'log')).toBeDefined();
  expect(command('--nudo')).toMatchObject({ status: 2, stderr: expect.stringContaining('--undo') });
}, 60_000);
