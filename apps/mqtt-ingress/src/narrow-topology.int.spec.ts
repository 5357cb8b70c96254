import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type NatsConnection, connectNats, declareTopology } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { type PrivateServer, startPrivateNats } from '@aerie/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';

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

it('deletes what release 0.1.0 does not read, once that has declared its own, and leaves everything alone before', async () => {
  expect(command('--undo')).toMatchObject({ status: 0 });
  const early = command('--leave');
  expect([early.status, early.said]).toEqual([
    1,
    [
      expect.stringMatching(
        /^left on DOCK mission-replies: .*: no other consumer of mission wants dock\.v1\.mission\./,
      ),
      expect.stringMatching(/^dropped from DOCK fleet-state: /),
      expect.stringMatching(/^left on DOCK fleet-requests: /),
      expect.stringMatching(/^left on DOCK credential-requests: /),
      expect.stringMatching(/^left on DOCK log-replies: /),
    ],
  ]);

  // As 0.1.0 declares them: one for each program, with all of its subjects.
  const manager = await jetstreamManager(connection);
  const wide = {
    mission: ['dock.v1.mission.>', 'dock.v1.any.>'],
    fleet: ['dock.v1.fleet.>', 'dock.v1.none.>'],
    credential: ['dock.v1.credential.>'],
    log: ['dock.v1.log.>', 'dock.v1.any.>'],
  };
  for (const [durable, filters] of Object.entries(wide)) {
    await manager.consumers.update('DOCK', durable, { filter_subjects: filters });
  }
  const left = command('--leave');
  const gone = left.said.map((line) => /^dropped from DOCK (\S+): /.exec(line)?.[1]);
  expect([left.status, gone]).toEqual([0, ['mission-replies', 'fleet-requests', 'credential-requests', 'log-replies']]);
  expect(command('--leave')).toMatchObject({ status: 0, said: ['every consumer is one of the older release'] });
  expect(command('--undo', '--leave')).toMatchObject({ status: 2, stderr: expect.stringContaining('two steps') });
}, 60_000);
