// Takes from each JetStream consumer what this release reads through another one, and deletes those that it has read empty
// and no longer needs. Run it once the last replica of the older release has gone; docs/upgrading.md says when. With --undo
// it declares those of the older release as that wants them, before replicas of it start. Ends with 1 when a consumer had to be
// left alone.
import { parseArgs } from 'node:util';
import { connectNats, narrowTopology, restoreRetired } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { peer, readCommandConfig, streamReplicas } from '@aerie/service-host';
import { z } from 'zod';

function wantsUndo(): boolean {
  try {
    return parseArgs({ options: { undo: { type: 'boolean', default: false } } }).values.undo;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nThe one option is --undo.\n`);
    process.exit(2);
  }
}

const undo = wantsUndo();
const { NATS_URL, NATS_STREAM_REPLICAS } = readCommandConfig(
  z.object({ NATS_URL: peer('nats'), NATS_STREAM_REPLICAS: streamReplicas() }),
);
const nats = await connectNats(NATS_URL, 'narrow-topology', createLogger('narrow-topology'), {
  streamReplicas: NATS_STREAM_REPLICAS,
});
if (undo) {
  await restoreRetired(nats);
  process.stdout.write('the consumers of the older release are there again\n');
} else {
  const narrowings = await narrowTopology(nats);
  for (const { stream, durable, dropped, refusal } of narrowings) {
    const what = `${stream} ${durable}: ${dropped.join(', ')}`;
    process.stdout.write(refusal === null ? `dropped from ${what}\n` : `left on ${what}: ${refusal}\n`);
  }
  if (narrowings.length === 0) process.stdout.write('no consumer is wider than this release declares it\n');
  process.exitCode = narrowings.some(({ refusal }) => refusal !== null) ? 1 : 0;
}
await nats.close();
