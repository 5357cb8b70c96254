// Takes from each JetStream consumer what this release reads through another one. Run it once the last replica of the
// older release has gone; docs/upgrading.md says when. Ends with 1 when a consumer had to be left alone.
import { connectNats, narrowTopology } from '@aerie/messaging';
import { createLogger } from '@aerie/observability';
import { readCommandConfig } from '@aerie/service-host';
import { z } from 'zod';

const { NATS_URL } = readCommandConfig(z.object({ NATS_URL: z.url() }));
const nats = await connectNats(NATS_URL, 'narrow-topology', createLogger('narrow-topology'));
const narrowings = await narrowTopology(nats);
for (const { durable, dropped, refusal } of narrowings) {
  const what = `${durable}: ${dropped.join(', ')}`;
  process.stdout.write(refusal === null ? `dropped from ${what}\n` : `left on ${what}: ${refusal}\n`);
}
if (narrowings.length === 0) process.stdout.write('no consumer is wider than this release declares it\n');
await nats.close();
process.exitCode = narrowings.some(({ refusal }) => refusal !== null) ? 1 : 0;
