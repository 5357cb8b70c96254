// Takes from each JetStream consumer what this release reads through another one, and deletes those that it has read empty
// and no longer needs. Run it once the last replica of the older release has gone; docs/upgrading.md says when. With --undo
// it declares those of the older release as that wants them, before replicas of it start; with --leave it deletes those that
// the older release does not read, once the last replica of this one has gone. Ends with 1 when a consumer had to be left alone.
import { parseArgs } from 'node:util';
import { NARROW_TOPOLOGY } from '@aerie/bus-contract';
import { connectNats, leaveTopology, narrowTopology, restoreRetired } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { readCommandConfig } from '@aerie/service-host';
import { COMMANDS } from './config.js';

type Way = 'narrow' | 'undo' | 'leave';

function readWay(): Way {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { undo, leave } = parseArgs({ options: { undo: flag, leave: flag } }).values;
    if (undo && leave) throw new Error('--undo and --leave are two steps, with the older release in between.');
    if (undo) return 'undo';
    return leave ? 'leave' : 'narrow';
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}\nThe options are --undo and --leave.\n`,
    );
    process.exit(2);
  }
}

const way = readWay();
const { NATS_URL, NATS_STREAM_REPLICAS } = readCommandConfig(COMMANDS['narrow-topology.js']);
const nats = await connectNats(NATS_URL, NARROW_TOPOLOGY, createLogger('narrow-topology'), {
  streamReplicas: NATS_STREAM_REPLICAS,
});
if (way === 'undo') {
  await restoreRetired(nats);
  process.stdout.write('the consumers of the older release are there again\n');
} else {
  const changes = way === 'leave' ? await leaveTopology(nats) : await narrowTopology(nats);
  for (const { stream, durable, dropped, refusal } of changes) {
    const what = `${stream} ${durable}: ${dropped.join(', ')}`;
    process.stdout.write(refusal === null ? `dropped from ${what}\n` : `left on ${what}: ${refusal}\n`);
  }
  const nothing =
    way === 'leave'
      ? 'every consumer is one of the older release'
      : 'no consumer is wider than this release declares it';
  if (changes.length === 0) process.stdout.write(`${nothing}\n`);
  process.exitCode = changes.some(({ refusal }) => refusal !== null) ? 1 : 0;
}
await nats.close();
